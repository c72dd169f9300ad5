"""Files of samples beside the checkpoint: written once, from front to end, and removed when all has expired.

The database says what counts of them, and where it is: what a crash left behind it is never read. Samples are
too many to be written twice, as a database with a log does. What expires much later than the rest is in files
of its own, which would otherwise keep the rest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

SEGMENT_BYTES = 64 * 2**20  # from which on the next file begins


@dataclass(slots=True)
class _Segment:
    """A file that is written to."""

    number: int
    file: BinaryIO
    unsynced: bool = False

    def sync(self) -> None:
        if self.unsynced:
            self.file.flush()
            os.fdatasync(self.file.fileno())
            self.unsynced = False


@dataclass(slots=True)
class SampleFiles:
    """The files `<path>-samples-<number>`. One process at a time may use them.

    Raises:
        OSError: from every method: the files cannot be read or written.
    """

    path: Path
    _written: dict[int, _Segment] = field(default_factory=dict)  # by term
    _known: set[int] = field(default_factory=set)

    def open(self, used: set[int]) -> None:
        """Removes the files that the database does not use, and goes on in new ones."""
        found = self._found()
        for number in found - used:
            self._path(number).unlink()
        self._known = found & used

    def append(self, data: bytes, term: int = 0) -> tuple[int, int]:
        """Writes data; returns the number of its file and the byte at which it begins.

        Args:
            term: data of the same number expires at about the same time, and is in one file.
        """
        segment = self._written.get(term)
        if segment is None or segment.file.tell() >= SEGMENT_BYTES:
            segment = self._begin(term)
        place = segment.file.tell()
        segment.file.write(data)
        segment.unsynced = True
        return segment.number, place

    def sync(self) -> None:
        """Returns once all that was appended survives the loss of power."""
        for segment in self._written.values():
            segment.sync()

    def read(self, number: int, place: int, size: int) -> bytes:
        """The data at a place."""
        with self._path(number).open("rb") as file:
            file.seek(place)
            return file.read(size)

    def keep(self, used: set[int]) -> None:
        """Removes the files that are not used any more."""
        written = {segment.number for segment in self._written.values()}
        for number in self._known - used - written:
            self._path(number).unlink(missing_ok=True)
            self._known.discard(number)

    def lost(self, ends: Mapping[int, int]) -> dict[int, Path]:
        """The files, by number, that are missing or end before this byte; none may be open for writing."""
        paths = {number: self._path(number) for number in ends}
        return {number: path for number, path in paths.items() if not _is_whole(path, ends[number])}

    def close(self) -> None:
        """Closes the files that are written to."""
        for segment in self._written.values():
            segment.file.close()
        self._written.clear()

    def _begin(self, term: int) -> _Segment:
        full = self._written.pop(term, None)
        if full:
            full.sync()
            full.file.close()
        number = max(self._known, default=0) + 1
        descriptor = os.open(self._path(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        segment = self._written[term] = _Segment(number, os.fdopen(descriptor, "wb"))
        self._known.add(number)
        folder = os.open(self.path.parent, os.O_RDONLY)  # so that the file's name survives too
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return segment

    def _found(self) -> set[int]:
        names = self.path.parent.glob(f"{self.path.name}-samples-*")
        return {int(name.name.rpartition("-")[2]) for name in names}

    def _path(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}-samples-{number}")


def _is_whole(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size >= size
