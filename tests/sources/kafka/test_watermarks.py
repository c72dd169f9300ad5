"""What the partitions of a topic say of how far they are read, with both clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.servers.kafka import Kafka
from tests.sources.kafka.topic import CLIENTS, Topic, alive_until, new_topic
from tests.sources.watermarks import NOW, Said, polled_until, said
from trailsieve.ports import RunContext
from trailsieve.sources.kafka import source as kafka_source
from trailsieve.sources.kafka.config import Config
from trailsieve.sources.kafka.consumer import UnreachableError
from trailsieve.sources.kafka.source import KafkaSource, open_source


@pytest.fixture(params=CLIENTS)
def topic(request: pytest.FixtureRequest, kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    """Two partitions; the source asks for their ends with every poll."""
    monkeypatch.setattr(kafka_source, "_WATERMARK_SECONDS", 0.0)
    made = new_topic(kafka, request.param, partitions=2)
    yield made
    made.close()


def opened(topic: Topic, now: float | None = NOW, **settings: object) -> KafkaSource:
    config = Config(**topic.settings(**settings))
    topic.sources.append(open_source(config, RunContext(now=lambda: now)))
    topic.sources[-1].start({})
    return topic.sources[-1]


def ends(topic: Topic) -> list[tuple[str, float]]:
    return [(f"{topic.name}/{number}", NOW) for number in (0, 1)]


def test_partitions_come_first_and_the_end_of_each_after_its_last_record(topic: Topic) -> None:
    topic.produce([b"0.%d" % number for number in range(5)], 0)
    topic.produce([b"1.%d" % number for number in range(5)], 1)
    source = opened(topic, max_poll_records=2)
    heard = polled_until(source, lambda heard: set(ends(topic)) <= set(heard))
    first_record = next(n for n, each in enumerate(heard) if isinstance(each, str))
    for number, end in enumerate(ends(topic)):
        assert heard.index((end[0], None)) < first_record
        assert heard.index(end) > heard.index(f"{number}.4")


def test_nothing_is_said_of_records_that_came_while_a_sink_was_slow(topic: Topic) -> None:
    topic.produce([b"first"])
    source = opened(topic)
    polled_until(source, lambda heard: "first" in heard and set(ends(topic)) <= set(heard))
    alive_until(source, lambda: True, "it was paused")
    topic.produce([b"second"])
    heard = polled_until(source, lambda heard: ends(topic)[0] in heard and "second" in heard)
    assert heard.index("second") < len(heard) - heard[::-1].index(ends(topic)[0])
    assert ends(topic)[0] not in heard[: heard.index("second")]


def test_nothing_is_said_while_the_end_offsets_cannot_be_had(
    topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic.produce([b"1"])
    source = opened(topic)
    polled_until(source, lambda heard: "1" in heard)
    assert source._consumer

    def away(shards: object) -> Mapping[str, int]:
        raise UnreachableError("no broker")

    with monkeypatch.context() as broken:
        broken.setattr(source._consumer, "end_offsets", away)
        assert said(source.poll()) == []
    polled_until(source, lambda heard: set(ends(topic)) <= set(heard))


def test_nothing_is_said_while_the_clock_cannot_be_trusted(topic: Topic) -> None:
    topic.produce([b"1"])
    source = opened(topic, now=None)
    heard = polled_until(source, lambda heard: "1" in heard)
    heard += said(source.poll())
    assert {each[1] for each in heard if not isinstance(each, str)} <= {None, "elsewhere"}


def marks(heard: list[Said]) -> list[tuple[str, object]]:
    """The watermarks of partitions that are not elsewhere."""
    return [each for each in heard if not isinstance(each, str) and each[1] != "elsewhere"]


def test_a_partition_that_another_member_takes_is_elsewhere(topic: Topic) -> None:
    one = opened(topic)
    polled_until(one, lambda heard: set(ends(topic)) <= set(heard))
    two = opened(topic)
    moved: list[Said] = []

    def one_moved(heard: list[Said]) -> bool:
        moved.extend(said(two.poll()))
        return any(each in heard for each in [(shard, "elsewhere") for shard, _ in ends(topic)])

    polled_until(one, one_moved)
    heard = polled_until(two, lambda heard: any(end in [*moved, *heard] for end in ends(topic)))
    assert len({shard for shard, _ in marks([*moved, *heard])}) == 1
