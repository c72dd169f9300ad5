"""The table at the end of a replay: what each rule saw, and what was left aside."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator

from trailsieve.cli.options import Screen
from trailsieve.cli.table import Row, table
from trailsieve.engine.stats import RuleCounts, Summary, top
from trailsieve.errors import shorten, tail, visible

_HEADER = ("rule", "alerts", "first", "last", "top principals", "top sources")
_FIXED_WIDTH = 100  # of all columns but the principals
_NAME_WIDTHS = (20, 48)
_SOURCE_WIDTH = 15
_BOLD, _PLAIN = "\033[1m", "\033[0m"


def print_summary(summary: Summary, shown: Screen) -> None:
    """Prints the summary on stderr; as one JSON object when messages are JSON."""
    if shown.json:
        shown.say("summary", **summary.as_dict())
        return
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 150
    bold, plain = (_BOLD, _PLAIN) if shown.colored() else ("", "")
    lines = [""]
    if summary.rules:
        header, *rows = table(_HEADER, _rows(summary, width), frozenset({1}))
        lines += [f"{bold}{header}{plain}", *rows, ""]
    lines.append(f"{bold}{_counts(summary)}{plain}")
    for reason, count in sorted(summary.skipped.items()):
        lines.append(f"  left aside: {count:,} × {visible(reason)}")
    lines += [f"  {visible(line)}" for line in _not_counted(summary)]
    print("\n".join(lines), file=sys.stderr)


def _not_counted(summary: Summary) -> Iterator[str]:
    """Matches that raised nothing, or more than they should, and why."""
    for rule, reasons in summary.excepted.items():
        for reason, count in reasons.items():
            yield f"not counted: {count:,} × {rule}, an exception: {reason}"
    for rule, reasons in summary.expired.items():
        for reason, count in reasons.items():
            yield f"counted again: {count:,} × {rule}, an exception that has expired: {reason}"
    for rule, count in summary.late.items():
        yield f"not counted: {count:,} × {rule}, later than its alarm's allowed_lateness"
    for rule, count in summary.crowded.items():
        yield f"counted together: {count:,} × {rule}, beyond its alarm's max_keys"


def _rows(summary: Summary, width: int) -> Iterator[Row]:
    names = min(max(width - _FIXED_WIDTH, _NAME_WIDTHS[0]), _NAME_WIDTHS[1])
    for rule, counts in sorted(summary.rules.items(), key=lambda item: (-item[1].alerts, item[0])):
        yield (
            rule,
            f"{counts.alerts:,}",
            *_times(counts),
            _names(counts.principals, names),
            _names(counts.sources, _SOURCE_WIDTH),
        )


def _times(counts: RuleCounts) -> tuple[str, str]:
    return shorten(counts.first, 20), shorten(counts.last, 20)


def _names(counter: Counter[str], width: int) -> list[str]:
    return [f"{count:>5,} {tail(name, width)}" for name, count in top(counter)]


def _counts(summary: Summary) -> str:
    alerts = sum(counts.alerts for counts in summary.rules.values())
    parts = [
        f"{summary.records:,} records in {summary.files:,} files ({summary.bytes / 1e6:,.1f} MB)",
        f"{alerts:,} alerts",
    ]
    if summary.repeated:
        parts.append(f"{summary.repeated:,} repeated and not raised again")
    if summary.unread_records:
        parts.append(f"{summary.unread_records:,} records could not be read")
    return " · ".join(parts)
