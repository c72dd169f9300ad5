"""Where `replay` prints its alerts: the stream, the format and the order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import BinaryIO

import click

from trailsieve import private_file
from trailsieve.cli.enrichment import beside
from trailsieve.cli.options import SEVERITY_STYLES, Screen, line_width, terminal_width
from trailsieve.engine.time_order import TimeOrder
from trailsieve.errors import SourceError, UsageError, visible
from trailsieve.formats import encoder
from trailsieve.formats.csv import Csv
from trailsieve.formats.named_columns import OF_ALERTS, ColumnTable, FittedTable, NamedColumn, named_columns
from trailsieve.formats.table import AlertTable
from trailsieve.model import Alert, Severity
from trailsieve.sinks.stream import StreamSink

_NEWLINE = b"\n"
_TABLE = ("time", "severity", "rule", "event", "target", "principal", "ip", "error")
_PRINTABLE = ("cef", "leef")  # they replace control characters, and tabs separate fields
_ELSEWHERE = 190  # cells of a line that no terminal limits


class _TerminalSink(StreamSink):
    """Writes lines above a progress bar."""

    def __init__(self, shown: Screen, stream: BinaryIO, encode: Callable[[Alert], bytes]) -> None:
        super().__init__(stream, encode)
        self._screen = shown

    def deliver(self, alerts: Sequence[Alert]) -> None:
        with self._screen.above():
            super().deliver(alerts)


class TimeOrderedSink(StreamSink):
    """Writes `encode(alert)` and a newline per alert, all at the end and in the order of their times."""

    def __init__(self, stream: BinaryIO, encode: Callable[[Alert], bytes]) -> None:
        super().__init__(stream, encode)
        self._order = TimeOrder()

    def __enter__(self) -> TimeOrderedSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes the alerts, also those that were found before a source failed."""
        with self._order:
            if kind is None or issubclass(kind, SourceError):
                self._write()
                self._stream.flush()

    def _write(self) -> None:
        self._stream.writelines(line + _NEWLINE for line in self._order)

    def deliver(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self._order.add(alert.time, self._encode(alert))


columns_option = click.option(
    "--columns",
    metavar="LIST",
    help="Columns of a table or CSV, with commas between them: names such as time,event,target,ip, or "
    "$.path of any field of the record.",
)


@dataclass(frozen=True, slots=True)
class Output:
    """What is printed where.

    Attributes:
        path: the file, or None for standard output.
        form: a format; by default a table on a terminal, else JSON lines, or CSV if there are columns.
        order: "time" or "file"; by default a table is in the order of time.
        columns: the names of those of a table or CSV; None for the usual ones.
        known: further columns by name: of what other files know of addresses and accounts.
    """

    path: str | None
    form: str | None
    order: str | None
    columns: str | None = None
    known: Mapping[str, NamedColumn] = field(default_factory=dict)

    def open(self, stack: ExitStack) -> tuple[BinaryIO, str]:
        """The stream, which `stack` closes if it is a file, and the format.

        Raises:
            UsageError: the format has no columns to choose.
        """
        chosen = self.columns or self.known
        if chosen and self.form not in (None, "csv", "table"):
            option = "--columns chooses" if self.columns else "--geoip and --account-names add to"
            raise UsageError(f"{option} the columns of a table or of CSV; --format {self.form} has none")
        stream: BinaryIO = sys.stdout.buffer
        if self.path:
            stream = open(self.path, "wb", opener=private_file.opener)  # noqa: SIM115
            stack.callback(stream.close)
        return stream, self.form or ("table" if stream.isatty() else "csv" if chosen else "jsonl")

    def columns_of(
        self, usual: Iterable[str], more: Mapping[str, NamedColumn] | None = None
    ) -> list[NamedColumn]:
        """The chosen columns; by default the usual ones, each with what is known beside it.

        Args:
            more: columns that stand for those of the same name.

        Raises:
            UsageError: there is no such column.
        """
        names = self.columns.split(",") if self.columns else beside(usual, self.known)
        return named_columns(names, {**(more or {}), **self.known})

    def table(
        self,
        columns: Sequence[NamedColumn],
        stream: BinaryIO,
        paint: Callable[[Severity, str], str] = lambda severity, text: text,
    ) -> ColumnTable:
        """A table of these columns, as wide as the terminal."""
        return ColumnTable(columns, _width(stream), paint, chosen=bool(self.columns))

    def fitted_table(self, columns: Sequence[NamedColumn], stream: BinaryIO) -> FittedTable:
        """A table of these columns, each as wide as it needs; nothing is cut but for a terminal's width."""
        return FittedTable(columns, line_width(stream), chosen=bool(self.columns))

    def sink(
        self,
        stream: BinaryIO,
        encode: Callable[[Alert], bytes],
        shown: Screen,
        stack: ExitStack,
        *,
        in_time: bool,
    ) -> StreamSink:
        """A sink that prints in the order that was asked for, else by time where `in_time` says so."""
        if (self.order or ("time" if in_time else "file")) == "file":
            return _TerminalSink(shown, stream, encode) if stream.isatty() else StreamSink(stream, encode)
        return stack.enter_context(TimeOrderedSink(stream, encode))


class FittedTableSink(TimeOrderedSink):
    """Writes a table by time, whose columns are as wide as what they show."""

    def __init__(self, stream: BinaryIO, table: FittedTable) -> None:
        super().__init__(stream, table.encode)
        self._table = table

    def _write(self) -> None:
        self._stream.write(self._table.header() + _NEWLINE)
        self._stream.writelines(self._table.line(row) + _NEWLINE for row in self._order)


def open_output(output: Output, ids: Iterable[str], shown: Screen, stack: ExitStack) -> StreamSink:
    """Returns a sink for alerts; `stack` completes and closes it.

    Args:
        ids: the ids of the rules.
    """
    output.columns_of(OF_ALERTS)  # a mistake is found before a file is opened
    stream, form = output.open(stack)
    if form == "csv":
        encode = with_header(Csv(output.columns_of(OF_ALERTS)), stream)
    elif form == "table" and (output.columns or output.known):
        table = output.table(output.columns_of(_TABLE), stream, _painter(stream, shown))
        encode = with_header(table, stream)
    elif form == "table":
        encode = with_header(AlertTable(_width(stream), ids, _painter(stream, shown)), stream)
    else:
        encode = encoder(form)
        if stream.isatty() and form not in _PRINTABLE:
            encode = partial(_for_a_terminal, encode)
    return output.sink(stream, encode, shown, stack, in_time=form == "table")


def with_header(rows: Csv | ColumnTable | AlertTable, stream: BinaryIO) -> Callable[[Alert], bytes]:
    """Writes the header of rows; returns what makes one of an alert."""
    stream.write(rows.header() + _NEWLINE)
    return rows.encode


def _for_a_terminal(encode: Callable[[Alert], bytes], alert: Alert) -> bytes:
    return visible(encode(alert).decode("utf-8", "replace")).encode("utf-8", "replace")


def _width(stream: BinaryIO) -> int:
    return terminal_width(stream) or _ELSEWHERE


def _painter(stream: BinaryIO, shown: Screen) -> Callable[[Severity, str], str]:
    colored = shown.colored(stream)

    def paint(severity: Severity, text: str) -> str:
        return click.style(text, **SEVERITY_STYLES[severity]) if colored else text

    return paint
