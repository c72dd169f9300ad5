"""Alerts on a byte stream, one per line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

from trailsieve.model import Alert


class StreamSink:
    """Writes `encode(alert)` and a newline per alert, and flushes after each delivery."""

    overwrites = False

    def __init__(self, stream: BinaryIO, encode: Callable[[Alert], bytes]) -> None:
        self._stream = stream
        self._encode = encode

    def deliver(self, alerts: Sequence[Alert]) -> None:
        if alerts:
            self._stream.write(b"".join(self._encode(alert) + b"\n" for alert in alerts))
            self._stream.flush()

    def check(self) -> str:
        return "takes alerts"

    def close(self) -> None:
        """Leaves the stream open: it belongs to the caller."""
