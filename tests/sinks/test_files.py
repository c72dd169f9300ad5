"""Alerts in files: rotated, after a crash, on a full disk."""

from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.sinks.test_contract import alert
from trailsieve.errors import DeliveryError, SinkError
from trailsieve.formats import native
from trailsieve.ports import RunContext
from trailsieve.sinks.files import Config, FilesSink, open_sink

SIZE = len(native.encode(alert(1))) + 1


def opened(path: Path, max_bytes: int = 0, keep: int = 10) -> FilesSink:
    _sinks.append(open_sink(Config(path=str(path), max_bytes=max_bytes, keep=keep), RunContext()))
    return _sinks[-1]


_sinks: list[FilesSink] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No test leaves a sink open."""
    yield
    while _sinks:
        _sinks.pop().close()


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond this size: half a write is then done and the rest refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_full_files_are_renamed_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = opened(path, max_bytes=2 * SIZE, keep=2)
    for number in range(9):
        sink.deliver([alert(number)])
    sink.close()
    assert ids(path) == ["id-8"]
    assert ids(tmp_path / "alerts.jsonl.1") == ["id-6", "id-7"]
    assert ids(tmp_path / "alerts.jsonl.2") == ["id-4", "id-5"]
    assert len(list(tmp_path.iterdir())) == 3


def test_an_old_file_is_added_to_and_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "alerts.jsonl"
    with closing(opened(path)) as sink:
        sink.deliver([alert(1)])
    with path.open("ab") as file:
        file.write(native.encode(alert(2))[:20])
    with closing(opened(path)) as sink:
        sink.deliver([alert(3)])
    lines = path.read_bytes().splitlines()
    assert len(lines) == 3
    assert [json.loads(line)["id"] for line in (lines[0], lines[2])] == ["id-1", "id-3"]


@pytest.mark.parametrize("room", [0, 1, SIZE - 1, SIZE + SIZE // 2])
def test_on_a_full_disk_nothing_of_a_delivery_stays_and_all_is_sent_again(tmp_path: Path, room: int) -> None:
    path = tmp_path / "alerts.jsonl"
    sink = opened(path)
    sink.deliver([alert(1)])
    with full_disk(SIZE + room), pytest.raises(DeliveryError) as error:
        sink.deliver([alert(2), alert(3)])
    assert error.value.again == {"id-2", "id-3"}
    assert str(path) in error.value.reason
    assert ids(path) == ["id-1"]
    sink.deliver([alert(2), alert(3)])
    assert ids(path) == ["id-1", "id-2", "id-3"]


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"/proc/no/alerts\.jsonl cannot be written"):
        opened(Path("/proc/no/alerts.jsonl"))
    with pytest.raises(SinkError, match="cannot be written"):
        opened(tmp_path)
