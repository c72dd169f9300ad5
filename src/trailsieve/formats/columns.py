"""Lines in columns that fit a terminal: which columns there are, how wide, and what a cell shows."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from trailsieve import arn
from trailsieve.errors import cells, visible

GAP = "  "
_MORE = re.compile(r" and ([\d,]+) more$")
_ZERO_WIDTH = 4  # characters that a cell may have for each of its cells on the terminal


def whole(text: str, width: int) -> str:
    """The text as it is, with control characters made visible: identifiers are never cut."""
    return visible(text)


def head(text: str, width: int) -> str:
    """The text, of which at most `width` cells are shown, before an ellipsis."""
    shown = visible(text[: width * _ZERO_WIDTH])
    return shown if cells(shown) <= width and len(text) <= len(shown) else _first(shown, width - 1) + "…"


def middle(text: str, width: int) -> str:
    """The text, of which at most `width` cells are shown, around an ellipsis."""
    if len(text) <= width and cells(text) <= width:
        return visible(text)
    end = width // 2
    back = _first(visible(text[-end * _ZERO_WIDTH :])[::-1], end)[::-1] if end else ""
    return f"{_first(visible(text[: width * _ZERO_WIDTH]), width - 1 - end)}…{back}"


def principal(text: str, width: int) -> str:
    """A caller: an ARN as `111122223333:user/mia`, `user/mia`, `mia` or the ends of the name."""
    parts = arn.parse(text)
    if not parts.resource:
        return middle(text, width)
    for shown in (f"{parts.account}:{parts.resource}", parts.resource):
        if len(shown) <= width:
            return head(shown, width)
    return middle(parts.resource.partition("/")[2] or parts.resource, width)


def names(text: str, width: int) -> str:
    """Names with commas between them; where there is no room for all, the first and how many more: `a +2`."""
    if len(text) <= width and cells(text) <= width:
        return visible(text)
    uncounted = _MORE.search(text)
    first, *others = _MORE.sub("", text).split(", ")
    more = len(others) + (int(uncounted[1].replace(",", "")) if uncounted else 0)
    count = f" +{more:,}" if more else ""
    if len(count) >= width:
        return middle(first, width)
    return middle(first, width - len(count)) + count


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        least: cells without which it is left out.
        enough: cells that it gets before columns of a higher rank get any, if more than `least`.
        wished: cells that it takes where there is room.
        rank: columns of a higher rank are left out first; those of rank 0 never are.
        fit: makes a text fit into a number of cells.
    """

    title: str
    least: int
    wished: int
    rank: int = 0
    fit: Callable[[str, int], str] = head
    right: bool = False
    enough: int = 0


class Layout:
    """Columns on lines of at most `width` cells; without a width every column has what it wishes.

    Attributes:
        widths: the cells of each column; 0 for one that is left out.
    """

    def __init__(self, columns: Sequence[Column], width: int | None = None) -> None:
        self._columns = columns
        limit = sys.maxsize if width is None else width
        self.widths = self._kept(limit)
        self._share(limit)
        self._total = self._used() if width is None else width

    def header(self) -> str:
        """The titles."""
        return self.line([column.title for column in self._columns])

    def line(self, texts: Sequence[str], paint: Callable[[int, str], str] = lambda n, cell: cell) -> str:
        """One line of the table.

        Args:
            texts: of each column; with fewer texts the last one takes the rest of the line.
            paint: adds colour to the cell of a column.
        """
        shown = []
        room = self._total
        rest = len(texts) - 1 if len(texts) < len(self._columns) else None
        for n, (text, column, width) in enumerate(zip(texts, self._columns, self.widths, strict=False)):
            if width and room > 0:
                wide = room if n == rest else min(width, room)
                cell = column.fit(text, wide)
                taken = cells(cell)
                blanks = " " * (wide - taken)
                shown.append(paint(n, blanks + cell if column.right else cell + blanks))
                room -= max(wide, taken) + len(GAP)
        return GAP.join(shown).rstrip()

    def _kept(self, limit: int) -> list[int]:
        """The least widths of the columns that fit, the most important ones first."""
        widths = [0] * len(self._columns)
        used, last = 0, None
        for n, column in sorted(enumerate(self._columns), key=lambda item: item[1].rank):
            if used + column.least > limit and column.rank:
                break
            if last is not None:
                widths[last] = max(widths[last], self._columns[last].enough)
            widths[n], last = column.least, n
            used += max(column.least, column.enough) + len(GAP)
        return widths

    def _share(self, limit: int) -> None:
        """Gives the cells that are left to the columns that wish for more, one at a time."""
        left = limit - self._used()
        for goals in ([c.enough for c in self._columns], [c.wished for c in self._columns]):
            while growing := [n for n, width in enumerate(self.widths) if 0 < width < goals[n]]:
                for n in growing[: max(0, left)]:
                    self.widths[n] += 1
                if left <= len(growing):
                    return
                left -= len(growing)

    def _used(self) -> int:
        return sum(self.widths) + len(GAP) * (sum(width > 0 for width in self.widths) - 1)


def _first(text: str, width: int) -> str:
    """As many characters of the text as fit into `width` cells."""
    if text.isascii():
        return text[:width]
    used = accumulate(cells(character) for character in text)
    return text[: sum(1 for _ in takewhile(lambda taken: taken <= width, used))]
