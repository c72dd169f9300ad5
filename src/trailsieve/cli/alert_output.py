"""Where `replay` prints its alerts: the stream, the format and the order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Any, BinaryIO

import click

from trailsieve import private_file
from trailsieve.cli.options import Screen, terminal_width
from trailsieve.engine.time_order import TimeOrder
from trailsieve.errors import SourceError
from trailsieve.formats import encoder
from trailsieve.formats.table import AlertTable
from trailsieve.model import Alert, Severity
from trailsieve.sinks.stream import StreamSink

_NEWLINE = b"\n"
_ELSEWHERE = 190  # cells of a line that no terminal limits
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


def open_output(
    path: str | None,
    form: str | None,
    order: str | None,
    ids: Iterable[str],
    shown: Screen,
    stack: ExitStack,
) -> StreamSink:
    """Returns a sink that writes to a file or standard output; `stack` completes and closes it.

    Args:
        form: a format; by default a table on a terminal and JSON lines elsewhere.
        order: "time" or "file"; by default a table is in the order of time.
        ids: the ids of the rules.
    """
    stream: BinaryIO = sys.stdout.buffer
    if path:
        stream = open(path, "wb", opener=private_file.opener)  # noqa: SIM115
        stack.callback(stream.close)
    form = form or ("table" if stream.isatty() else "jsonl")
    at_once = partial(_TerminalSink, shown) if stream.isatty() else StreamSink
    encode = _table(stream, ids, shown) if form == "table" else encoder(form)
    if (order or ("time" if form == "table" else "file")) == "file":
        return at_once(stream, encode)
    return stack.enter_context(TimeOrderedSink(stream, encode))


def _table(stream: BinaryIO, ids: Iterable[str], shown: Screen) -> Callable[[Alert], bytes]:
    """Writes the header of a table; returns what makes its lines."""
    colored = shown.colored(stream)

    def paint(severity: Severity, text: str) -> str:
        return click.style(text, **_STYLES[severity]) if colored else text

    table = AlertTable(terminal_width(stream) or _ELSEWHERE, ids, paint)
    stream.write(table.header() + _NEWLINE)
    return table.encode
