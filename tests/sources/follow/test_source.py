"""Growing files and pipes: every line once, whatever is rotated, truncated or killed."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.console import denied
from tests.examples import examples
from tests.servers.patience import until
from tests.sources.kafka.topic import alert_ids
from tests.sources.kill_report import add_row
from tests.sources.service import KILLS, Service
from trailsieve.errors import SourceError
from trailsieve.model import GONE, Message, Offset
from trailsieve.ports import RunContext
from trailsieve.sources.follow.source import Config, FollowSource
from trailsieve.sources.line_reader import LineReader
from trailsieve.sources.stdin import StdinSource

LIMIT = 100
_sources: list[FollowSource] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No test leaves a source open."""
    yield
    while _sources:
        _sources.pop().close()


class Opened:
    """A source by a clock that passes only while it waits."""

    def __init__(self, *paths: Path, positions: dict[str, Offset] | None = None, start: Any = "beginning"):
        self.now = 0.0
        self.said: list[str] = []
        self.positions = dict(positions or {})
        context = RunContext(self.said.append, max_object_size=LIMIT)
        config = Config(paths=[str(path) for path in paths], start=start)
        self.source = FollowSource(config, context, lambda: self.now, self._sleep)
        _sources.append(self.source)
        self.source.start(self.positions)

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def messages(self, polls: int = 60) -> list[Message]:
        """What comes in a while; offsets go where a checkpoint keeps them."""
        taken: list[Message] = []
        for _ in range(polls):
            messages = self.source.poll()
            self.positions.update((message.position.shard, message.position.offset) for message in messages)
            taken += [message for message in messages if not message.marker]
        self.positions = {shard: offset for shard, offset in self.positions.items() if offset != GONE}
        return taken

    def lines(self, polls: int = 60) -> list[bytes]:
        return [message.payload for message in self.messages(polls)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "trail.jsonl"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_lines_come_when_they_are_whole(log: Path) -> None:
    opened = Opened(log)
    assert "does not exist yet" in opened.said[0]
    assert opened.lines() == []
    append(log, b"one\r\n\n  \ntw")
    assert opened.lines() == [b"one"]
    append(log, b"o\nthree\n")
    messages = opened.messages()
    assert [message.payload for message in messages] == [b"two", b"three"]
    assert [message.name for message in messages] == [f"{log}@9", f"{log}@13"]


def test_new_files_in_folders(tmp_path: Path) -> None:
    opened = Opened(tmp_path)
    for name in ("a.jsonl", "b.log", "c.ndjson", "d.txt", "e.jsonl.gz"):
        append(tmp_path / name, name.encode() + b"\n")
    (tmp_path / "folder.log").mkdir()
    assert sorted(opened.lines()) == [b"a.jsonl", b"b.log", b"c.ndjson"]


def test_the_end_is_behind_the_last_line_that_was_there(log: Path, tmp_path: Path) -> None:
    append(log, b"old\nhal")
    opened = Opened(log, start="end")
    assert opened.lines() == []
    append(log, b"f\nnew\n")
    again = Opened(log, positions=opened.positions, start="end")  # nothing had come before the restart
    assert again.lines() == [b"half", b"new"]
    folder = Opened(tmp_path, start="end")
    append(tmp_path / "later.jsonl", b"from the beginning\n")
    assert folder.lines() == [b"from the beginning"]


def test_rotation_reads_both_to_their_ends(log: Path) -> None:
    append(log, b"one\n")
    opened = Opened(log)
    assert opened.lines() == [b"one"]
    old = log.rename(log.with_name("trail.jsonl.1"))
    append(log, b"three\n")
    append(old, b"two\nunfinished")  # the writer still has it open
    assert sorted(opened.lines()) == [b"three", b"two", b"unfinished"]
    assert len([shard for shard in opened.positions if "#" in shard]) == 1  # the old one is forgotten


def test_rotation_while_nobody_looks(log: Path) -> None:
    append(log, b"one\ntwo\n")
    opened = Opened(log)
    assert opened.lines() == [b"one", b"two"]
    append(log, b"three\n")
    log.rename(log.with_name("trail.jsonl.1"))
    append(log, b"four\n")
    assert sorted(Opened(log, positions=opened.positions).lines()) == [b"four", b"three"]


def test_a_file_that_is_gone_is_named_and_forgotten(log: Path) -> None:
    append(log, b"one\n")
    opened = Opened(log)
    opened.lines()
    held = log.open()  # its inode is not given to another file
    log.unlink()
    again = Opened(log, positions=opened.positions)
    assert again.lines() == []
    assert any("is gone" in said for said in again.said)
    assert not [shard for shard in again.positions if "#" in shard]
    held.close()


@pytest.mark.parametrize("new", [b"n\n", b"new and longer than what was there before\n"])
@pytest.mark.parametrize("restart", [False, True])
def test_a_file_that_was_truncated_is_read_from_its_beginning(log: Path, new: bytes, restart: bool) -> None:
    append(log, b"one\ntwo\nthree\n")
    opened = Opened(log)
    assert len(opened.lines()) == 3
    with log.open("r+b") as file:
        file.truncate(0)
        file.write(new)
    if restart:
        opened = Opened(log, positions=opened.positions)
    assert opened.lines() == [new.strip()]
    assert "reading from its beginning" in opened.said[-1]


def test_a_line_that_is_too_long_is_a_problem_and_costs_itself(log: Path) -> None:
    append(log, b"one\n" + b"x" * 3 * LIMIT + b"\n" + b"y" * LIMIT + b"\n")
    messages = Opened(log).messages()
    assert [len(message.payload) for message in messages] == [3, 0, LIMIT]
    assert "more than 100 bytes" in messages[1].problem


def test_unreadable_files_are_reported(log: Path) -> None:
    log.mkdir()
    opened = Opened(log)
    assert opened.source.check() == "0 files can be followed"
    log.rmdir()
    missing = log.parent / "no" / "x"
    opened.source._paths = [missing]
    assert opened.source.check() == f"0 files can be followed; {missing} does not exist yet"
    log.symlink_to(log)
    assert Opened(log).lines(3) == []
    if os.geteuid():
        log.unlink()
        log.write_bytes(b"")
        log.chmod(0)
        with pytest.raises(SourceError, match="permission"):
            Opened(log)


ACTIONS = st.sampled_from(["line", "half", "rotate", "restart", "poll"])


@given(st.lists(ACTIONS, max_size=25))
@settings(max_examples=examples(60))
def test_whatever_happens_every_line_comes_once(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    log = tmp_path_factory.mktemp("follow") / "trail.jsonl"
    log.touch()
    sent, taken, half = [], [], ""
    opened = Opened(log)
    opened.lines(1)
    for number, action in enumerate(actions):
        if action == "half":
            append(log, b"half,")
            half += "half,"
        elif action == "line":
            append(log, f"{number}\n".encode())
            sent.append(f"{half}{number}".encode())
            half = ""
        elif action == "rotate" and not half:
            log.rename(log.with_name(f"trail.jsonl.{number}"))
            log.touch()
            taken += opened.lines(9)  # a file that comes and goes within a second is never seen
        elif action == "restart":
            opened.source.close()
            opened = Opened(log, positions=opened.positions)
            taken += opened.lines(1)
        elif action == "poll":
            taken += opened.lines(2)
    taken += opened.lines()
    assert sorted(taken) == sorted(sent)


@given(st.lists(st.binary(max_size=12).map(lambda b: b.replace(b"\r", b"-")), max_size=12))
def test_lines_are_the_same_however_they_are_cut(pieces: list[bytes]) -> None:
    lines, whole = LineReader(8), b"".join(pieces)
    found = [line for piece in pieces for line in lines.feed(piece)] + list(lines.rest())
    expected = whole.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [line.text for line in found] == [text if len(text) <= 8 else b"" for text in expected]
    assert [line.too_big for line in found] == [len(text) > 8 for text in expected]
    assert sum(line.size for line in found) == len(whole)


def test_standard_input_is_read_to_its_end() -> None:
    reader, writer = os.pipe()
    source = StdinSource(reader, RunContext(max_object_size=LIMIT))
    source.start({"<stdin>": 7})
    os.write(writer, b"one\n\ntwo\n" + b"x" * 2 * LIMIT + b"\nthr")
    os.write(writer, b"ee")
    os.close(writer)
    messages: list[Message] = []
    while not source.exhausted:
        messages += source.poll()
    assert [message.payload for message in messages] == [b"one", b"two", b"", b"three"]
    assert [message.name for message in messages] == [f"<stdin>:{number}" for number in (1, 3, 4, 5)]
    assert messages[2].problem
    assert list(source.poll()) == []
    os.close(reader)


@pytest.fixture
def service(tmp_path: Path, log: Path) -> Iterator[Service]:
    made = Service(tmp_path, f'[source]\nkind = "follow"\npaths = ["{log}"]\n', {})
    yield made
    if made.running:
        made.kill()


def test_kills_and_rotations_lose_nothing(service: Service, log: Path) -> None:
    chance, kills, per_part = random.Random(3), KILLS, 200
    records: list[bytes] = []
    for part in range(kills):
        for number in range(part * per_part, (part + 1) * per_part):
            fields = {} if number % 10 == 0 else {"errorCode": None}
            records.append(json.dumps(denied(number, **fields)).encode())
            append(log, records[-1] + b"\n")
        service.start()
        wanted = len(service.alerts) + chance.randrange(per_part // 10)
        until(lambda: len(service.alerts) >= wanted, "some alerts came")  # noqa: B023
        service.kill()
        if part % 2:
            log.rename(log.with_name(f"trail.jsonl.{part}"))
            log.touch()
    service.started()
    expected = kills * per_part // 10
    until(lambda: len(set(service.alerts)) >= expected, "all alerts came")
    assert service.stop() == 0
    add_row("follow", kills, len(records), alert_ids(records), service.alerts)
    assert len(set(service.alerts)) == expected
    assert not service.dead_letters


def test_an_overlong_line_is_read_without_a_pause_and_named_with_its_place(tmp_path: Path) -> None:
    log = tmp_path / "trail.jsonl"
    log.write_bytes(b"one\n" + b"x" * (40 * 2**20) + b"\ntwo\n")
    opened = Opened(log)
    first = opened.messages(45)
    assert [message.payload for message in first] == [b"one", b"", b"two"]
    assert (first[1].name, first[1].problem[:7]) == (f"{log}@4", "too big")
    assert opened.now < 2  # it waited at the end of the file alone
