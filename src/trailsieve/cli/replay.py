"""`trailsieve replay`: rules over an archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from trailsieve.app.build import replay
from trailsieve.cli.alert_output import Output, columns_option, open_output
from trailsieve.cli.archive import OpenArchive, nothing_to_read, open_archive
from trailsieve.cli.enrichment import enrichment_options
from trailsieve.cli.events import Events
from trailsieve.cli.options import (
    Screen,
    global_options,
    max_object_size,
    no_limits,
    order_option,
    rule_packs,
    screen,
)
from trailsieve.cli.plan import plan
from trailsieve.cli.report import report_options, write_replay
from trailsieve.cli.selectors import rule_choice, rules_to_run, selectors
from trailsieve.cli.summary_table import print_summary
from trailsieve.engine.dead_letters import FileDeadLetters
from trailsieve.engine.stats import RunStats
from trailsieve.engine.wanted import Wanted
from trailsieve.formats.named_columns import NamedColumn
from trailsieve.model import Problem, Severity

if TYPE_CHECKING:
    from trailsieve.investigation.alert_log import AlertLog
    from trailsieve.report.redact import Kind

_EXAMPLES = """\b
Examples:
  trailsieve replay samples/archive
  trailsieve replay ./AWSLogs --since 24h --region eu-west-1 --rules cis-aws-tuned
  trailsieve replay ./AWSLogs --rules samples/rules/team.toml --summary-json summary.json > alerts.jsonl
  trailsieve replay s3://my-trail/AWSLogs --since 2026-03-14 --until 2026-03-15 --account 111122223333
  trailsieve replay s3://my-trail/AWSLogs --since 30d --plan
"""


@click.command("replay", epilog=_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@rule_packs("Rules to run; may be repeated. Default: cis-aws.")
@rule_choice
@selectors(pattern="A rule of its own, with the id `pattern`; without --rules the only one.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "ecs", "ocsf", "cef", "leef", "asff", "csv", "table"]),
    help="Default: a table on a terminal, else JSON lines.",
)
@columns_option
@enrichment_options
@order_option("Print alerts", "time for a table, else file, as with --as-streamed")
@click.option("--output", type=click.Path(dir_okay=False), help="Write the alerts to this file.")
@report_options("Also write the alerts as one HTML page.")
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
    help="Processes that read and match. Default: one per processor.",
)
@click.option(
    "--as-streamed",
    is_flag=True,
    help="Show what a stream would have raised when: files in the order of their delivery (the time in "
    "their names, else their paths), with provisional alerts and what became of them.",
)
@click.option(
    "--plan",
    "only_plan",
    is_flag=True,
    help="Only say how many files and bytes that is and, of a bucket, what the requests cost and how long "
    "it takes.",
)
@no_limits
@max_object_size
@global_options
def command(inputs: tuple[str, ...], summary_json: str | None, only_plan: bool, **options: Any) -> int:
    """Run rules over an archive of CloudTrail files and print the alerts.

    INPUT is a file, a directory (searched recursively, in CloudTrail's bucket layout or any other), or a
    folder of a bucket, s3://bucket/prefix, of which only the selected part is listed and read. Files and
    records that cannot be read are reported on stderr, counted, and skipped. An event that was delivered
    twice raises one alert. Alarms are evaluated over all events, in whatever order they were delivered;
    `--as-streamed` evaluates them as events come in.
    """
    shown = screen()
    with ExitStack() as stack:
        asked = _Options(**options)
        if only_plan:
            for line in plan(_archive(inputs, asked, shown, stack)):
                click.echo(line)
            return 0
        stats = _run(inputs, asked, shown, stack)
    if summary_json:
        layout = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        Path(summary_json).write_bytes(orjson.dumps(stats.as_dict(), option=layout))
    print_summary(stats, shown)
    return 0


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command line, by the names that click gives them."""

    packs: tuple[str, ...]
    patterns: tuple[str, ...]
    rule_ids: tuple[str, ...]
    min_severity: Severity | None
    wanted: Wanted
    form: str | None
    columns: str | None
    known: Mapping[str, NamedColumn]
    order: str | None
    output: str | None
    report: str | None
    redact: tuple[Kind, ...]
    dead_letters: str | None
    no_limits: bool
    max_object_size: int
    workers: int | None
    as_streamed: bool


def _archive(inputs: tuple[str, ...], options: _Options, shown: Screen, stack: ExitStack) -> OpenArchive:
    return open_archive(
        inputs,
        options.wanted.selection,
        options.max_object_size,
        options.workers,
        shown,
        stack,
        as_streamed=options.as_streamed,
    )


def _run(inputs: tuple[str, ...], options: _Options, shown: Screen, stack: ExitStack) -> RunStats:
    rules = rules_to_run(
        options.packs, options.patterns, options.rule_ids, options.min_severity, limits=not options.no_limits
    )
    archive = _archive(inputs, options, shown, stack)
    stats = archive.stats
    order = options.order or ("file" if options.as_streamed else None)
    output = Output(options.output, options.form, order, options.columns, options.known)
    sink = open_output(output, [rule.id for rule in rules], shown, stack)
    log = _alert_log() if options.report else None
    pipeline = replay(
        rules,
        archive.source,
        [sink, log] if log else [sink],
        archive.context,
        _on_problem(options, shown, stack),
        stats,
        archive.workers,
        as_streamed=options.as_streamed,
        wanted=options.wanted,
    )
    with archive.progress:
        pipeline.run()
    if options.report and log:
        write_replay(log.alerts(), stats, rules, Path(options.report), options.redact)
        shown.info(f"wrote {options.report}")
    if not stats.files:
        shown.info(nothing_to_read(inputs, stats))
    elif options.wanted.narrows and not stats.rules:
        Events(inputs, options.max_object_size, shown, options.wanted).print_why_nothing(stats.records)
    return stats


def _alert_log() -> AlertLog:
    from trailsieve.investigation.alert_log import AlertLog

    return AlertLog()


def _on_problem(options: _Options, shown: Screen, stack: ExitStack) -> list[Callable[[Problem], None]]:
    if not options.dead_letters:
        return [shown.problem]
    letters = FileDeadLetters(Path(options.dead_letters))
    stack.callback(letters.close)
    return [shown.problem, letters.add]
