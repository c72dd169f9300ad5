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

_FIXED_WIDTH = 100  # of all columns but the principals
_NAME_WIDTHS = (20, 48)


def print_summary(summary: Summary, shown: Screen) -> None:
    """Prints the summary on stderr; as one JSON object when messages are JSON."""
    if shown.json:
        shown.say("summary", **summary.as_dict())
        return
    width = None if sys.stderr.isatty() else 150
    console = Console(stderr=True, color_system=shown.color_system(), highlight=False, width=width)
    console.print()
    if summary.rules:
        console.print(_rules(summary, console.width))
        console.print()
    console.print(_counts(summary), soft_wrap=True)
    for reason, count in sorted(summary.skipped.items()):
        console.print(Text(f"  left aside: {count:,} × {reason}"))


def _rules(summary: Summary, width: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", no_wrap=True, overflow="ellipsis")
    table.add_column("alerts", justify="right", min_width=6)
    names = min(max(width - _FIXED_WIDTH, _NAME_WIDTHS[0]), _NAME_WIDTHS[1])
    for column in ("first", "last", "top principals", "top sources"):
        table.add_column(column, no_wrap=True)
    for rule, counts in sorted(summary.rules.items(), key=lambda item: (-item[1].alerts, item[0])):
        table.add_row(
            Text(rule),
            f"{counts.alerts:,}",
            *_times(counts),
            _names(counts.principals, names),
            _names(counts.sources, 15),
        )
    return table


def _times(counts: RuleCounts) -> tuple[Text, Text]:
    return Text(shorten(counts.first, 20)), Text(shorten(counts.last, 20))


def _names(counter: Counter[str], width: int) -> Text:
    return Text("\n".join(f"{count:>5,} {_tail(name, width)}" for name, count in top(counter)))


def _tail(name: str, width: int) -> str:
    """The end of a long name, which tells more than its beginning."""
    shown = shorten(name, 200)
    return shown if len(shown) <= width else "…" + shown[1 - width :]


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
