"""Where `replay` prints its alerts: the stream, the format and the order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO

import click

from trailsieve import private_file
from trailsieve.cli.options import Screen, terminal_width
from trailsieve.engine.time_order import TimeOrder
from trailsieve.errors import SourceError, UsageError
from trailsieve.formats import encoder
from trailsieve.formats.csv import Csv
from trailsieve.formats.named_columns import OF_ALERTS, ColumnTable, NamedColumn, named_columns
from trailsieve.formats.table import AlertTable
from trailsieve.model import Alert, Severity
from trailsieve.sinks.stream import StreamSink

_NEWLINE = b"\n"
ELSEWHERE = 190  # cells of a line that no terminal limits
_STYLES: dict[Severity, dict[str, Any]] = {
    "informational": {"dim": True},
    "low": {"fg": "cyan"},
    "medium": {"fg": "yellow"},
    "high": {"fg": "red"},
    "critical": {"fg": "red", "bold": True, "reverse": True},
}


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
                self._stream.writelines(line + _NEWLINE for line in self._order)
                self._stream.flush()

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
        columns: those of a table or CSV; None for the usual ones.
    """

    path: str | None
    form: str | None
    order: str | None
    columns: Sequence[NamedColumn] | None = None

    def open(self, stack: ExitStack) -> tuple[BinaryIO, str]:
        """The stream, which `stack` closes if it is a file, and the format.

        Raises:
            UsageError: the format has no columns to choose.
        """
        if self.columns and self.form not in (None, "csv", "table"):
            raise UsageError(
                f"--columns chooses the columns of a table or of CSV; --format {self.form} has none"
            )
        stream: BinaryIO = sys.stdout.buffer
        if self.path:
            stream = open(self.path, "wb", opener=private_file.opener)  # noqa: SIM115
            stack.callback(stream.close)
        return stream, self.form or ("table" if stream.isatty() else "csv" if self.columns else "jsonl")

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


def open_output(output: Output, ids: Iterable[str], shown: Screen, stack: ExitStack) -> StreamSink:
    """Returns a sink for alerts; `stack` completes and closes it.

    Args:
        ids: the ids of the rules.
    """
    stream, form = output.open(stack)
    if form == "csv":
        encode = with_header(Csv(output.columns or named_columns(OF_ALERTS)), stream)
    elif form == "table" and output.columns:
        encode = with_header(ColumnTable(output.columns, terminal_width(stream) or ELSEWHERE), stream)
    elif form == "table":
        encode = with_header(_table(stream, ids, shown), stream)
    else:
        encode = encoder(form)
    return output.sink(stream, encode, shown, stack, in_time=form == "table")


def with_header(rows: Csv | ColumnTable | AlertTable, stream: BinaryIO) -> Callable[[Alert], bytes]:
    """Writes the header of rows; returns what makes one of an alert."""
    stream.write(rows.header() + _NEWLINE)
    return rows.encode


def _table(stream: BinaryIO, ids: Iterable[str], shown: Screen) -> AlertTable:
    colored = shown.colored(stream)

    def paint(severity: Severity, text: str) -> str:
        return click.style(text, **_STYLES[severity]) if colored else text

    return AlertTable(terminal_width(stream) or ELSEWHERE, ids, paint)
