"""Splits a stream of bytes into lines of limited length."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


class Line(Struct, frozen=True):
    """A line without its line break.

    Attributes:
        size: its bytes in the stream, including the line break.
        too_big: whether it is longer than the limit; its text is then empty.
    """

    text: bytes
    size: int
    too_big: bool


class LineReader:
    """Buffers bytes until a line is complete.

    Args:
        limit: the most bytes in a line; the content of a longer one is discarded.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._dropped = 0

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that `data` completes."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._rest += part
            yield self._line(1)
        self._rest += rest
        if len(self._rest) > self._limit:
            self._dropped += len(self._rest)
            self._rest.clear()

    def rest(self) -> Iterator[Line]:
        """The incomplete line at the end of the stream, if there is one."""
        if self._rest or self._dropped:
            yield self._line(0)

    def _line(self, end: int) -> Line:
        text, size = bytes(self._rest), self._dropped + len(self._rest) + end
        too_big = size - end > self._limit
        self._rest.clear()
        self._dropped = 0
        return Line(b"" if too_big else text.removesuffix(b"\r"), size, too_big)


def too_big(limit: int) -> str:
    """The problem to report for a line of more than `limit` bytes."""
    return f"too big: a line of more than {limit:,} bytes; raise max_object_size"
