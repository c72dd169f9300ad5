"""`trailsieve investigate`: what happened in an archive, who did it, and whether it is over."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from trailsieve import private_file
from trailsieve.cli.alert_output import Output, columns_option
from trailsieve.cli.archive import nothing_to_read, open_archive
from trailsieve.cli.enrichment import enrichment_options
from trailsieve.cli.investigation_text import Layout, lines, principals
from trailsieve.cli.json_output import to_json
from trailsieve.cli.listing import list_events
from trailsieve.cli.options import (
    Screen,
    global_options,
    max_object_size,
    no_limits,
    rule_packs,
    screen,
    terminal_width,
)
from trailsieve.cli.report import command_line, report_options, write_report
from trailsieve.cli.selectors import selectors, with_patterns
from trailsieve.engine.stats import RunStats
from trailsieve.engine.wanted import Wanted
from trailsieve.errors import UsageError, counted
from trailsieve.formats.named_columns import NamedColumn
from trailsieve.investigation.appendix import appendix
from trailsieve.investigation.as_json import as_json
from trailsieve.investigation.collect import Collected, collect
from trailsieve.investigation.conclusions import conclude
from trailsieve.investigation.model import Investigation
from trailsieve.report.redact import Kind
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Pack, Rule, joined

_PACKS = ("cis-aws", "aws-threats")
_LISTS = ("table", "jsonl", "csv")
_WIDTH = 120  # of text that is not for a terminal
_EXAMPLES = """\b
Examples:
  trailsieve investigate samples/archive
  trailsieve investigate ./AWSLogs --since 7d --account 111122223333 --report incident.html
  trailsieve investigate s3://my-trail/AWSLogs --since 2026-03-14 --report ticket.md
  trailsieve investigate ./AWSLogs --principals
  trailsieve investigate ./AWSLogs --principal build-bot --format csv --columns time,event,target,ip,error
  trailsieve investigate ./AWSLogs --format json --output incident.json
"""


@click.command("investigate", epilog=_EXAMPLES)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@rule_packs("Rules to run; may be repeated. Default: cis-aws and aws-threats.")
@selectors()
@click.option("--top", type=click.IntRange(1, 50), default=4, show_default=True, help="Suspects to print.")
@click.option(
    "--steps", type=click.IntRange(1, 500), default=16, show_default=True, help="Lines of each story."
)
@click.option("--principals", "all_principals", is_flag=True, help="Print what every principal did instead.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", *_LISTS]),
    help="Text for people, the whole investigation as JSON, or the selected events as a table, as JSON lines "
    "in their exact original text, or as CSV. Default: text; with selectors a table on a terminal, else JSON "
    "lines.",
)
@columns_option
@enrichment_options
@click.option("--output", type=click.Path(dir_okay=False), help="Write to this file instead of printing.")
@report_options("Also write a page (FILE.html) or a summary for a ticket (FILE.md).", (".html", ".md"))
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Processes that read and match. Default: one per processor.",
)
@no_limits
@max_object_size
@global_options
def command(inputs: tuple[str, ...], **options: Any) -> int:
    """Tell what happened in an archive of CloudTrail files: who, from where, to what, and is it over.

    INPUT is what `replay` reads: files, directories, or a folder of a bucket, s3://bucket/prefix. The verdict
    comes first, then the suspects by score, then the story of each in time order, through the roles that
    were assumed and the keys, users and roles that were made. docs/investigate.md explains the score.

    Options such as --principal select events, which are listed by event time. With --format text or json, or
    with --report, the investigation is about the selected events instead.
    """
    shown, asked = screen(), _Options(**options)
    if asked.lists:
        return _list(inputs, asked, shown)
    with ExitStack() as stack:
        found = _investigated(inputs, asked, shown, stack)
    _print(found, asked, shown)
    if asked.report:
        write_report(found, Path(asked.report), asked.redact)
        shown.info(f"wrote {asked.report}")
    return 1 if asked.chosen.narrows and not found.principals else 0


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command line, by the names that click gives them."""

    packs: tuple[str, ...]
    wanted: Wanted
    patterns: tuple[str, ...]
    top: int
    steps: int
    all_principals: bool
    form: str | None
    columns: str | None
    known: Mapping[str, NamedColumn]
    output: str | None
    report: str | None
    redact: tuple[Kind, ...]
    workers: int | None
    no_limits: bool
    max_object_size: int

    @property
    def lists(self) -> bool:
        """Whether the selected events are printed instead of an investigation.

        Raises:
            UsageError: both are asked for.
        """
        whole = self.form in ("text", "json") or bool(self.report) or self.all_principals
        if whole and (self.form in _LISTS or self.columns):
            raise UsageError(
                "--columns, and --format table, jsonl or csv, print a list of events; --report, "
                "--principals, and --format text or json need an investigation"
            )
        lists = not whole and bool(self.form or self.wanted.pivots or self.patterns or self.columns)
        if self.known and not lists:
            raise UsageError(
                "--geoip and --account-names add columns to a list of events; add --format table or csv"
            )
        return lists

    @property
    def chosen(self) -> Wanted:
        """The events that count."""
        return with_patterns(self.wanted, self.patterns, limits=not self.no_limits)


def _list(inputs: tuple[str, ...], options: _Options, shown: Screen) -> int:
    found = list_events(
        inputs,
        options.chosen,
        Output(options.output, options.form, None, options.columns, options.known),
        shown,
        max_object_size=options.max_object_size,
        workers=options.workers,
    )
    return 0 if found else 1


def _investigated(
    inputs: tuple[str, ...], options: _Options, shown: Screen, stack: ExitStack
) -> Investigation:
    packs = [load_pack(pack, limits=not options.no_limits) for pack in options.packs or _PACKS]
    rules = joined(packs)
    collected = _collected(inputs, options, rules, shown, stack)
    return conclude(
        collected.activity,
        rules,
        collected.alerts.kept,
        collected.alerts.total,
        collected.stats.records,
        _appendix(packs, collected.stats),
        collected.alerts.counts,
        " ".join(option for option, _ in options.chosen.each()),
    )


def _collected(
    inputs: tuple[str, ...], options: _Options, rules: Sequence[Rule], shown: Screen, stack: ExitStack
) -> Collected:
    wanted = options.chosen
    archive = open_archive(inputs, wanted.selection, options.max_object_size, options.workers, shown, stack)
    with archive.progress:
        collected = collect(
            rules,
            archive.source,
            archive.context,
            [shown.problem],
            archive.stats,
            archive.workers,
            wanted=wanted,
        )
    if not archive.stats.files:
        shown.info(nothing_to_read(inputs, archive.stats))
    return collected


def _appendix(packs: Sequence[Pack], stats: RunStats) -> list[tuple[str, str]]:
    rules = ", ".join(f"{pack.name} ({counted(len(pack.rules), 'rule')})" for pack in packs)
    return [*appendix(stats, command_line()), ("Rules", rules)]


def _print(found: Investigation, options: _Options, shown: Screen) -> None:
    color = shown.colored(sys.stdout) and not options.output
    width = None if options.output else terminal_width(sys.stdout)
    layout = Layout(width or _WIDTH, color, options.top, options.steps)
    if options.form == "json":
        text = to_json(as_json(found))
    else:
        text = "\n".join(
            principals(found.principals, layout) if options.all_principals else lines(found, layout)
        )
    data = f"{text}\n".encode("utf-8", "replace")
    if options.output:
        private_file.write(options.output, data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()  # before the message that names the report
