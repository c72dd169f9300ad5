"""One growing file: its lines, and how to go on in it after a restart."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from trailsieve.model import Message, Position
from trailsieve.sources.line_reader import Line, Lines, too_big

_PIECE = 2**20  # bytes of one read
_TAIL = 64  # bytes before the position that must be the same after a restart


def shard_of(path: Path, inode: int) -> str:
    """A file's name in positions: its folder and inode, which a rotation within the folder leaves alone."""
    return f"{path.parent}#{inode}"


class Followed:
    """A file that is held open, so that it can be read to its end when its name is gone.

    Attributes:
        path: where it stands, as far as is known.
        left: the time at which another file, or none, was found in its place; 0 while it is there.
    """

    def __init__(self, path: Path, shard: str, limit: int, say: Callable[[str], None]) -> None:
        self.path = path
        self.shard = shard
        self.left = 0.0
        self._limit = limit
        self._say = say
        self._file = path.open("rb", buffering=0)
        self._lines = Lines(limit)
        self._at = 0  # the next byte to read
        self._done = 0  # the byte behind the last line
        self._start, self._seen = 0, b""  # the last bytes that were read, and where they begin

    def resume(self, offset: str) -> None:
        """Goes on from the offset of a position, when the file is still the same."""
        place = offset.partition(":")[0]
        self._go_to(int(place) if place.isdigit() else 0)
        if self.offset != offset:
            self._say(f"{self.path} is another file than before, or was truncated: read from its beginning")
            self._go_to(0)

    def to_end(self) -> str:
        """Goes on behind the last line that is there; returns the offset."""
        end = os.fstat(self._file.fileno()).st_size
        while end:
            start = max(0, end - _PIECE)
            newline = self._bytes(start, end).rfind(b"\n")
            end = start if newline < 0 else start + newline + 1
            if newline >= 0:
                break
        self._go_to(end)
        return self.offset

    def read(self) -> list[Message]:
        """The lines that came, some at a time."""
        if self.read_to_end:
            return []
        start = max(0, self._at - _TAIL)
        piece = self._bytes(start, self._at + _PIECE)
        known = self._at - start
        if len(piece) <= known or piece[:known] != self._seen[-_TAIL:]:
            self._say(f"{self.path} was truncated: read from its beginning")
            self._go_to(0)
            return []
        self._start, self._seen = start, piece
        self._at = start + len(piece)
        messages = self._messages(self._lines.feed(piece[known:]))
        self._start, self._seen = self._at - len(piece[-_TAIL:]), piece[-_TAIL:]
        return messages

    @property
    def read_to_end(self) -> bool:
        """Whether there is nothing to read now."""
        return os.fstat(self._file.fileno()).st_size == self._at

    def last(self) -> list[Message]:
        """What stands behind the last line's end, of a file that will not grow."""
        return self._messages(self._lines.last())

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _messages(self, lines: Iterable[Line]) -> list[Message]:
        messages = []
        for line in lines:
            name = f"{self.path}@{self._done}"
            self._done += line.size
            if line.text.strip() or line.too_big:
                problem = too_big(self._limit) if line.too_big else ""
                messages.append(Message(line.text, Position(self.shard, self.offset), name, problem=problem))
        return messages

    def _go_to(self, place: int) -> None:
        self._at = self._done = place
        self._start = max(0, place - _TAIL)
        self._seen = self._bytes(self._start, place)
        self._lines = Lines(self._limit)

    def _bytes(self, start: int, end: int) -> bytes:
        return os.pread(self._file.fileno(), end - start, start)

    @property
    def offset(self) -> str:
        """The byte behind the last line, and a checksum of what stands before it."""
        end = self._done - self._start
        return f"{self._done}:{zlib.crc32(self._seen[max(0, end - _TAIL) : end]):08x}"
