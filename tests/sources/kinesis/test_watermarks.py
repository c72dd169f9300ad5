"""What the shards of a stream say of how far they are read."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.servers.kinesis import Kinesis, Stream, create
from tests.sources.watermarks import NOW, Said, polled_until, said
from trailsieve.ports import RunContext
from trailsieve.sources.kinesis.source import Config, KinesisSource


class Reader:
    """A source by a clock of its own; every GetRecords passes through `answer`."""

    def __init__(self, stream: Stream) -> None:
        self.monotonic = 0.0
        self.now: float | None = NOW
        url = stream.client.meta.endpoint_url
        config = Config(stream=stream.name, endpoint_url=url, region="us-east-1")
        context = RunContext(now=lambda: self.now)
        self.source = KinesisSource(config, context, lambda: self.monotonic, self._sleep)
        self._data = self.source._data
        self.source._data = self
        self.answer: Callable[[Any], Any] = lambda response: response
        self.source.start({})

    def _sleep(self, seconds: float) -> None:
        self.monotonic += seconds

    def get_records(self, **asked: Any) -> Any:
        return self.answer(self._data.get_records(**asked))

    def get_shard_iterator(self, **asked: Any) -> Any:
        return self._data.get_shard_iterator(**asked)

    def said(self, polls: int) -> list[Said]:
        """What it says in so many polls."""
        return [each for _ in range(polls) for each in said(self.source.poll())]


@pytest.fixture
def stream(kinesis: Kinesis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    made = create(kinesis, f"trail-{uuid.uuid4().hex[:8]}")
    yield made
    made.client.delete_stream(StreamName=made.name)


@pytest.fixture
def reader(stream: Stream) -> Iterator[Reader]:
    made = Reader(stream)
    yield made
    made.source.close()


def shards(stream: Stream) -> list[str]:
    return [f"{stream.name}/{shard['ShardId']}" for shard in stream.shards()]


def test_the_shard_comes_first_and_its_end_after_the_last_record(stream: Stream, reader: Reader) -> None:
    stream.put([b"1", b"2"], key="one")
    (shard,) = shards(stream)
    heard = polled_until(reader.source, lambda heard: "2" in heard and heard[-1] == (shard, NOW))
    assert heard[0] == (shard, None)
    assert heard[-3:] == ["1", "2", (shard, NOW)]


def test_a_shard_that_is_behind_says_nothing(stream: Stream, reader: Reader) -> None:
    stream.put([b"1"])
    reader.answer = lambda response: {**response, "MillisBehindLatest": 1}
    assert reader.said(5) == [(shards(stream)[0], None), "1"]
    reader.answer = lambda response: response
    assert (shards(stream)[0], NOW) in reader.said(3)


def test_a_shard_that_cannot_be_reached_says_nothing(stream: Stream, reader: Reader) -> None:
    def away(response: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="http://kinesis")

    (shard,) = shards(stream)
    polled_until(reader.source, lambda heard: (shard, NOW) in heard)
    reader.answer = away
    assert reader.said(10) == []
    reader.answer = lambda response: response
    polled_until(reader.source, lambda heard: (shard, NOW) in heard)


def test_nothing_is_said_while_the_clock_cannot_be_trusted(stream: Stream, reader: Reader) -> None:
    stream.put([b"1"])
    reader.now = None
    assert reader.said(5) == [(shards(stream)[0], None), "1"]


def test_children_come_before_the_end_of_their_parent(stream: Stream, reader: Reader) -> None:
    (parent,) = shards(stream)
    polled_until(reader.source, lambda heard: (parent, NOW) in heard)
    stream.split()
    children = [shard for shard in shards(stream) if shard != parent]
    heard = polled_until(reader.source, lambda heard: {(child, NOW) for child in children} <= set(heard))
    ended = heard.index((parent, "ended"))
    for child in children:
        assert heard.index((child, None)) < ended < heard.index((child, NOW))
    assert (parent, NOW) not in heard[ended:]
