"""Sorts what a run prints by event time, in little memory: what does not fit waits in a temporary file."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from io import BufferedReader, RawIOBase
from operator import itemgetter
from types import TracebackType
from typing import IO, Any

from trailsieve.errors import TemporaryFileError
from trailsieve.times import iso_time

MEMORY = 32 * 2**20  # bytes of lines that are sorted in memory
_ENTRY_BYTES = 120  # of the Python objects around a line
_READ_BYTES = (2**12, 2**18)  # at a time from each sorted run: at least, at most
_HEADER = struct.Struct("<qI")  # time and length of a line in the temporary file
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NO_TIME = 2**63 - 1

_Entry = tuple[int, bytes]
_time = itemgetter(0)


class TimeOrder:
    """Lines in the order of their event times; those of the same time in the order in which they were added.

    A line without a valid time comes last. The temporary file has no name, so nothing remains of it however
    the process ends, and nobody else can open it.

    Args:
        memory: bytes of lines to keep in memory.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._memory = memory
        self._entries: list[_Entry] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        self._ends = [0]  # of the sorted runs in the file

    def __enter__(self) -> TimeOrder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, time: object, line: bytes) -> None:
        """Adds a line with its event time in ISO 8601; any other value counts as no time.

        Raises:
            TemporaryFileError: the temporary file cannot be written.
        """
        self._entries.append((_microseconds(time) if time.__class__ is str else _NO_TIME, line))
        self._size += len(line) + _ENTRY_BYTES
        if self._size >= self._memory:
            self._spill()

    def __iter__(self) -> Iterator[bytes]:
        """Yields every line that was added so far, in order.

        Raises:
            TemporaryFileError: the temporary file cannot be read.
        """
        self._entries.sort(key=_time)
        runs = [self._run(start, end) for start, end in zip(self._ends, self._ends[1:], strict=False)]
        # Lines of equal time: `merge` takes those of an earlier run first.
        return (line for _, line in merge(*runs, self._entries, key=_time))

    def close(self) -> None:
        """Drops the lines and the temporary file."""
        self._entries.clear()
        if self._file:
            self._file.close()

    def _spill(self) -> None:
        """Writes the lines in memory as one more sorted run."""
        import tempfile  # few runs have more alerts than fit in memory

        self._entries.sort(key=_time)
        try:
            file = self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115
            for time, line in self._entries:
                file.write(_HEADER.pack(time, len(line)))
                file.write(line)
            file.flush()
            self._ends.append(file.tell())
        except OSError as error:
            raise _failure(error) from None
        self._entries.clear()
        self._size = 0

    def _run(self, start: int, end: int) -> Iterator[_Entry]:
        """Reads a sorted run, in pieces that are smaller the more runs there are."""
        assert self._file
        size = max(_READ_BYTES[0], min(_READ_BYTES[1], self._memory // len(self._ends)))
        section = BufferedReader(_Section(self._file.fileno(), start, end), size)
        try:
            while header := section.read(_HEADER.size):
                time, length = _HEADER.unpack(header)
                yield time, section.read(length)
        except OSError as error:
            raise _failure(error) from None


class _Section(RawIOBase):
    """A part of a file, read without moving the place at which others read it."""

    def __init__(self, descriptor: int, start: int, end: int) -> None:
        self._descriptor = descriptor
        self._place = start
        self._end = end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = os.pread(self._descriptor, min(len(buffer), self._end - self._place), self._place)
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)


def _failure(error: OSError) -> TemporaryFileError:
    import tempfile

    return TemporaryFileError(
        f"the time order needs a temporary file in {tempfile.gettempdir()}: {error.strerror or error}; "
        "set TMPDIR to a folder with more room, or use --order file"
    )


def _microseconds(text: str) -> int:
    time = iso_time(text)
    return _NO_TIME if time is None else (time - _EPOCH) // _MICROSECOND
