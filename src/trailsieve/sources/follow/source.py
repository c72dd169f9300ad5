"""Files of JSON lines that grow, and new ones in folders, as `tail -F` follows them.

A file is known by its folder and inode, so that one that is rotated away is read to its end under its new
name, also after a restart. A position holds the byte to go on from and a checksum of what stands before it:
a file that was truncated, or a new one with an old one's inode, is read from its beginning.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from trailsieve.errors import SourceError
from trailsieve.model import GONE, Message, Offset, Position
from trailsieve.ports import RunContext
from trailsieve.sources.follow.growing_file import Followed, shard_of
from trailsieve.trail.selection import Selection

_SUFFIXES = (".jsonl", ".ndjson", ".log")
_SCAN_EVERY = 1.0  # seconds
_ENOUGH = 10_000  # lines of one poll
_NAP = 0.25  # seconds to wait when nothing came
_GRACE = 10.0  # seconds for which a file that was rotated away may still be written to


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        paths: files, which may come to be later, and folders, whose files *.jsonl, *.ndjson and *.log are
            followed, those in folders below not.
        start: where to begin in files that are there when a path is followed for the first time.
    """

    paths: list[str]
    start: Literal["beginning", "end"] = "beginning"


def open_source(config: Config, context: RunContext) -> FollowSource:
    """Growing files as a source."""
    return FollowSource(config, context)


class FollowSource:
    """Yields a message a line: a record, or an envelope of records."""

    whole_objects = False
    ordered = True
    selection = Selection()
    exhausted = False

    def __init__(
        self,
        config: Config,
        context: RunContext,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._context = context
        self._clock = clock
        self._sleep = sleep
        self._paths = [Path(os.path.abspath(path)) for path in config.paths]
        self._files: dict[str, Followed] = {}
        self._positions: dict[str, str] = {}
        self._markers: list[Message] = []
        self._scan_at = 0.0

    def start(self, positions: Mapping[str, Offset]) -> None:
        folders = {str(path if path.is_dir() else path.parent) for path in self._paths}
        ours = {shard: str(at) for shard, at in positions.items() if shard.rpartition("#")[0] in folders}
        self._positions = ours
        new = {path for path in self._paths if _known(path) not in positions}
        self._scan(at_end=new if self._config.start == "end" else ())
        for path in self._paths:
            self._markers.append(self._marker(_known(path), "followed"))
            if not path.exists():
                self._context.info(f"{path} does not exist yet: it is waited for")
        self._find_rotated()

    def poll(self) -> Sequence[Message]:
        if self._clock() >= self._scan_at:
            self._scan()
        messages, self._markers = self._markers, []
        for file in list(self._files.values()):
            messages += file.read()
            if file.left and file.read_to_end and self._clock() > file.left + _GRACE:
                messages += file.last()
                self._markers.append(self._marker(file.shard, GONE))
                self._files.pop(file.shard).close()
            elif len(messages) > _ENOUGH:
                self._files[file.shard] = self._files.pop(file.shard)  # the others come first the next time
                break
        if not messages:
            self._sleep(_NAP)
        return messages

    def keep_alive(self) -> None:
        """Files that are open do not slip away."""

    def commit(self, positions: Iterable[Position]) -> None:
        """Files stay as they are."""

    def check(self) -> str:
        for path in self._paths:
            if path.exists() and not os.access(path, os.R_OK):
                raise SourceError(f"{path} cannot be read: permission denied; run as a user who may")
        count = sum(1 for _ in self._found())
        return f"{count} files can be followed"

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    # --- which files there are ---

    def _scan(self, at_end: Iterable[Path] = ()) -> None:
        """Opens what is new, and notes what has left its place."""
        there = set()
        for top, path, status in self._found():
            shard = shard_of(path, status.st_ino)
            there.add(shard)
            if shard in self._files:
                self._files[shard].path = path
                self._files[shard].left = 0.0
            else:
                self._open(path, shard, at_end=top in at_end)
        for shard, file in self._files.items():
            if shard not in there and not file.left:
                file.left = self._clock()
        self._scan_at = self._clock() + _SCAN_EVERY

    def _found(self) -> Iterator[tuple[Path, Path, os.stat_result]]:
        """The files to follow: the path that is configured, the file, and its status."""
        for top in self._paths:
            try:
                inside = sorted(top.iterdir()) if top.is_dir() else [top]
            except OSError as error:
                raise SourceError(f"{top} cannot be listed: {error.strerror}; may we read it?") from None
            for path in inside:
                try:
                    status = path.stat()
                except OSError:
                    continue  # not there yet, or gone since
                if stat.S_ISREG(status.st_mode) and (path is top or path.suffix in _SUFFIXES):
                    yield top, path, status

    def _open(self, path: Path, shard: str, *, at_end: bool = False) -> None:
        try:
            file = Followed(path, shard, self._context.max_object_size, self._context.info)
        except FileNotFoundError:
            return
        except OSError as error:
            raise SourceError(f"{path} cannot be followed: {error.strerror}") from None
        self._files[shard] = file
        if shard in self._positions:
            file.resume(self._positions.pop(shard))
        else:  # known from now on, even when it is rotated away before its first line is read
            self._markers.append(self._marker(shard, file.to_end() if at_end else file.offset))

    def _find_rotated(self) -> None:
        """Files that were rotated away while nobody looked: under any name in their folder."""
        for shard in list(self._positions):
            folder, _, inode = shard.rpartition("#")
            entries = os.scandir(folder) if os.path.isdir(folder) else ()
            path = next((entry.path for entry in entries if str(entry.inode()) == inode), None)
            if path:
                self._open(Path(path), shard)
            if shard in self._files:
                self._files[shard].left = self._clock()
            else:
                self._context.info(f"a file of {folder} is gone (inode {inode}): any unread lines with it")
                self._markers.append(self._marker(shard, GONE))
        self._positions.clear()

    def _marker(self, shard: str, offset: Offset) -> Message:
        return Message(b"", Position(shard, offset), shard, marker=True)


def _known(path: Path) -> str:
    """What remembers that a path was followed before."""
    return f"followed:{path}"
