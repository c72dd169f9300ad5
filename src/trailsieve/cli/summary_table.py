"""The table at the end of a replay: what each rule matched, and what was skipped."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Iterator

from trailsieve.cli.options import Screen
from trailsieve.cli.table import Row, table
from trailsieve.engine.stats import RuleCounts, RunStats, top
from trailsieve.errors import counted, shorten, tail, visible

_HEADER = ("rule", "alerts", "first", "last", "top principals", "top sources")
_FIXED_WIDTH = 100  # of all columns but the principals
_NAME_WIDTHS = (20, 48)
_SOURCE_WIDTH = 15


def print_summary(stats: RunStats, shown: Screen) -> None:
    """Prints the counts of a run on stderr, as one JSON object when messages are JSON."""
    if shown.json:
        shown.info("summary", **stats.as_dict())
        return
    width = shutil.get_terminal_size().columns if sys.stderr.isatty() else 150
    lines = [""]
    if stats.rules:
        header, *rows = table(_HEADER, _rows(stats, width), frozenset({1}))
        lines += [shown.styled(header, bold=True), *rows, ""]
    lines.append(shown.styled(_counts(stats), bold=True))
    for reason, count in sorted(stats.skipped.items()):
        lines.append(f"  skipped: {count:,} × {visible(reason)}")
    lines += [f"  {visible(line)}" for line in _not_counted(stats)]
    print("\n".join(lines), file=sys.stderr)


def _not_counted(stats: RunStats) -> Iterator[str]:
    """Matches that did not count as usual, and why."""
    for rule, reasons in stats.excepted.items():
        for reason, count in reasons.items():
            yield f"not counted: {count:,} × {rule}, an exception: {reason}"
    for rule, reasons in stats.expired.items():
        for reason, count in reasons.items():
            yield f"counted again: {count:,} × {rule}, an expired exception: {reason}"
    for rule, count in stats.late.items():
        yield f"not counted: {count:,} × {rule}, after its alarm's allowed_lateness"
    for rule, count in stats.over_max_keys.items():
        yield f"counted together: {count:,} × {rule}, over its alarm's max_keys"


def _rows(stats: RunStats, width: int) -> Iterator[Row]:
    names = min(max(width - _FIXED_WIDTH, _NAME_WIDTHS[0]), _NAME_WIDTHS[1])
    for rule, counts in sorted(stats.rules.items(), key=lambda item: (-item[1].alerts, item[0])):
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


def _counts(stats: RunStats) -> str:
    alerts = sum(counts.alerts for counts in stats.rules.values())
    parts = [
        f"{counted(stats.records, 'record')} in {counted(stats.files, 'file')} ({stats.bytes / 1e6:,.1f} MB)",
        counted(alerts, "alert"),
    ]
    parts += [f"{count:,} {name}" for name, count in stats.early.items() if count]
    if stats.duplicates:
        parts.append(f"{counted(stats.duplicates, 'duplicate')} not raised again")
    if stats.unreadable_records:
        parts.append(f"{counted(stats.unreadable_records, 'record')} could not be read")
    return " · ".join(parts)
