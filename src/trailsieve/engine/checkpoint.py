"""Positions, recent alert ids, and the alarms' state and samples, saved in one transaction per epoch."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

from trailsieve import private_file
from trailsieve.alarms.sample_log import SampleRow
from trailsieve.engine.dedup import DEFAULT_CAPACITY
from trailsieve.engine.sample_files import SampleFiles
from trailsieve.errors import CheckpointError
from trailsieve.model import GONE, Offset, Position

_VERSION = 2
_TABLES = """
CREATE TABLE position (shard TEXT PRIMARY KEY, offset TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE alert (number INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE sample (
    number INTEGER PRIMARY KEY, expires INTEGER NOT NULL,
    file INTEGER NOT NULL, place INTEGER NOT NULL, size INTEGER NOT NULL
);
CREATE INDEX sample_expires ON sample (expires);
"""


@dataclass(frozen=True, slots=True)
class Epoch:
    """The changes of one epoch.

    Attributes:
        positions: the next offset of each shard that advanced, in order; `GONE` forgets a shard.
        ids: the ids of the alerts that were raised.
        state: other state that must survive, by key; None forgets a key.
        samples: what alarms must count again after a restart, until it expires.
        expired: samples that expire at or before this watermark are forgotten; None forgets none.
    """

    positions: Sequence[Position] = ()
    ids: Sequence[str] = ()
    state: dict[str, bytes | None] = field(default_factory=dict)
    samples: Sequence[SampleRow] = ()
    expired: int | None = None


class Checkpoint(Protocol):
    """Saves epochs durably, each one whole or not at all. All calls may block for disk access."""

    def save(self, epoch: Epoch) -> None:
        """Returns once an epoch is saved durably.

        Raises:
            CheckpointError: it could not be saved; nothing of it was.
        """

    def ensure_file(self) -> None:
        """Writes the checkpoint again if its file was deleted.

        Raises:
            CheckpointError: another file has taken its place.
        """

    def positions(self) -> dict[str, Offset]:
        """Returns the next offset of each shard."""

    def ids(self) -> Iterable[str]:
        """Returns the ids of the latest alerts, oldest first."""

    def state(self) -> dict[str, bytes]:
        """Returns the other state, by key."""

    def samples(self) -> Iterable[SampleRow]:
        """The samples that have not expired, oldest first."""

    def close(self) -> None:
        """Releases the file."""


class MemoryCheckpoint:
    """A checkpoint in memory: for replays, which always start anew, and for tests."""

    def __init__(self) -> None:
        self._positions: dict[str, Offset] = {}
        self._state: dict[str, bytes] = {}
        self._samples: list[SampleRow] = []

    def save(self, epoch: Epoch) -> None:
        for position in epoch.positions:
            if position.offset == GONE:
                self._positions.pop(position.shard, None)
            else:
                self._positions[position.shard] = position.offset
        for key, value in epoch.state.items():
            if value is None:
                self._state.pop(key, None)
            else:
                self._state[key] = value
        self._samples += epoch.samples
        if epoch.expired is not None:
            self._samples = [row for row in self._samples if row.expires > epoch.expired]

    def ensure_file(self) -> None:
        """There is no file."""

    def positions(self) -> dict[str, Offset]:
        return dict(self._positions)

    def ids(self) -> Iterable[str]:
        return ()

    def state(self) -> dict[str, bytes]:
        return dict(self._state)

    def samples(self) -> Iterable[SampleRow]:
        return list(self._samples)

    def close(self) -> None:
        """Nothing to release."""


class SqliteCheckpoint:
    """An SQLite file, which survives a crash of the process or the machine.

    Args:
        path: the file; created if missing. Only one process at a time may use it.
        capacity: the number of alert ids to remember.
        info: receives one line of text when the file was deleted.
    """

    def __init__(
        self,
        path: Path,
        capacity: int = DEFAULT_CAPACITY,
        info: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.path = path
        self._capacity = capacity
        self._info = info
        with self._errors("opened"):
            self._open()
            self._files = SampleFiles(path)
            try:
                _check_samples(self._database, path)
            except CheckpointError:
                self._database.close()
                raise
            self._files.open(self._used_files())

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        private_file.create(self.path)
        self._database = sqlite3.connect(self.path, isolation_level=None, timeout=1)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._prepare()
        self._wal = self.path.with_name(f"{self.path.name}-wal")
        self._file, self._wal_file = _file_at(self.path), _file_at(self._wal)

    def _prepare(self) -> None:
        if _version(self._database, self.path) == 0:
            self._database.executescript(
                f"BEGIN EXCLUSIVE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT"
            )
        else:
            self._database.executescript("BEGIN EXCLUSIVE; COMMIT")

    def ensure_file(self) -> None:
        found = _file_at(self.path)
        if found == self._file:
            return
        if found is not None:
            raise CheckpointError(
                f"the checkpoint {self.path} was replaced while it was in use; nothing more is saved. "
                "Start again to continue from the new file"
            )
        with self._errors("restored"):
            self._restore()
        self._info(f"the checkpoint {self.path} was deleted while it was in use; it has been written again")

    def _restore(self) -> None:
        """Writes the database, whose deleted file is still open, to a new file."""
        copy = self.path.with_name(f"{self.path.name}.restored")
        copy.unlink(missing_ok=True)
        copy.parent.mkdir(parents=True, exist_ok=True)
        private_file.create(copy)
        with closing(sqlite3.connect(copy)) as target:
            self._database.backup(target)
        self._database.close()
        self._wal.unlink(missing_ok=True)  # SQLite would apply it to the copy
        copy.replace(self.path)
        self._open()
        self._files.close()  # what is appended from now on goes to a new file
        if lost := self._files.lost(_sample_ends(self._database)):
            self._database.executemany("DELETE FROM sample WHERE file = ?", [(file,) for file in lost])
            self._info(f"{self.path}-samples-* were deleted too: after a restart alarms count fewer events")

    def save(self, epoch: Epoch) -> None:
        self.ensure_file()
        last = {position.shard: position.offset for position in epoch.positions}
        offsets = [(shard, orjson.dumps(offset).decode()) for shard, offset in last.items()]
        kept = [(key, value) for key, value in epoch.state.items() if value is not None]
        gone = [(key,) for key, value in epoch.state.items() if value is None]
        with self._errors("written"):
            rows = [
                (row.expires, *self._files.append(row.data, row.term), len(row.data)) for row in epoch.samples
            ]
            self._files.sync()
        with self._errors("written"), self._transaction() as database:
            database.executemany("REPLACE INTO position VALUES (?, ?)", offsets)
            if GONE in last.values():
                database.execute("DELETE FROM position WHERE offset = ?", (orjson.dumps(GONE).decode(),))
            database.executemany("INSERT INTO alert (id) VALUES (?)", [(identity,) for identity in epoch.ids])
            if epoch.ids:
                database.execute(
                    "DELETE FROM alert WHERE number <= (SELECT max(number) FROM alert) - ?", (self._capacity,)
                )
            database.executemany("REPLACE INTO state VALUES (?, ?)", kept)
            database.executemany("DELETE FROM state WHERE key = ?", gone)
            database.executemany("INSERT INTO sample (expires, file, place, size) VALUES (?, ?, ?, ?)", rows)
            if epoch.expired is not None:
                database.execute("DELETE FROM sample WHERE expires <= ?", (epoch.expired,))
        if epoch.expired is not None:
            with self._errors("written"):
                self._files.keep(self._used_files())

    def positions(self) -> dict[str, Offset]:
        with self._errors("read"):
            rows = self._database.execute("SELECT shard, offset FROM position").fetchall()
        return {shard: orjson.loads(offset) for shard, offset in rows}

    def ids(self) -> Iterable[str]:
        with self._errors("read"):
            rows = self._database.execute("SELECT id FROM alert ORDER BY number").fetchall()
        return [identity for (identity,) in rows]

    def state(self) -> dict[str, bytes]:
        with self._errors("read"):
            return dict(self._database.execute("SELECT key, value FROM state").fetchall())

    def samples(self) -> Iterator[SampleRow]:
        with self._errors("read"):
            rows = self._database.execute("SELECT expires, file, place, size FROM sample ORDER BY number")
            for expires, *where in rows:
                yield SampleRow(expires, self._files.read(*where))

    def _used_files(self) -> set[int]:
        return {file for (file,) in self._database.execute("SELECT DISTINCT file FROM sample")}

    def close(self) -> None:
        try:
            self.ensure_file()
        finally:
            replaced = _file_at(self.path) != self._file
            self._files.close()
            self._database.close()
            if replaced and _file_at(self._wal) == self._wal_file:
                self._wal.unlink(missing_ok=True)  # SQLite would apply it to the other file

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
            self._database.execute("COMMIT")
        except sqlite3.Error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    def _errors(self, done: str) -> AbstractContextManager[None]:
        return _errors(self.path, done)


def verify(path: Path) -> None:
    """Checks a checkpoint and changes nothing.

    Skips one that does not exist or belongs to another user, and one with a write-ahead log: it is in use, or
    the next run completes it.

    Raises:
        CheckpointError: it is damaged, of another version, or without the files that belong to it.
    """
    if not os.access(path, os.R_OK) or path.with_name(f"{path.name}-wal").exists():
        return
    with _errors(path, "read"):
        where = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(where, uri=True)) as database:
            if _version(database, path):
                _check_samples(database, path)


def _version(database: sqlite3.Connection, path: Path) -> int:
    """The version of the format; 0 for a new file."""
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version not in (0, _VERSION):
        raise CheckpointError(f"{path}: written by another version of trailsieve (format {version})")
    return version


def _check_samples(database: sqlite3.Connection, path: Path) -> None:
    lost = SampleFiles(path).lost(_sample_ends(database)).values()
    if lost:
        names = ", ".join(str(file) for file in sorted(lost))
        raise CheckpointError(
            f"the checkpoint {path} cannot be used: {names} is missing or cut short; {_restore_advice(path)}"
        )


def _sample_ends(database: sqlite3.Connection) -> dict[int, int]:
    """Of each file of samples that is used, the byte at which the last sample ends."""
    return dict(database.execute("SELECT file, max(place + size) FROM sample GROUP BY file").fetchall())


def _restore_advice(path: Path) -> str:
    return (
        f"restore it, or delete {path} and {path}-* to start anew: reading then starts as [source] says, "
        "alarms forget what they counted, and alerts may be repeated"
    )


@contextmanager
def _errors(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        hint = (
            "is another trailsieve using it?"
            if "locked" in str(error)
            else "is the disk full or the file read-only?"
        )
        raise CheckpointError(f"the checkpoint {path} cannot be {done}: {error}; {hint}") from None
    except sqlite3.DatabaseError as error:
        hint = f"if [checkpoint] path is right, {_restore_advice(path)}"
        raise CheckpointError(f"the checkpoint {path} cannot be {done}: {error}; {hint}") from None
    except OSError as error:
        raise CheckpointError(f"the checkpoint {path} cannot be {done}: {error}") from None


def _file_at(path: Path) -> tuple[int, int] | None:
    """What tells the file at a path from any other; None if there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
