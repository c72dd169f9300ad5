"""Alerts on standard output, as JSON lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from msgspec import Struct

from trailsieve.errors import SinkError
from trailsieve.formats import native
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.sinks.stream import StreamSink


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Standard output has no settings."""


class StdoutSink(StreamSink):
    """A service ends when nobody reads its output, so that a supervisor starts both again."""

    def deliver(self, alerts: Sequence[Alert]) -> None:
        try:
            super().deliver(alerts)
        except OSError as error:
            why = "its reader has ended" if isinstance(error, BrokenPipeError) else error.strerror or error
            raise SinkError(f"standard output cannot be written: {why}") from None


def open_sink(config: Config, context: RunContext) -> StdoutSink:
    """Standard output as a sink."""
    return StdoutSink(sys.stdout.buffer, native.encode)
