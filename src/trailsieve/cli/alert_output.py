"""Where `replay` prints its alerts: the stream, the format and the order."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import BinaryIO

from trailsieve import private_file
from trailsieve.engine.time_order import TimeOrder
from trailsieve.errors import SourceError
from trailsieve.formats import encoder, table
from trailsieve.model import Alert
from trailsieve.sinks.stream import StreamSink

_NEWLINE = b"\n"


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


def open_output(path: str | None, form: str | None, order: str | None, stack: ExitStack) -> StreamSink:
    """Returns a sink that writes to a file or standard output; `stack` completes and closes it.

    Args:
        form: a format; by default a table on a terminal and JSON lines elsewhere.
        order: "time" or "file"; by default a table is in the order of time.
    """
    stream: BinaryIO = sys.stdout.buffer
    if path:
        stream = open(path, "wb", opener=private_file.opener)  # noqa: SIM115
        stack.callback(stream.close)
    form = form or ("table" if stream.isatty() else "jsonl")
    encode = encoder(form)
    if form == "table":
        widths = table.column_widths(shutil.get_terminal_size().columns) if stream.isatty() else table.WIDTHS
        stream.write(table.header(widths) + _NEWLINE)
        encode = partial(table.encode, widths=widths)
    if (order or ("time" if form == "table" else "file")) == "file":
        return StreamSink(stream, encode)
    return stack.enter_context(TimeOrderedSink(stream, encode))
