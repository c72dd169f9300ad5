"""The checkpoint: an epoch is kept whole or not at all, whatever ends the process."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from trailsieve.alarms.sample_log import SampleRow
from trailsieve.engine import sample_files
from trailsieve.engine.checkpoint import Checkpoint, Epoch, MemoryCheckpoint, SqliteCheckpoint, verify
from trailsieve.errors import CheckpointError
from trailsieve.model import GONE, Position

SAVES = """
import os, sys
from pathlib import Path
from trailsieve.engine.checkpoint import Epoch, SqliteCheckpoint
from trailsieve.model import Position

path, left = Path(sys.argv[1]), int(sys.argv[2])
checkpoint = SqliteCheckpoint(path)

def trace(statement):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), 9)

checkpoint._database.set_trace_callback(trace)
for n in range(1, 4):
    state = {"window": b"%d" % n, "old": None}
    checkpoint.save(Epoch([Position("s", n), Position("t", str(n))], [f"a{n}", f"b{n}"], state))
"""


@pytest.fixture(params=["memory", "sqlite"])
def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> Checkpoint:
    return MemoryCheckpoint() if request.param == "memory" else SqliteCheckpoint(tmp_path / "c.db")


def test_what_is_kept_is_there(checkpoint: Checkpoint) -> None:
    checkpoint.save(Epoch([Position("s", 1), Position("t", "x")], ["a"], {"k": b"\0"}))
    checkpoint.save(Epoch([Position("s", 2), Position("s", 3)], [], {"k": None, "l": b""}))
    assert checkpoint.positions() == {"s": 3, "t": "x"}
    assert checkpoint.state() == {"l": b""}
    checkpoint.save(Epoch([Position("t", GONE)]))
    assert checkpoint.positions() == {"s": 3}


def test_a_restart_finds_it_and_ids_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "c.db"
    first = SqliteCheckpoint(path, capacity=3)
    for number in range(5):
        first.save(Epoch([Position("s", number)], [f"id{number}"]))
    first.close()
    again = SqliteCheckpoint(path)
    assert again.positions() == {"s": 4}
    assert list(again.ids()) == ["id2", "id3", "id4"]


@pytest.mark.parametrize("statement", range(1, 25))
def test_killed_before_any_statement_an_epoch_is_whole(tmp_path: Path, statement: int) -> None:
    path = tmp_path / "c.db"
    done = subprocess.run([sys.executable, "-c", SAVES, path, str(statement)], check=False)
    assert done.returncode in (-9, 0)
    checkpoint = SqliteCheckpoint(path)
    last = int(checkpoint.positions().get("s", 0))
    expected = {"s": last, "t": str(last)} if last else {}
    assert checkpoint.positions() == expected
    assert checkpoint.state() == ({"window": b"%d" % last} if last else {})
    assert list(checkpoint.ids()) == [f"{name}{n}" for n in range(1, last + 1) for name in "ab"]
    assert last == 3 or done.returncode == -9


def test_one_process_at_a_time(tmp_path: Path) -> None:
    first = SqliteCheckpoint(tmp_path / "c.db")
    with pytest.raises(CheckpointError, match="is another trailsieve using it"):
        SqliteCheckpoint(tmp_path / "c.db")
    first.save(Epoch([Position("s", 1)]))
    first.close()
    assert SqliteCheckpoint(tmp_path / "c.db").positions() == {"s": 1}


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"no database, but long enough to be one" * 100)
    for use in (SqliteCheckpoint, verify):
        with pytest.raises(CheckpointError, match=r"no\.db cannot be .*path is right, restore it, or delete"):
            use(tmp_path / "no.db")
    newer = sqlite3.connect(tmp_path / "newer.db")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(CheckpointError, match="another version"):
        SqliteCheckpoint(tmp_path / "newer.db")
    with pytest.raises(CheckpointError, match="cannot be opened"):
        SqliteCheckpoint(Path("/proc/no/c.db"))


def test_a_full_disk_keeps_nothing_of_the_epoch_and_later_goes_on(tmp_path: Path) -> None:
    checkpoint = SqliteCheckpoint(tmp_path / "c.db")
    checkpoint.save(Epoch([Position("s", 1)], ["a"]))
    pages = checkpoint._database.execute("PRAGMA page_count").fetchone()[0]
    checkpoint._database.execute(f"PRAGMA max_page_count = {pages}")  # SQLite's own full disk
    with pytest.raises(CheckpointError, match="is the disk full"):
        checkpoint.save(Epoch([Position("s", 2)], [os.urandom(5000).hex()], {"k": bytes(100_000)}))
    assert checkpoint.positions() == {"s": 1}
    assert list(checkpoint.ids()) == ["a"]
    checkpoint._database.execute("PRAGMA max_page_count = 100000")
    checkpoint.save(Epoch([Position("s", 2)], ["b"], {"k": bytes(100_000)}))
    assert checkpoint.positions() == {"s": 2}


def test_samples_are_read_again_until_they_expire(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    checkpoint = SqliteCheckpoint(path)
    checkpoint.save(Epoch(samples=[SampleRow(100, b"first"), SampleRow(200, b"second")]))
    checkpoint.close()
    checkpoint = SqliteCheckpoint(path)
    assert [row.data for row in checkpoint.samples()] == [b"first", b"second"]
    checkpoint.save(Epoch(samples=[SampleRow(300, b"third")], expired=100))
    assert [row.data for row in checkpoint.samples()] == [b"second", b"third"]
    checkpoint.save(Epoch(expired=200))
    assert [row.data for row in checkpoint.samples()] == [b"third"]
    checkpoint.close()
    assert len(list(tmp_path.glob("state.db-samples-*"))) == 1  # the file of the first two is gone


def test_samples_that_are_kept_for_long_do_not_keep_the_files_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_files, "SEGMENT_BYTES", 1000)
    checkpoint = SqliteCheckpoint(tmp_path / "state.db")
    for number in range(3):
        rows = [SampleRow(100 + number, bytes(500), 2), SampleRow(604_800, b"week", 5)]
        checkpoint.save(Epoch(samples=rows))
    checkpoint.save(Epoch(expired=200))
    assert [row.data for row in checkpoint.samples()] == [b"week"] * 3
    sizes = [file.stat().st_size for file in tmp_path.glob("state.db-samples-*")]
    assert sorted(sizes) == [len(b"week") * 3, 500]  # the last is still written to
    checkpoint.close()


def test_samples_that_no_epoch_kept_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The power fails between the write of the samples and that of the epoch."""
    path = tmp_path / "state.db"
    checkpoint = SqliteCheckpoint(path)
    checkpoint.save(Epoch(samples=[SampleRow(100, b"kept")]))
    checkpoint._files.append(b"lost")
    checkpoint._files.sync()
    checkpoint.close()
    checkpoint = SqliteCheckpoint(path)
    checkpoint.save(Epoch(samples=[SampleRow(100, b"new")]))
    assert [row.data for row in checkpoint.samples()] == [b"kept", b"new"]
    checkpoint.close()


def test_a_checkpoint_that_is_deleted_while_it_is_used_is_written_again(tmp_path: Path) -> None:
    path, told = tmp_path / "state.db", list[str]()
    checkpoint = SqliteCheckpoint(path, info=told.append)
    checkpoint.save(Epoch([Position("s", 1)], ["a"], {"k": b"v"}, [SampleRow(100, b"kept")]))
    for name in ("state.db", "state.db-wal"):
        (tmp_path / name).unlink()
    checkpoint.ensure_file()
    (line,) = told
    assert "state.db was deleted while it was in use; it has been written again" in line
    checkpoint.save(Epoch([Position("s", 2)]))
    path.unlink()  # and once more, shortly before the end
    checkpoint.close()
    again = SqliteCheckpoint(path)
    assert again.positions() == {"s": 2}
    assert (list(again.ids()), again.state()) == (["a"], {"k": b"v"})
    assert [row.data for row in again.samples()] == [b"kept"]
    again.close()


def test_samples_that_are_deleted_with_their_checkpoint_are_reported(tmp_path: Path) -> None:
    path, told = tmp_path / "state.db", list[str]()
    checkpoint = SqliteCheckpoint(path, info=told.append)
    checkpoint.save(Epoch(samples=[SampleRow(100, b"lost")]))
    for file in tmp_path.glob("state.db*"):
        file.unlink()
    checkpoint.save(Epoch(samples=[SampleRow(100, b"new")]))
    assert "alarms count fewer events" in told[0]
    checkpoint.close()
    again = SqliteCheckpoint(path)
    assert [row.data for row in again.samples()] == [b"new"]
    again.close()


def test_a_checkpoint_that_is_replaced_while_it_is_used_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    checkpoint = SqliteCheckpoint(path)
    other = SqliteCheckpoint(tmp_path / "other.db")
    other.save(Epoch([Position("s", 7)]))
    other.close()
    (tmp_path / "other.db").replace(path)
    with pytest.raises(CheckpointError, match="was replaced while it was in use"):
        checkpoint.save(Epoch([Position("s", 1)]))
    with pytest.raises(CheckpointError, match="was replaced"):
        checkpoint.close()
    assert SqliteCheckpoint(path).positions() == {"s": 7}


def test_a_checkpoint_without_its_samples_is_refused_until_they_are_restored(tmp_path: Path) -> None:
    path, samples = tmp_path / "state.db", tmp_path / "state.db-samples-1"
    checkpoint = SqliteCheckpoint(path)
    checkpoint.save(Epoch(samples=[SampleRow(100, b"kept"), SampleRow(100, b"too")]))
    verify(path)  # in use
    checkpoint.close()
    data = samples.read_bytes()
    for left in (None, data[:-1]):
        samples.unlink()
        if left is not None:
            samples.write_bytes(left)
        for use in (SqliteCheckpoint, verify):
            with pytest.raises(CheckpointError) as refused:
                use(path)
            assert f"{samples} is missing or cut short" in str(refused.value)
            assert f"restore it, or delete {path} and {path}-* to start anew" in str(refused.value)
        samples.write_bytes(data)
    verify(path)
    again = SqliteCheckpoint(path)
    assert [row.data for row in again.samples()] == [b"kept", b"too"]
    again.close()
    verify(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
