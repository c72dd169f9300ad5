"""Lines out of pieces as they come, each at most so long."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


class Line(Struct, frozen=True):
    """A line without its end.

    Attributes:
        size: bytes that it took, its end included.
        too_big: whether it was longer than allowed; its text is then left out.
    """

    text: bytes
    size: int
    too_big: bool


class Lines:
    """Holds what comes until a line's end comes.

    Args:
        limit: bytes of one line at most; what is longer is not held.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._dropped = 0

    def feed(self, data: bytes) -> Iterator[Line]:
        """The lines that end in `data`."""
        *ended, rest = data.split(b"\n")
        for part in ended:
            self._rest += part
            yield self._line(1)
        self._rest += rest
        if len(self._rest) > self._limit:
            self._dropped += len(self._rest)
            self._rest.clear()

    def last(self) -> Iterator[Line]:
        """What stands behind the last line's end."""
        if self._rest or self._dropped:
            yield self._line(0)

    def _line(self, end: int) -> Line:
        text, size = bytes(self._rest), self._dropped + len(self._rest) + end
        too_big = size - end > self._limit
        self._rest.clear()
        self._dropped = 0
        return Line(b"" if too_big else text.removesuffix(b"\r"), size, too_big)


def too_big(limit: int) -> str:
    """The problem of a line that is too long."""
    return f"too big: a line of more than {limit:,} bytes; raise max_object_size"
