"""The table at the end of a replay: what each rule matched, and what was skipped."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from trailsieve.cli.options import Screen, terminal_width
from trailsieve.cli.sparkline import sparkline
from trailsieve.engine.histogram import Histogram, time_range
from trailsieve.engine.stats import RuleCounts, RunStats, top
from trailsieve.errors import cells, counted, visible
from trailsieve.formats.columns import Column, Layout, head, middle, principal, whole
from trailsieve.times import rfc3339

_LEAST_NAME = 16  # cells of a name and its count
_TIMELINE = 100  # cells of the matches over time
_ELSEWHERE = 150  # cells of a line that no terminal limits


def print_summary(stats: RunStats, shown: Screen) -> None:
    """Prints the counts of a run on stderr, as one JSON object when messages are JSON."""
    if shown.json:
        shown.info("summary", **stats.as_dict())
        return
    lines = [""]
    if stats.rules:
        header, *rows = _table(stats, terminal_width(sys.stderr) or _ELSEWHERE)
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


def _table(stats: RunStats, width: int) -> Iterator[str]:
    """The lines about the rules, header first, with as many columns as there is room for."""
    rules = sorted(stats.rules.items(), key=lambda item: (-item[1].alerts, item[0]))
    histograms = [counts.times for _, counts in rules]
    period = time_range(histograms)
    layout = Layout(_columns(rules), width)
    yield layout.header()
    for rule, counts in rules:
        texts = (
            [rule],
            [f"{counts.alerts:,}"],
            [counts.first],
            _names(counts.principals),
            _names(counts.sources),
            [counts.last],
            [_bars([counts.times], period, layout.widths[-1])],
        )
        # Filtered: names in a column that is left out have lines of their own.
        yield from filter(None, map(layout.line, zip_longest(*texts, fillvalue="")))
    if period:
        first, last = map(rfc3339, period)
        parts = min(width - len(f"{first}  {last}"), _TIMELINE)
        yield ""
        yield f"{first} {_bars(histograms, period, parts)} {last}"


def _columns(rules: Sequence[tuple[str, RuleCounts]]) -> list[Column]:
    longest = max(len(rule) for rule, _ in rules)
    return [
        Column("rule", longest, longest, fit=whole),
        Column("alerts", 6, 6, fit=whole, right=True),
        Column("first", 20, 20, 1),
        _names_column("top principals", [counts.principals for _, counts in rules], 2, principal),
        _names_column("top sources", [counts.sources for _, counts in rules], 3, middle),
        Column("last", 20, 20, 4),
        Column("over time", 12, 40, 5),
    ]


def _names_column(
    title: str, counters: Sequence[Counter[str]], rank: int, fit: Callable[[str, int], str]
) -> Column:
    """A column of names with their counts, which are never cut."""
    names = [name for counter in counters for name in _names(counter)]

    def fitted(text: str, width: int) -> str:
        _, _, name = text.lstrip().partition(" ")
        before = len(text) - len(name)
        return text[:before] + fit(name, width - before) if name else head(text, width)

    longest = max((cells(visible(name)) for name in names), default=0)
    return Column(title, _LEAST_NAME, max(len(title), longest), rank, fitted)


def _names(counter: Counter[str]) -> list[str]:
    names = top(counter)
    digits = max((len(f"{count:,}") for _, count in names), default=0)
    return [f"{count:>{digits},} {name}" for name, count in names]


def _bars(histograms: Sequence[Histogram], period: tuple[int, int] | None, parts: int) -> str:
    """Matches over time; "" where there is no room or no time."""
    if not period or parts <= 0:
        return ""
    counts = [
        sum(column) for column in zip(*(each.spread(*period, parts) for each in histograms), strict=True)
    ]
    return sparkline(counts, sys.stderr.encoding)


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
