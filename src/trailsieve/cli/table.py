"""Tables as plain text, which need no library and look the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from trailsieve.errors import cells, shorten

_GAP = "  "
_ELLIPSIS_WIDTH = 200  # characters of a cell at most

Row = Sequence[str | Sequence[str]]  # a cell is a text, or one text a line


def table(header: Sequence[str], rows: Iterable[Row], right: frozenset[int] = frozenset()) -> Iterator[str]:
    """The lines of a table, header first, with control characters in cells escaped.

    Args:
        right: numbers of the right-aligned columns.
    """
    parts = [[_lines(cell) for cell in row] for row in ([*header], *rows)]
    widths = [max(cells(line) for row in parts for line in row[n]) for n in range(len(header))]
    for row in parts:
        for number in range(max(len(lines) for lines in row)):
            shown = (lines[number] if number < len(lines) else "" for lines in row)
            padded = (
                _padded(text, width, n in right)
                for n, (text, width) in enumerate(zip(shown, widths, strict=True))
            )
            yield _GAP.join(padded).rstrip()


def _lines(cell: str | Sequence[str]) -> list[str]:
    return [shorten(text, _ELLIPSIS_WIDTH) for text in ([cell] if isinstance(cell, str) else cell)] or [""]


def _padded(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - cells(text))
    return blanks + text if right else text + blanks
