"""Messages that a source leaves unread: read by several threads, processed in their order."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trailsieve.engine.processor import BatchResult
from trailsieve.engine.read_ahead import read_ahead
from trailsieve.engine.workers import WorkerPool
from trailsieve.errors import SourceError
from trailsieve.model import Message, Position, Problem, watermark_message

PATIENCE = 60.0


class Echo:
    """A reader whose objects hold their own names."""

    threads = 4
    ahead = 100

    def __init__(self, before: Callable[[Message], None] = lambda message: None) -> None:
        self._before = before
        self.closed = False

    def read(self, message: Message) -> Message:
        self._before(message)
        return replace(message, payload=message.name.encode(), unread=None)

    def close(self) -> None:
        self.closed = True


def unread(number: int, size: int = 10) -> Message:
    return Message(b"", Position("bucket", number), f"object-{number}", unread=size)


def here(number: int) -> Message:
    return Message(b"here-%d" % number, Position("bucket", number), f"here-{number}")


def polls(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    for place in range(0, len(messages), 3):
        yield messages[place : place + 3]
        yield ()


messages = st.lists(
    st.builds(unread, st.integers(0, 99), st.integers(0, 150)) | st.builds(here, st.integers(0, 99))
)


@given(messages)
def test_all_come_once_in_their_order(given: list[Message]) -> None:
    read: list[int] = []
    came = [one for batch in read_ahead(polls(given), Echo, read.append) for one in batch]
    assert [message.name for message in came] == [message.name for message in given]
    assert [message.payload for message in came] == [
        message.payload or message.name.encode() for message in given
    ]
    assert read == [message.unread for message in given if message.unread is not None]


def test_a_watermark_waits_for_the_objects_before_it() -> None:
    end = watermark_message("bucket", 1000.0)
    came = [one for batch in read_ahead([[unread(1), unread(2), end], []], Echo) for one in batch]
    assert [message.watermark is not None for message in came] == [False, False, True]


def test_as_many_are_read_at_once_as_the_reader_allows() -> None:
    together = threading.Barrier(Echo.threads)

    def all_at_once(message: Message) -> None:
        together.wait(PATIENCE)

    read_all = read_ahead([[unread(number) for number in range(8)]], lambda: Echo(all_at_once))
    assert len(list(read_all)) == 8


def test_what_waits_in_memory_is_bounded() -> None:
    begun: list[str] = []
    reader = Echo(lambda message: begun.append(message.name))
    reading = read_ahead([[unread(number, 40) for number in range(20)]], lambda: reader)
    for taken in range(1, 21):
        next(reading)
        assert len(begun) <= taken + 100 // 40
    assert reader.closed is False
    reading.close()
    assert reader.closed


def test_an_object_above_the_bound_comes_nevertheless() -> None:
    assert len(list(read_ahead([[unread(1, 500), unread(2, 500)]], Echo))) == 2


def names_of(message: Message) -> BatchResult:
    return BatchResult(problems=[Problem(message.name, message.payload.decode())], messages=1)


@pytest.mark.parametrize("size", [2, 3])
def test_workers_read_what_they_process(size: int) -> None:
    given = [unread(number) if number % 5 else here(number) for number in range(500)]
    read: list[int] = []
    pool = WorkerPool(names_of, size, pytest.fail, open_reader=Echo, on_read=read.append)
    came = [(one, result) for batch, result in pool.run(polls(given)) for one in batch]
    assert [message for message, _ in came] == given
    reasons = [result.problems[0].reason for _, result in came]
    assert reasons == [message.payload.decode() or message.name for message in given]
    assert read == [10] * 400


def test_what_ends_a_reader_ends_the_run() -> None:
    def refuse(message: Message) -> None:
        if message.name == "object-70":
            raise SourceError("the credentials have expired")

    pool = WorkerPool(names_of, 2, pytest.fail, open_reader=lambda: Echo(refuse))
    with pytest.raises(SourceError, match="the credentials have expired"):
        list(pool.run(polls([unread(number) for number in range(100)])))


def test_a_worker_that_dies_while_it_reads_ahead_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    died = tmp_path_factory.mktemp("died") / "once"

    def die_once(message: Message) -> None:
        if message.name == "object-150" and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    given = [unread(number) for number in range(400)]
    reports: list[str] = []
    pool = WorkerPool(names_of, 2, reports.append, open_reader=lambda: Echo(die_once))
    came = [one for batch, result in pool.run(polls(given)) for one in batch for _ in result.problems]
    assert came == given
    assert "a worker process died (signal SIGKILL)" in reports[0]
