"""CSV (RFC 4180) in UTF-8, which a spreadsheet may open: no cell is a formula.

A cell that begins with a character that starts a formula gets an apostrophe before it, as OWASP advises
(owasp.org/www-community/attacks/CSV_Injection). Control and direction
characters are made visible, so that each row is a line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from trailsieve.errors import visible
from trailsieve.formats.named_columns import OF_ALERTS, NamedColumn, Row, named_columns
from trailsieve.model import Alert

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Csv:
    """Alerts as rows of these columns."""

    def __init__(self, columns: Sequence[NamedColumn]) -> None:
        self._columns = columns

    def header(self) -> bytes:
        """The names of the columns."""
        return _row(column.name for column in self._columns)

    def encode(self, alert: Alert) -> bytes:
        """One row, without the line feed of its line end."""
        row = Row(alert)
        return _row(column.text(row) for column in self._columns)


def encode(alert: Alert) -> bytes:
    """One row of the usual columns, without the line feed of its line end."""
    return Csv(named_columns(OF_ALERTS)).encode(alert)


def _row(texts: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r").writerow(map(_safe, texts))
    return line.getvalue().encode("utf-8", "replace")


def _safe(text: str) -> str:
    return f"'{visible(text)}" if text.startswith(_FORMULA) else visible(text)
