"""Follows growing files of JSON lines, and new files in folders, like `tail -F`.

A file is identified by its folder and inode, so one that was rotated is read to its end under its new name,
even after a restart. A position is the next byte to read and a checksum of the bytes before it: a file that
was truncated, or that is new but has the inode of an old one, is read from its beginning.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from trailsieve.errors import SourceError, counted
from trailsieve.model import GONE, Message, Offset, Position, watermark_message
from trailsieve.ports import RunContext
from trailsieve.sources.follow.growing_file import GrowingFile, shard_of
from trailsieve.sources.identity import verified
from trailsieve.trail.selection import Selection

_SUFFIXES = (".jsonl", ".ndjson", ".log")
_SCAN_EVERY = 1.0  # seconds between two scans for files
_POLL_LINES = 10_000  # lines after which a poll ends
_IDLE_WAIT = 0.25  # seconds to wait if there is nothing to read
_ROTATED_GRACE = 10.0  # seconds for which a rotated file may still be written to


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Settings of the source.

    Attributes:
        paths: files, which need not exist yet, and folders, in which *.jsonl, *.ndjson and *.log are followed
            (but not in their subfolders).
        start: where to start in files that exist when a path is followed for the first time.
    """

    paths: list[str]
    start: Literal["beginning", "end"] = "beginning"


def open_source(config: Config, context: RunContext) -> FollowSource:
    """The source for these settings. Does not open any file."""
    return FollowSource(config, context)


class FollowSource:
    """One message for each line: a record, or an envelope of records."""

    whole_objects = False
    open_reader = None
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
        self._files: dict[str, GrowingFile] = {}
        self._positions: dict[str, str] = {}
        self._markers: list[Message] = []
        self._scan_at = 0.0
        self._scanned: float | None = None  # when the files were looked for, if that was since the last poll

    def start(self, positions: Mapping[str, Offset]) -> None:
        folders = {str(path if path.is_dir() else path.parent) for path in self._paths}
        ours = {shard: str(at) for shard, at in positions.items() if shard.rpartition("#")[0] in folders}
        self._positions = ours
        self._markers += verified(positions, {"kind": "follow"})
        new = {path for path in self._paths if _marker_shard(path) not in positions}
        self._scan(at_end=new if self._config.start == "end" else ())
        for path in self._paths:
            self._markers.append(self._marker(_marker_shard(path), "followed"))
            if not path.exists():
                self._context.info(f"{path} does not exist yet; waiting for it")
        self._find_rotated()

    def poll(self) -> Sequence[Message]:
        if self._clock() >= self._scan_at:
            self._scan()
        messages, self._markers = self._markers, []
        if messages:
            return messages  # saved before the first line is read
        for file in list(self._files.values()):
            messages += file.read()
            if file.at_end and self._scanned is not None:
                messages.append(watermark_message(file.shard, self._scanned))
            if file.missing_since and file.at_end and self._clock() > file.missing_since + _ROTATED_GRACE:
                messages += file.rest()
                self._markers.append(self._marker(file.shard, GONE))
                self._markers.append(watermark_message(file.shard, ended=True))
                self._files.pop(file.shard).close()
            elif len(messages) > _POLL_LINES:
                self._files[file.shard] = self._files.pop(file.shard)  # the next poll starts with the others
                break
        self._scanned = None
        if not messages and all(file.at_end for file in self._files.values()):  # not within a long line
            self._sleep(_IDLE_WAIT)
        return messages

    def keep_alive(self) -> None:
        """Opens new files, so that one that is rotated meanwhile is read to its end."""
        if self._clock() >= self._scan_at:
            self._scan()

    def commit(self, positions: Iterable[Position]) -> None:
        """Does nothing: the checkpoint has the positions."""

    def check(self) -> str:
        for path in self._paths:
            if path.exists() and not os.access(path, os.R_OK):
                raise SourceError(f"{path} cannot be read: permission denied; run as a user with read access")
        count = sum(1 for _ in self._found())
        missing = [f"; {path} does not exist yet" for path in self._paths if not path.exists()]
        return f"{counted(count, 'file')} can be followed{''.join(missing)}"

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    # --- files ---

    def _scan(self, at_end: Iterable[Path] = ()) -> None:
        """Opens new files, and notes which ones are no longer in place."""
        scanned = self._context.now()
        present = set()
        for top, path, status in self._found():
            shard = shard_of(path, status.st_ino)
            present.add(shard)
            if shard in self._files:
                self._files[shard].path = path
                self._files[shard].missing_since = 0.0
            else:
                self._open(path, shard, at_end=top in at_end)
        for shard, file in self._files.items():
            if shard not in present and not file.missing_since:
                file.missing_since = self._clock()
        self._scan_at = self._clock() + _SCAN_EVERY
        self._scanned = scanned

    def _found(self) -> Iterator[tuple[Path, Path, os.stat_result]]:
        """The files to follow: the configured path, the path of the file, and its status."""
        for top in self._paths:
            try:
                inside = sorted(top.iterdir()) if top.is_dir() else [top]
            except OSError as error:
                raise SourceError(
                    f"{top} cannot be listed: {error.strerror}; run as a user with read access"
                ) from None
            for path in inside:
                try:
                    status = path.stat()
                except OSError:
                    continue  # does not exist yet, or was removed
                if stat.S_ISREG(status.st_mode) and (path is top or path.suffix in _SUFFIXES):
                    yield top, path, status

    def _open(self, path: Path, shard: str, *, at_end: bool = False) -> None:
        try:
            file = GrowingFile(path, shard, self._context.max_object_size, self._context.info)
        except FileNotFoundError:
            return
        except OSError as error:
            raise SourceError(f"{path} cannot be followed: {error.strerror}") from None
        self._files[shard] = file
        self._markers.append(watermark_message(shard))
        if shard in self._positions:
            file.resume(self._positions.pop(shard))
        else:  # remembered even if it is rotated before its first line is read
            self._markers.append(self._marker(shard, file.to_end() if at_end else file.offset))

    def _find_rotated(self) -> None:
        """Finds files that were rotated while the service was down: same inode, any name in the folder."""
        for shard in list(self._positions):
            folder, _, inode = shard.rpartition("#")
            entries = list(os.scandir(folder)) if os.path.isdir(folder) else []
            path = next((entry.path for entry in entries if str(entry.inode()) == inode), None)
            if path:
                self._open(Path(path), shard)
            if shard in self._files:
                self._files[shard].missing_since = self._clock()
            else:
                self._context.info(
                    f"a file in {folder} is gone (inode {inode}), and any unread lines with it"
                )
                self._markers.append(self._marker(shard, GONE))
        self._positions.clear()

    def _marker(self, shard: str, offset: Offset) -> Message:
        return Message(b"", Position(shard, offset), shard, marker=True)


def _marker_shard(path: Path) -> str:
    """The shard whose position records that a path has been followed."""
    return f"followed:{path}"
