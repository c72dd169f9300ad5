"""Columns by name, for tables and CSV: fields of alerts, and `$.path` of their records."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from trailsieve import jsontext
from trailsieve.did_you_mean import did_you_mean
from trailsieve.errors import PatternError, UsageError, cells
from trailsieve.formats import alert_fields
from trailsieve.formats.columns import GAP, Column, Layout, middle, names, principal, whole
from trailsieve.formats.table import FAILED, event
from trailsieve.model import Alert, Severity
from trailsieve.pattern.nodes import Comparison, JsonPattern, Selector
from trailsieve.pattern.parser import parse
from trailsieve.pattern.runtime import selected

_TITLED = {"ip": "SOURCE", "source": "SERVICE"}


class Row:
    """An alert, and its first record decoded when a column asks for it."""

    def __init__(self, alert: Alert) -> None:
        self.alert = alert

    @cached_property
    def record(self) -> dict[str, Any]:
        """The first record; empty if there is none or it is not an object."""
        return (jsontext.decode_object(self.alert.records[0]) if self.alert.records else None) or {}

    def at(self, steps: Selector) -> str:
        """The values that a path leads to in the record, as text, with commas between them."""
        return ", ".join(map(_text, selected(self.record, steps.steps)))


Text = Callable[[Row], str]
_ROOMY = 110  # cells of a line on which names of events and ids go before the columns on the right
_ENOUGH = {"EVENT": 30, "TARGET": 24}
_WIDEST = 120  # cells of a column; a longer text moves the rest of its own line only


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """What a column is called, what its cells say, and how it stands in a table."""

    name: str
    text: Text
    column: Column


def _named(name: str, text: Text, cells: tuple[int, int], **more: Any) -> NamedColumn:
    return NamedColumn(name, text, Column(_TITLED.get(name, name.upper()), *cells, **more))


def _of(field: str) -> Text:
    return lambda row: _text(getattr(row.alert, field))


def path(text: str) -> NamedColumn:
    """The column of a path such as `$.requestParameters.userName`.

    Raises:
        UsageError: the text is not a path of the pattern language.
    """
    try:
        tree = parse(f"{{ {text} = * }}", limits=False)
    except PatternError as error:
        raise UsageError(
            f"--columns {text}: not a path such as $.requestParameters.userName: {error.message}"
        ) from None
    steps = (
        tree.expression.target
        if isinstance(tree, JsonPattern) and isinstance(tree.expression, Comparison)
        else None
    )
    if not isinstance(steps, Selector):
        raise UsageError(f"--columns {text}: not a path such as $.requestParameters.userName")
    return NamedColumn(text, lambda row: row.at(steps), Column(text, min(len(text), 24), 30, 9, middle))


_ACCESS_KEY = Selector(("userIdentity", "accessKeyId"))
_EVENT_ID = Selector(("eventID",))
_COLUMNS = {
    column.name: column
    for column in (
        _named("time", _of("time"), (20, 20)),
        _named("severity", _of("severity"), (8, 13), fit=whole),
        _named("rule", _of("rule"), (12, 24), rank=1, fit=middle),
        _named("title", _of("title"), (20, 40), rank=7),
        _named("event", _of("event_name"), (10, 30), rank=1, fit=event),
        _named("target", lambda row: alert_fields.target_names(row.alert), (10, 40), rank=2, fit=names),
        _named("effect", _of("effect"), (10, 50), rank=5),
        _named("principal", _of("principal"), (10, 44), rank=2, fit=principal),
        _named("access_key", lambda row: row.at(_ACCESS_KEY), (20, 20), rank=8),
        _named("ip", _of("source_ip"), (15, 16), rank=3),
        _named("agent", _of("user_agent"), (10, 40), rank=9),
        _named("region", _of("region"), (9, 14), rank=6),
        _named("account", _of("account"), (12, 12), rank=7),
        _named("error", _of("error_code"), (12, 40), rank=4),
        _named("source", _of("event_source"), (12, 30), rank=8),
        _named("count", _of("count"), (5, 8), rank=8, right=True),
        _named("kind", _of("kind"), (5, 5), rank=9),
        _named("state", _of("state"), (5, 17), rank=8),
        _named("summary", lambda row: alert_fields.summary(row.alert), (20, 100), rank=9),
        _named("tags", _of("tags"), (10, 40), rank=9),
        _named("references", _of("references"), (10, 40), rank=9),
        _named("position", _of("position"), (10, 60), rank=9, fit=middle),
        _named("event_id", lambda row: row.at(_EVENT_ID), (36, 36), rank=9),
        _named("id", _of("id"), (32, 36), rank=9),
    )
}
OF_ALERTS = (
    *("time", "severity", "rule", "title", "event", "target", "effect", "principal", "access_key"),
    *("ip", "agent", "region", "account", "error", "source", "count", "state", "summary", "id"),
)


def named_columns(names: Iterable[str], more: Mapping[str, NamedColumn] | None = None) -> list[NamedColumn]:
    """The columns of these names: those of an alert's fields, and paths that begin with `$.`.

    Args:
        more: further columns by name, which go before those of the same name.

    Raises:
        UsageError: there is no such column.
    """
    known = {**_COLUMNS, **(more or {})}
    found = []
    for name in names:
        if name.startswith("$"):
            found.append(path(name))
        elif name in known:
            found.append(known[name])
        else:
            hint = did_you_mean(name, known) or f"the columns are {', '.join(known)}"
            raise UsageError(f"--columns: no column {name!r}: {hint}; $.path shows any field of the record")
    return found


class ColumnTable:
    """Alerts in any columns, on lines of at most `width` cells.

    Args:
        paint: adds the colour of a severity to a text.
        chosen: whether somebody chose the columns: lines become longer rather than lose one.
    """

    def __init__(
        self,
        columns: Sequence[NamedColumn],
        width: int | None,
        paint: Callable[[Severity, str], str] = lambda severity, text: text,
        *,
        chosen: bool = True,
    ) -> None:
        self._columns = columns
        self._paint = paint
        shown = [each.column for each in columns]
        least = sum(column.least + len(GAP) for column in shown)
        self._layout = Layout(shown, width if width is None or not chosen else max(width, least))

    def header(self) -> bytes:
        """The titles of the columns."""
        return self._layout.header().encode("utf-8", "replace")

    def encode(self, alert: Alert) -> bytes:
        """One line; the sentence of an alarm stands for its event."""
        row = Row(alert)
        texts = [column.text(row) or _instead(column.name, alert) for column in self._columns]
        line = self._layout.line(texts, lambda n, cell: self._painted(n, alert, cell))
        return line.encode("utf-8", "replace")

    def _painted(self, number: int, alert: Alert, cell: str) -> str:
        return self._paint(alert.severity, cell) if self._columns[number].name == "severity" else cell


class FittedTable:
    """Alerts in columns that are as wide as what they show: `encode` each, then print the `line` of each.

    Args:
        width: of a line in cells; None cuts nothing.
        chosen: whether somebody chose the columns: lines become longer rather than lose one.
    """

    def __init__(self, columns: Sequence[NamedColumn], width: int | None, *, chosen: bool) -> None:
        self._columns = columns
        self._width = width
        self._chosen = chosen
        self._needs = [cells(each.column.title) for each in columns]

    def encode(self, alert: Alert) -> bytes:
        """The texts of a row, which wait until the widths are known."""
        row = Row(alert)
        texts = [column.text(row) or _instead(column.name, alert) for column in self._columns]
        shown = [
            f"{text}{FAILED}" if column.name == "event" and alert.error_code else text
            for column, text in zip(self._columns, texts, strict=True)
        ]
        self._needs = [
            max(need, cells(column.column.fit(text, _WIDEST)))
            for need, column, text in zip(self._needs, self._columns, shown, strict=True)
        ]
        return json.dumps([texts, shown]).encode()

    def header(self) -> bytes:
        """The titles of the columns, after the last row was encoded."""
        return self._layout.header().encode("utf-8", "replace")

    def line(self, row: bytes) -> bytes:
        """The line of an encoded row; a failed call has a mark where there is no room for its error."""
        texts, marked = json.loads(row)
        return self._layout.line(texts if self._shows_errors else marked).encode("utf-8", "replace")

    @cached_property
    def _layout(self) -> Layout:
        columns = [
            replace(each.column, least=min(each.column.least, need), wished=need)
            for each, need in zip(self._columns, self._needs, strict=True)
        ]
        if self._width is None:
            return Layout([replace(column, fit=_uncut(column)) for column in columns], sys.maxsize)
        if self._width >= _ROOMY:
            columns = [replace(each, enough=min(each.wished, _ENOUGH.get(each.title, 0))) for each in columns]
        least = sum(column.least + len(GAP) for column in columns)
        return Layout(columns, max(self._width, least) if self._chosen else self._width)

    @property
    def _shows_errors(self) -> bool:
        """Whether the column of errors is there, or nobody asked for it."""
        shown = zip(self._columns, self._layout.widths, strict=True)
        return all(width for column, width in shown if column.name == "error")


def _uncut(column: Column) -> Callable[[str, int], str]:
    return principal if column.fit is principal else whole


def _instead(name: str, alert: Alert) -> str:
    """What a table shows in an empty cell."""
    return alert_fields.summary(alert) if name == "event" and alert.kind == "alarm" else "-"


def _text(value: Any) -> str:
    """A JSON value as a cell: texts as they are, nothing for null, other values as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(value)
    return jsontext.encode(value)
