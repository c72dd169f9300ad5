"""Space-delimited events: tokens, and which column of a pattern each belongs to (rules 49 to 58)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from trailsieve.pattern.nodes import Column, DelimitedPattern, Ellipsis

_BLANKS = " \t"
_CLOSING = {'"': '"', "[": "]"}


@dataclass(frozen=True, slots=True)
class Layout:
    """The number of columns before and after `...`, and whether there is a `...`."""

    before: int
    after: int
    open: bool


def layout_of(pattern: DelimitedPattern) -> Layout:
    """The layout of a pattern's columns; `[]` means `[...]` (rule 53)."""
    columns = pattern.columns
    at = next((i for i, column in enumerate(columns) if isinstance(column, Ellipsis)), None)
    if at is None:
        return Layout(len(columns), 0, not columns)
    return Layout(at, len(columns) - at - 1, True)


def tokens(line: str) -> Iterator[tuple[str, int]]:
    """Each token without its quotes or brackets, and the offset where it starts with them (rule 49)."""
    place, end = 0, len(line)
    closable = {'"', "["}
    while True:
        while place < end and line[place] in _BLANKS:
            place += 1
        if place == end:
            return
        mark = line[place]
        if mark in closable:
            close = line.find(_CLOSING[mark], place + 1)
            if close >= 0:
                yield line[place + 1 : close], place
                place = close + 1
                continue
            closable.discard(mark)  # rule 58; and none further on can be closed either
        start = place
        place = _next_blank(line, place)
        yield line[start:place], start


def _next_blank(line: str, place: int) -> int:
    ends = [found for found in (line.find(" ", place), line.find("\t", place)) if found >= 0]
    return min(ends, default=len(line))


def columns(line: str, layout: Layout) -> list[str] | None:
    """The values of a pattern's columns and of what `...` takes, in order; None when tokens are missing."""
    if layout.open:
        values = [token for token, _ in tokens(line)]
        return values if len(values) >= layout.before + layout.after else None
    return _columns_with_rest(line, layout.before)


def _columns_with_rest(line: str, count: int) -> list[str] | None:
    """Rule 50: the last column takes the rest of the line as it is, unless it is just one token."""
    found = list(islice(tokens(line), count + 1))
    if len(found) < count:
        return None
    values = [token for token, _ in found[:count]]
    if len(found) > count:
        values[-1] = line[found[count - 1][1] :]
    return values


def values_of(pattern: DelimitedPattern, values: list[str]) -> list[tuple[Column | None, str]]:
    """Each value with its column; None stands for the tokens that `...` takes."""
    layout = layout_of(pattern)
    named = [column for column in pattern.columns if isinstance(column, Column)]
    if not layout.open:
        return list(zip(named, values, strict=True))
    swallowed = len(values) - layout.before - layout.after
    all_columns = [*named[: layout.before], *[None] * swallowed, *named[layout.before :]]
    return list(zip(all_columns, values, strict=True))


def extracted(pattern: DelimitedPattern, line: str) -> dict[str, str] | None:
    """TestMetricFilter's `extractedValues`: `$name`, or `$N` for the N-th token (rule 54)."""
    values = columns(line, layout_of(pattern))
    if values is None:
        return None
    return {
        f"${column.name if column and column.name else position}": value
        for position, (column, value) in enumerate(values_of(pattern, values), 1)
    }
