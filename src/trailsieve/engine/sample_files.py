"""Files of samples beside the checkpoint: written once, from front to end, and removed when all has expired.

The database says what counts of them, and where it is: what a crash left behind it is never read. Samples are
too many to be written twice, as a database with a log does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

SEGMENT_BYTES = 64 * 2**20  # from which on the next file begins


@dataclass(slots=True)
class SampleFiles:
    """The files `<path>-samples-<number>`. One process at a time may use them.

    Raises:
        OSError: from every method: the files cannot be read or written.
    """

    path: Path
    _number: int = 0
    _file: BinaryIO | None = None
    _unsynced: bool = False
    _segments: set[int] = field(default_factory=set)

    def open(self, used: set[int]) -> None:
        """Removes the files that the database does not use, and goes on in a new one."""
        for number in self._found() - used:
            self._path(number).unlink()
        self._segments = self._found()
        self._number = max(self._segments, default=0)

    def append(self, data: bytes) -> tuple[int, int]:
        """Writes data; returns the number of its file and the byte at which it begins."""
        if self._file is None or self._file.tell() >= SEGMENT_BYTES:
            self._begin()
        assert self._file
        place = self._file.tell()
        self._file.write(data)
        self._unsynced = True
        return self._number, place

    def sync(self) -> None:
        """Returns once all that was appended survives the loss of power."""
        if self._file and self._unsynced:
            self._file.flush()
            os.fdatasync(self._file.fileno())
            self._unsynced = False

    def read(self, number: int, place: int, size: int) -> bytes:
        """The data at a place."""
        with self._path(number).open("rb") as file:
            file.seek(place)
            return file.read(size)

    def keep(self, used: set[int]) -> None:
        """Removes the files that are not used any more."""
        for number in self._segments - used - {self._number}:
            self._path(number).unlink(missing_ok=True)
            self._segments.discard(number)

    def close(self) -> None:
        """Closes the file that is written to."""
        if self._file:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self.sync()
        self.close()
        self._number += 1
        descriptor = os.open(self._path(self._number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")
        self._segments.add(self._number)
        folder = os.open(self.path.parent, os.O_RDONLY)  # so that the file's name survives too
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _found(self) -> set[int]:
        names = self.path.parent.glob(f"{self.path.name}-samples-*")
        return {int(name.name.rpartition("-")[2]) for name in names}

    def _path(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}-samples-{number}")
