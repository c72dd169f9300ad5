"""Alerts on standard output, as JSON lines."""

from __future__ import annotations

import sys

from msgspec import Struct

from trailsieve.formats import native
from trailsieve.ports import RunContext
from trailsieve.sinks.stream import StreamSink


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Standard output has no settings."""


def open_sink(config: Config, context: RunContext) -> StreamSink:
    """Standard output as a sink."""
    return StreamSink(sys.stdout.buffer, native.encode)
