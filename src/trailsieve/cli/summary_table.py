"""The table at the end of a replay: what each rule saw, and what was left aside."""

from __future__ import annotations

import sys
from collections import Counter

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trailsieve.cli.options import Screen
from trailsieve.errors import shorten
from trailsieve.flow.summary import RuleCounts, Summary, top

_NAME_WIDTH = 44


def print_summary(summary: Summary, shown: Screen) -> None:
    """Prints the summary on stderr; as one JSON object when messages are JSON."""
    if shown.json:
        shown.say("summary", **summary.as_dict())
        return
    width = None if sys.stderr.isatty() else 140
    console = Console(stderr=True, no_color=not shown.colored(), highlight=False, width=width)
    console.print()
    if summary.rules:
        console.print(_rules(summary))
        console.print()
    console.print(_counts(summary), soft_wrap=True)
    for reason, count in sorted(summary.skipped.items()):
        console.print(Text(f"  left aside: {count:,} × {reason}"))


def _rules(summary: Summary) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", no_wrap=True)
    table.add_column("alerts", justify="right")
    for column in ("first", "last", "top principals", "top sources"):
        table.add_column(column, no_wrap=True)
    for rule, counts in sorted(summary.rules.items(), key=lambda item: (-item[1].alerts, item[0])):
        table.add_row(
            Text(rule),
            f"{counts.alerts:,}",
            *_times(counts),
            _names(counts.principals),
            _names(counts.sources),
        )
    return table


def _times(counts: RuleCounts) -> tuple[Text, Text]:
    return Text(shorten(counts.first, 20)), Text(shorten(counts.last, 20))


def _names(counter: Counter[str]) -> Text:
    return Text("\n".join(f"{count:>5,} {_tail(name)}" for name, count in top(counter)))


def _tail(name: str) -> str:
    """The end of a long name, which tells more than its beginning."""
    shown = shorten(name, 200)
    return shown if len(shown) <= _NAME_WIDTH else "…" + shown[1 - _NAME_WIDTH :]


def _counts(summary: Summary) -> Text:
    alerts = sum(counts.alerts for counts in summary.rules.values())
    parts = [
        f"{summary.records:,} records in {summary.files:,} files ({summary.bytes / 1e6:,.1f} MB)",
        f"{alerts:,} alerts",
    ]
    if summary.repeated:
        parts.append(f"{summary.repeated:,} repeated and not raised again")
    if summary.unread_records:
        parts.append(f"{summary.unread_records:,} records could not be read")
    return Text(" · ".join(parts), style="bold")
