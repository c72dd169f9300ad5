"""Errors that librdkafka reports between records, which a real broker shows only for moments."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from trailsieve.errors import SourceError
from trailsieve.sources.kafka.config import Config
from trailsieve.sources.kafka.confluent import ConfluentConsumer
from trailsieve.sources.kafka.consumer import UnreachableError

KafkaError = pytest.importorskip("confluent_kafka").KafkaError


class Brokers:
    """What librdkafka answers: an error with each poll, and the topics that brokers know."""

    def __init__(self) -> None:
        self.topics: dict[str, Any] = {}
        self.error: Any = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)

    def consume(self, most: int, seconds: float) -> list[Any]:
        error, self.error = self.error, None
        return [SimpleNamespace(error=lambda: error)] if error else []

    def list_topics(self, timeout: float) -> Any:
        return SimpleNamespace(topics=self.topics)

    def subscribe(self, topics: list[str], **_: Any) -> None:
        self.subscribed = topics

    def assignment(self) -> list[Any]:
        return [SimpleNamespace(topic="trail", partition=3)]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def brokers() -> Brokers:
    return Brokers()


@pytest.fixture
def consumer(brokers: Brokers, monkeypatch: pytest.MonkeyPatch) -> ConfluentConsumer:
    consumer = ConfluentConsumer(
        Config(bootstrap_servers=["127.0.0.1:1"], topics=["trail"], client="confluent")
    )
    consumer._consumer.close()
    monkeypatch.setattr(consumer, "_consumer", brokers)
    consumer.subscribe(["trail"], SimpleNamespace())
    return consumer


def test_a_broker_that_knows_no_topic_for_a_moment_ends_nothing(
    brokers: Brokers, consumer: ConfluentConsumer
) -> None:
    assert consumer.poll(0, 10) == []
    brokers.topics = {"trail": SimpleNamespace(error=None)}
    assert consumer.poll(0, 10) == []
    assert consumer._error is None


def test_a_topic_that_stays_unknown_ends_the_run(
    brokers: Brokers, consumer: ConfluentConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert consumer.poll(0, 10) == []
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + 31)
    with pytest.raises(SourceError, match="the topic no longer exists"):
        consumer.poll(0, 10)


@pytest.mark.parametrize("code", [KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID])
def test_a_fenced_member_joins_again_once(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its coordinator may have fenced it by mistake. If not, two processes would fence each other in turn."""
    made: list[Brokers] = []
    revoked: list[str] = []

    def consumer_of(options: dict[str, Any]) -> Brokers:
        made.append(brokers := Brokers())
        brokers.error = KafkaError(code)
        return brokers

    monkeypatch.setattr("trailsieve.sources.kafka.confluent.Consumer", consumer_of)
    consumer = ConfluentConsumer(
        Config(bootstrap_servers=["h:1"], topics=["trail"], client="confluent", group_instance_id="one")
    )
    consumer.subscribe(["trail"], SimpleNamespace(revoked=revoked.extend))
    with pytest.raises(UnreachableError, match="joining the group again"):
        consumer.poll(0, 10)
    first, second = made
    assert (first.closed, second.subscribed, revoked) == (True, ["trail"], ["trail/3"])
    with pytest.raises(SourceError, match="another process uses the same `group_instance_id`"):
        consumer.poll(0, 10)
