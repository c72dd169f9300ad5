"""Alerts on standard output, one JSON line each."""

from __future__ import annotations

import sys

from msgspec import Struct

from trailsieve.flow.context import Context
from trailsieve.flow.sinks.stream import StreamSink
from trailsieve.formats import native


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Standard output has no settings."""


def open_sink(config: Config, context: Context) -> StreamSink:
    """Standard output as a sink."""
    return StreamSink(sys.stdout.buffer, native.encode)
