"""One growing file: its lines, and how to continue in it after a restart."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from trailsieve.model import Message, Position
from trailsieve.sources.line_reader import Line, LineReader, too_big

_PIECE = 2**20  # bytes per read
_TAIL = 64  # bytes before the position that must be unchanged after a restart


def shard_of(path: Path, inode: int) -> str:
    """The name of a file in positions: its folder and inode, which do not change on rotation."""
    return f"{path.parent}#{inode}"


class GrowingFile:
    """A file that is kept open, so that it can be read to its end after it is renamed or removed.

    Attributes:
        path: where it is, as far as is known.
        missing_since: the time since when another file, or none, is at its path; 0 while it is there.
    """

    def __init__(self, path: Path, shard: str, limit: int, info: Callable[[str], None]) -> None:
        self.path = path
        self.shard = shard
        self.missing_since = 0.0
        self._limit = limit
        self._info = info
        self._file = path.open("rb", buffering=0)
        self._lines = LineReader(limit)
        self._next = 0  # the next byte to read
        self._line_start = 0  # the byte after the last complete line
        self._start, self._seen = 0, b""  # the last bytes read, and where they start

    def resume(self, offset: str) -> None:
        """Continues from the offset of a position, or from the beginning if the file is not the same."""
        position = offset.partition(":")[0]
        self._seek(int(position) if position.isdigit() else 0)
        if self.offset != offset:
            self._info(f"{self.path} was replaced or truncated; reading from its beginning")
            self._seek(0)

    def to_end(self) -> str:
        """Skips to the end of the last complete line; returns its offset."""
        end = os.fstat(self._file.fileno()).st_size
        while end:
            start = max(0, end - _PIECE)
            newline = self._bytes(start, end).rfind(b"\n")
            end = start if newline < 0 else start + newline + 1
            if newline >= 0:
                break
        self._seek(end)
        return self.offset

    def read(self) -> list[Message]:
        """The next lines, up to about a mebibyte of them. Does not block."""
        if self.at_end:
            return []
        start = max(0, self._next - _TAIL)
        piece = self._bytes(start, self._next + _PIECE)
        known = self._next - start
        if len(piece) <= known or piece[:known] != self._seen[-_TAIL:]:
            self._info(f"{self.path} was truncated; reading from its beginning")
            self._seek(0)
            return []
        self._start, self._seen = start, piece
        self._next = start + len(piece)
        messages = self._messages(self._lines.feed(piece[known:]))
        self._start, self._seen = self._next - len(piece[-_TAIL:]), piece[-_TAIL:]
        return messages

    @property
    def at_end(self) -> bool:
        """Whether everything in the file has been read."""
        return os.fstat(self._file.fileno()).st_size == self._next

    def rest(self) -> list[Message]:
        """The incomplete last line of a file that no longer grows, if there is one."""
        return self._messages(self._lines.rest())

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _messages(self, lines: Iterable[Line]) -> list[Message]:
        messages = []
        for line in lines:
            name = f"{self.path}@{self._line_start}"
            self._line_start += line.size
            if line.text.strip() or line.too_big:
                problem = too_big(self._limit) if line.too_big else ""
                messages.append(Message(line.text, Position(self.shard, self.offset), name, problem=problem))
        return messages

    def _seek(self, position: int) -> None:
        self._next = self._line_start = position
        self._start = max(0, position - _TAIL)
        self._seen = self._bytes(self._start, position)
        self._lines = LineReader(self._limit)

    def _bytes(self, start: int, end: int) -> bytes:
        return os.pread(self._file.fileno(), end - start, start)

    @property
    def offset(self) -> str:
        """The byte after the last line, and a checksum of the bytes before it."""
        end = self._line_start - self._start
        return f"{self._line_start}:{zlib.crc32(self._seen[max(0, end - _TAIL) : end]):08x}"
