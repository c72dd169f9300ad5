"""What followed files and standard input say of how far they are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources.watermarks import NOW, polled_until, said
from trailsieve.ports import RunContext
from trailsieve.sources import stdin
from trailsieve.sources.follow import source as follow
from trailsieve.sources.follow.growing_file import shard_of
from trailsieve.sources.follow.source import Config, FollowSource
from trailsieve.sources.stdin import StdinSource


class Followed:
    """A file, and a source by a clock that passes only while it waits."""

    def __init__(self, log: Path, now: float | None = NOW) -> None:
        self.log = log
        log.write_bytes(b"0\n1\n2\n")
        self.shard = shard_of(log, log.stat().st_ino)
        self.now = now
        self.monotonic = 0.0
        context = RunContext(now=lambda: self.now)
        self.source = FollowSource(Config(paths=[str(log)]), context, lambda: self.monotonic, self._sleep)
        self.source.start({})

    def _sleep(self, seconds: float) -> None:
        self.monotonic += seconds

    def append(self, text: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(text)

    @property
    def end(self) -> tuple[str, float | None]:
        return self.shard, self.now


@pytest.fixture
def followed(tmp_path: Path) -> Iterator[Followed]:
    made = Followed(tmp_path / "trail.jsonl")
    yield made
    made.source.close()


def test_the_file_comes_first_and_its_end_after_the_last_line(followed: Followed) -> None:
    assert said(followed.source.poll()) == [(followed.shard, None)]
    assert said(followed.source.poll()) == ["0", "1", "2", followed.end]


def test_the_time_is_that_of_the_scan_before_the_last_line(followed: Followed) -> None:
    followed.source.poll()
    followed.source.poll()
    followed.now = NOW + 0.5
    followed.append(b"3\n")
    assert said(followed.source.poll()) == ["3"]  # not scanned again
    followed.monotonic += 2
    assert said(followed.source.poll()) == [followed.end]


def test_a_file_that_is_behind_says_nothing(monkeypatch: pytest.MonkeyPatch, followed: Followed) -> None:
    monkeypatch.setattr(follow, "_SCAN_EVERY", 0.0)
    monkeypatch.setattr("trailsieve.sources.follow.growing_file._PIECE", 4)
    heard = polled_until(followed.source, lambda heard: followed.end in heard)
    assert heard == [(followed.shard, None), "0", "1", "2", followed.end]


def test_of_two_files_the_one_that_is_behind_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(follow, "_SCAN_EVERY", 0.0)
    monkeypatch.setattr(follow, "_POLL_LINES", 1)
    monkeypatch.setattr("trailsieve.sources.follow.growing_file._PIECE", 4)
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(b"1\n2\n3\n4\n")
    source = FollowSource(Config(paths=[str(tmp_path)]), RunContext(now=lambda: NOW))
    source.start({})
    shards = [shard_of(path, path.stat().st_ino) for path in sorted(tmp_path.iterdir())]
    heard = polled_until(source, lambda heard: {(shard, NOW) for shard in shards} <= set(heard))
    source.close()
    ends = [heard.index((shard, NOW)) for shard in shards]
    assert min(ends) > 2 + 4  # both shards, and at least all lines of one file
    assert max(ends) > 2 + 8


def test_nothing_is_said_while_the_clock_cannot_be_trusted(tmp_path: Path) -> None:
    followed = Followed(tmp_path / "trail.jsonl", now=None)
    assert said(followed.source.poll()) == [(followed.shard, None)]
    assert said(followed.source.poll()) == ["0", "1", "2"]
    followed.source.close()


def test_a_file_that_is_gone_ends(followed: Followed) -> None:
    held = followed.log.open()  # its inode is not given to another file
    followed.log.unlink()
    heard = polled_until(followed.source, lambda heard: (followed.shard, "ended") in heard)
    assert heard.index("2") < heard.index((followed.shard, "ended"))
    held.close()


@pytest.fixture
def pipe() -> Iterator[tuple[StdinSource, int]]:
    """Standard input, and where it is written to."""
    reader, writer = os.pipe()
    yield StdinSource(reader, RunContext(now=lambda: NOW)), writer
    os.close(reader)
    os.close(writer)


def test_standard_input_says_so_when_there_is_nothing_to_read(
    pipe: tuple[StdinSource, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdin, "_WAIT", 0.01)
    monkeypatch.setattr(stdin, "_PIECE", 2)
    source, writer = pipe
    os.write(writer, b"1\n2\n")
    heard = polled_until(source, lambda heard: ("<stdin>", NOW) in heard)
    os.write(writer, b"3\n")
    assert [*heard, *said(source.poll())] == ["1", "2", ("<stdin>", NOW), "3"]
