"""Reads local files, directory trees and standard input, one file or one block of lines at a time."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import IO, BinaryIO

from msgspec import Struct

from trailsieve.errors import UsageError, counted
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import RunContext
from trailsieve.trail.cloudtrail import looks_like_lines
from trailsieve.trail.compression import NOT_GZIP, GunzippedStream, is_gzip
from trailsieve.trail.layout import is_lines_name
from trailsieve.trail.selection import ListedFile, Selection

BLOCK = 4 * 2**20  # bytes of lines in one message
STDIN = "-"


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Settings of the source.

    Attributes:
        paths: files and folders, read once, in this order.
    """

    paths: list[str]


def open_source(config: Config, context: RunContext) -> FilesSource:
    """The source for these settings; skips digest and Insight files.

    Raises:
        UsageError: a path does not exist.
    """
    selection = Selection()
    return FilesSource(selection.files(list_files(config.paths), context.skip), context, selection)


def list_files(inputs: Iterable[str]) -> list[ListedFile]:
    """The files that the inputs name; directories are walked in the order of their names.

    Raises:
        UsageError: an input does not exist.
    """
    listed: list[ListedFile] = []
    for given in inputs:
        if given == STDIN:
            listed.append(ListedFile(STDIN, "<stdin>", 0))
        elif os.path.isdir(given):
            listed.extend(_walk(given))
        elif os.path.lexists(given):
            listed.append(ListedFile(given, _shown(given), _size(given)))
        else:
            raise UsageError(f"{given}: no such file or directory")
    return listed


def _walk(top: str) -> Iterator[ListedFile]:
    pending = [top]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name, reverse=True)
        except OSError:
            yield ListedFile(folder, _shown(folder), 0)  # reading it reports the reason
            continue
        files = [entry.path for entry in reversed(entries) if not entry.is_dir(follow_symlinks=False)]
        pending.extend(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        for path in files:
            yield ListedFile(path, _shown(path), _size(path), walked=True)


def _shown(path: str) -> str:
    r"""A path as text that can be encoded, with bytes that are not UTF-8 as `\udc80`."""
    return path.encode("utf-8", "backslashreplace").decode()


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


class FilesSource:
    """One message for each file; files of lines come in blocks of at most `BLOCK` bytes, or of one line.

    A file that cannot be read is a message with a `problem`, never an exception.

    Args:
        files: what to read, in this order.
        context: its `max_object_size` limits a line; a longer one is a problem.
    """

    whole_objects = True
    open_reader = None
    ordered = False

    def __init__(self, files: Sequence[ListedFile], context: RunContext, selection: Selection) -> None:
        self.selection = selection
        self._messages = self._read_all(files)
        self._count = len(files)
        self._limit = context.max_object_size
        self._context = context
        self._exhausted = False
        self._part = 0  # bytes that were read of the current file
        for listed in files:
            context.object_found(listed.size)

    @property
    def exhausted(self) -> bool:
        return self._exhausted

    def start(self, positions: Mapping[str, Offset]) -> None:
        """Does nothing: the files are always read from the beginning."""

    def poll(self) -> Sequence[Message]:
        message = next(self._messages, None)
        self._exhausted = message is None
        return [message] if message else []

    def commit(self, positions: Iterable[Position]) -> None:
        """Does nothing: files have no positions to keep."""

    def keep_alive(self) -> None:
        """Does nothing: files have no leases."""

    def check(self) -> str:
        return f"{counted(self._count, 'file')}"

    def close(self) -> None:
        self._messages.close()

    def _read_all(self, files: Sequence[ListedFile]) -> Generator[Message]:
        for listed in files:
            try:
                yield from self._read(listed)
            except OSError as error:
                yield Message(b"", Position(listed.name, 0), listed.name, problem=_reason(error))
            self._context.object_read(max(0, listed.size - self._part))
            self._part = 0

    def _read(self, listed: ListedFile) -> Iterator[Message]:
        if listed.path == STDIN:
            yield from self._read_stdin(listed, sys.stdin.buffer)
            return
        as_lines = is_lines_name(listed.path)
        # A pipe may be given by name; one found in a folder could block forever.
        if (listed.walked or not as_lines) and not stat.S_ISREG(os.stat(listed.path).st_mode):
            raise OSError(None, "not a regular file")
        if as_lines:
            with open(listed.path, "rb") as file:
                for message in self._lines(listed, _decompressed(file)):
                    yield message
                    self._advance(file.tell() if file.seekable() else self._part + len(message.payload))
        else:
            yield Message(Path(listed.path).read_bytes(), Position(listed.name, 0), listed.name)

    def _read_stdin(self, listed: ListedFile, stream: BinaryIO) -> Iterator[Message]:
        """Lines if the first line that is not blank is a document of its own, else one document."""
        buffered = _decompressed(stream)
        first = line = buffered.readline(BLOCK)
        while line and not line.strip():
            line = buffered.readline(BLOCK)
            first += line
        if looks_like_lines(first):
            for message in self._lines(listed, buffered, first):
                yield message
                self._advance(self._part + len(message.payload))
        else:
            yield Message(first + buffered.read(self._limit + 1), Position(STDIN, 0), listed.name)

    def _advance(self, place: int) -> None:
        """Shows how far a file of lines is read: as it is stored where that is known, else its content."""
        self._context.bytes_read(place - self._part)
        self._part = place

    def _lines(self, listed: ListedFile, stream: IO[bytes], first: bytes = b"") -> Iterator[Message]:
        number, place, damage, warning = 1, 0, "", ""
        try:
            for block, cut in _blocks(stream, first, self._limit):
                place += cut
                for part, too_big in _parts(block, self._limit):
                    place += len(part)
                    reason = (
                        f"too big: line {number} has more than {self._limit:,} bytes; raise --max-object-size"
                    )
                    yield Message(
                        b"" if too_big else part,
                        Position(listed.name, place),
                        listed.name,
                        number,
                        reason if too_big else "",
                    )
                    number += part.count(b"\n")
            damage, warning = _ended(stream)
            if listed.path.endswith(".gz") and not _is_decompressed(stream):
                warning = f"{NOT_GZIP}: read as it is"
        except OSError as error:
            damage = _reason(error)
        if damage or warning:
            end = Position(listed.name, place)
            following = number + bool(place)  # 1 would be another file
            yield Message(b"", end, listed.name, following, damage or warning, warning=not damage)


def _decompressed(stream: BinaryIO) -> IO[bytes]:
    """The stream, decompressed if it starts with the gzip magic number."""
    if is_gzip(stream.peek(2)[:2]):  # type: ignore[attr-defined]
        return BufferedReader(GunzippedStream(stream), BLOCK)
    return stream


def _blocks(stream: IO[bytes], first: bytes, limit: int) -> Iterator[tuple[bytes, int]]:
    """Blocks of whole lines, and by how many bytes the first line of each was cut because of `limit`."""
    rest, cut = first, 0
    while chunk := _read_some(stream):
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield rest + head + newline, cut
            rest, cut = tail, 0
        elif len(rest) <= limit:
            rest += chunk
        else:
            cut += len(chunk)
    if rest and not _ended(stream)[0]:  # else it is an incomplete line
        yield rest, cut


def _ended(stream: IO[bytes]) -> tuple[str, str]:
    """The damage of a gzip stream that was read to its end, and the warning about what follows it."""
    raw = getattr(stream, "raw", None)
    return (raw.damage, raw.warning) if isinstance(raw, GunzippedStream) else ("", "")


def _is_decompressed(stream: IO[bytes]) -> bool:
    return isinstance(getattr(stream, "raw", None), GunzippedStream)


def _parts(block: bytes, limit: int) -> Iterator[tuple[bytes, bool]]:
    """The block, split so that every line of more than `limit` bytes is alone; True for such a line."""
    begin = place = 0
    while place < len(block) > limit:
        start, end = place, block.find(b"\n", place)
        place = end + 1 or len(block)
        if (end if end >= 0 else place) - start > limit:
            if begin < start:
                yield block[begin:start], False
            yield block[start:place], True
            begin = place
    if begin < len(block):
        yield block[begin:], False


def _read_some(stream: IO[bytes]) -> bytes:
    return stream.read1(BLOCK) if hasattr(stream, "read1") else stream.read(BLOCK)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
