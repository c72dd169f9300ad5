"""`trailsieve replay`: rules over an archive."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from trailsieve.cli.options import Screen, global_options, max_object_size, no_limits, screen

_WORTH_WORKERS = 4 * 2**20  # bytes of compressed files
_EXAMPLES = """\b
Examples:
  trailsieve replay samples/archive
  trailsieve replay ./AWSLogs --since 24h --region eu-west-1 --rules cis-aws-tuned
  trailsieve replay ./AWSLogs --rules samples/rules/team.toml --summary-json summary.json > alerts.jsonl
  trailsieve replay s3://my-trail/AWSLogs --since 2026-03-14 --until 2026-03-15 --account 111122223333
"""


@click.command("replay", epilog=_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "--rules",
    "packs",
    metavar="PACK|FILE",
    multiple=True,
    help="Rules to run; may be repeated. Default: cis-aws.",
)
@click.option("--since", metavar="TIME", help="Events from this time on: ISO 8601, or 24h, 7d before now.")
@click.option("--until", metavar="TIME", help="Events before this time.")
@click.option(
    "--account", "accounts", metavar="ID", multiple=True, help="This account only; may be repeated."
)
@click.option("--region", "regions", metavar="NAME", multiple=True, help="This region only; may be repeated.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "ecs", "ocsf", "cef", "leef", "asff", "table"]),
    help="Default: a table on a terminal, else JSON lines.",
)
@click.option("--output", type=click.Path(dir_okay=False), help="Write the alerts to this file.")
@click.option(
    "--summary-json", type=click.Path(dir_okay=False), help="Write the counts of the run to this file."
)
@click.option(
    "--dead-letters", type=click.Path(dir_okay=False), help="Append what could not be read to this file."
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Processes that read and match; the alerts are the same. Default: one a processor.",
)
@no_limits
@max_object_size
@global_options
def command(inputs: tuple[str, ...], summary_json: str | None, **options: Any) -> int:
    """Run rules over an archive of CloudTrail files and print the alerts.

    INPUT is a directory (walked; the layout of CloudTrail's S3 buckets is known), a file, or a folder of a
    bucket, s3://bucket/prefix, of which only what the options ask for is listed and read. What cannot be
    read is named on stderr with its reason and counted; the rest is worked on all the same. An event that
    was delivered twice raises one alert.
    """
    from trailsieve.cli.summary_table import print_summary

    shown = screen()
    with ExitStack() as stack:
        summary = _run(inputs, _Options(**options), shown, stack)
    if summary_json:
        Path(summary_json).write_text(json.dumps(summary.as_dict(), indent=2) + "\n", encoding="utf-8")
    print_summary(summary, shown)
    return 0


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command line, by the names that click gives them."""

    packs: tuple[str, ...]
    since: str | None
    until: str | None
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    form: str | None
    output: str | None
    dead_letters: str | None
    no_limits: bool
    max_object_size: int
    workers: int | None


def _run(inputs: tuple[str, ...], options: _Options, shown: Screen, stack: ExitStack) -> Any:
    from trailsieve.alarms.evaluator import Alarms
    from trailsieve.cli.inputs import Inputs, apart, open_bucket
    from trailsieve.cli.progress import Progress
    from trailsieve.engine.decode import Decoder
    from trailsieve.engine.delivery import DirectDelivery
    from trailsieve.engine.matcher import Matcher
    from trailsieve.engine.pipeline import Pipeline
    from trailsieve.engine.processor import Examiner
    from trailsieve.engine.stats import Summary
    from trailsieve.ports import RunContext, Source
    from trailsieve.rules.load import load_pack
    from trailsieve.rules.rule import joined
    from trailsieve.sources.files import FilesSource, list_files
    from trailsieve.trail.selection import Selection

    packs = [load_pack(pack, limits=not options.no_limits) for pack in options.packs or ("cis-aws",)]
    selection = Selection.parse(options.since, options.until, options.accounts, options.regions)
    summary = Summary()
    progress = stack.enter_context(Progress(summary, shown))
    paths, urls = apart(inputs)
    files = selection.files(list_files(paths), summary.skip)
    context = RunContext(
        shown.say,
        options.max_object_size,
        skip=summary.skip,
        object_found=progress.found,
        object_read=progress.done,
    )
    sources: list[Source] = [FilesSource(files, context, selection)]
    if urls:
        sources.append(open_bucket(urls, selection, context))
    source = Inputs(sources, selection)
    stack.callback(source.close)
    rules = joined(packs)
    matcher = Matcher(rules, selection.wants if selection.narrows else None)
    examiner = Examiner(Decoder(options.max_object_size), matcher)
    size = None if urls else sum(file.size for file in files)
    Pipeline(
        source=source,
        examine=_examine_all(examiner, options.workers, size, shown),
        delivery=DirectDelivery([_sink(options, stack)]),
        dead_letters=_dead_letters(options, shown, stack),
        summary=summary,
        alarms=Alarms(rules, upto=int(selection.until.timestamp()) if selection.until else None),
        advise=shown.say,
    ).run()
    if not summary.files:
        aside = "".join(f"; left aside: {count:,} × {reason}" for reason, count in summary.skipped.items())
        shown.say(f"nothing to read in {', '.join(inputs)}{aside}")
    return summary


def _examine_all(examiner: Any, workers: int | None, size: int | None, shown: Screen) -> Any:
    """In worker processes, unless there is surely too little to read to be worth their start."""
    count = workers or (1 if size is not None and size < _WORTH_WORKERS else os.cpu_count() or 1)
    if count == 1:
        from trailsieve.engine.pipeline import one_by_one

        return one_by_one(examiner)
    from trailsieve.engine.workers import WorkerPool

    return WorkerPool(examiner.examine, count, shown.say).run


def _sink(options: _Options, stack: ExitStack) -> Any:
    from trailsieve.formats import encoder, line
    from trailsieve.sinks.stream import StreamSink

    stream: BinaryIO = sys.stdout.buffer
    if options.output:
        stream = open(options.output, "wb")  # noqa: SIM115
        stack.callback(stream.close)
    form = options.form or ("table" if stream.isatty() else "jsonl")
    if form != "table":
        return StreamSink(stream, encoder(form))
    widths = line.fitting(shutil.get_terminal_size().columns) if stream.isatty() else line.WIDTHS
    stream.write(line.header(widths) + b"\n")
    return StreamSink(stream, partial(line.encode, widths=widths))


def _dead_letters(options: _Options, shown: Screen, stack: ExitStack) -> list[Any]:
    from trailsieve.engine.dead_letters import FileDeadLetters, ReportedDeadLetters

    letters: list[Any] = [ReportedDeadLetters(shown.problem)]
    if options.dead_letters:
        letters.append(FileDeadLetters(Path(options.dead_letters)))
        stack.callback(letters[-1].close)
    return letters
