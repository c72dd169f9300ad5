"""What the tests of the Kafka source share: topics, records with known hits, sources in this process."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench import archive
from tests.conftest import ROOT
from tests.servers.kafka import Kafka
from tests.servers.patience import until
from trailsieve.engine.decode import Decoder
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.processor import Processor
from trailsieve.model import Message, Position
from trailsieve.ports import RunContext
from trailsieve.rules.load import load_pack
from trailsieve.sources.kafka.config import Config
from trailsieve.sources.kafka.source import KafkaSource, open_source

CLIENTS = ("confluent", "kafka-python")


@dataclass
class Topic:
    """A topic of its own, and sources that read it."""

    cluster: Kafka
    client: str
    name: str
    said: list[str] = field(default_factory=list)
    sources: list[KafkaSource] = field(default_factory=list)

    def produce(self, payloads: Sequence[bytes], partition: int = 0) -> None:
        self.cluster.produce(self.name, payloads, partition)

    def settings(self, **other: Any) -> dict[str, Any]:
        return {
            "bootstrap_servers": self.cluster.servers,
            "client": self.client,
            "topics": [self.name],
            "group": f"group-of-{self.name}",
            "session_timeout": 6.0,
            **other,
        }

    def source(self, **other: Any) -> KafkaSource:
        """A member of the topic's group; closed at the end of the test."""
        source = open_source(Config(**self.settings(**other)), RunContext(info=self.said.append))
        self.sources.append(source)
        return source

    def config(self, **other: Any) -> str:
        """The settings as a table of a configuration."""
        lines = [f"{name} = {_toml(value)}" for name, value in self.settings(**other).items()]
        return "\n".join(["[source]", 'kind = "kafka"', *lines])

    def committed(self) -> dict[int, int]:
        """What the group has committed, by partition, asked without joining it."""
        from confluent_kafka import Consumer, TopicPartition

        group = f"group-of-{self.name}"
        asking = Consumer({"bootstrap.servers": self.cluster.bootstrap, "group.id": group, "log_level": 0})
        count = len(asking.list_topics(self.name, timeout=10).topics[self.name].partitions)
        found = asking.committed([TopicPartition(self.name, number) for number in range(count)], timeout=10)
        asking.close()
        return {each.partition: each.offset for each in found if each.offset >= 0}

    def members(self) -> int:
        """How many members the group has given partitions to."""
        from confluent_kafka.admin import AdminClient

        group = f"group-of-{self.name}"
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap, "log_level": 0})
        found = admin.describe_consumer_groups([group])[group].result(10)
        return sum(bool(member.assignment.topic_partitions) for member in found.members)

    def forget_group(self) -> None:
        """Deletes the group's offsets, as the brokers do after a week without commits."""
        from confluent_kafka.admin import AdminClient

        group = f"group-of-{self.name}"
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap, "log_level": 0})
        until(
            lambda: admin.delete_consumer_groups([group])[group].exception(10) is None,
            "the group was deleted",
        )

    def make_anew(self) -> None:
        """Deletes the topic and makes another one of the same name."""
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap, "log_level": 0})
        admin.delete_topics([self.name])[self.name].result(30)
        until(lambda: self.name not in admin.list_topics(timeout=10).topics, "the topic was deleted")
        self.cluster.create_topic(self.name)

    def close(self) -> None:
        for source in self.sources:
            source.close()


def new_topic(cluster: Kafka, client: str, partitions: int = 1, copies: int = 1) -> Topic:
    """A topic that no other test knows."""
    name = f"trail-{uuid.uuid4().hex[:8]}"
    cluster.create_topic(name, partitions, copies)
    return Topic(cluster, client, name)


def read(source: KafkaSource, count: int) -> list[Message]:
    """Polls until so many messages came."""
    messages: list[Message] = []

    def enough() -> bool:
        messages.extend(message for message in source.poll() if not message.marker)
        return len(messages) >= count

    until(enough, f"{count} messages came")
    return messages


def alive_until(source: KafkaSource, condition: Callable[[], bool], what: str) -> None:
    """Does what the engine does in mid-epoch while a sink refuses."""

    def asked() -> bool:
        source.keep_alive()
        return condition()

    until(asked, what)


def positions(messages: Sequence[Message]) -> list[Position]:
    return [message.position for message in messages]


def cloudtrail(count: int, seed: int = 1) -> list[bytes]:
    """Records of the sample archive with eventIDs of their own; every tenth is one that a rule of CIS matches."""
    chance = random.Random(seed)
    hits, quiet = archive.sorted_by_hit(archive.texts_of(ROOT / "samples" / "archive"))
    texts = [hits if number % 10 == 0 else quiet for number in range(count)]
    return [archive.renamed(chance.choice(some), chance) for some in texts]


def alert_ids(payloads: Sequence[bytes]) -> set[str]:
    """The ids of the alerts that are in them."""
    processor = Processor(Decoder(), Matcher(load_pack("cis-aws").rules))
    messages = [Message(payload, Position("", 0), "") for payload in payloads]
    return {alert.id for _, found in processor.process_poll(messages) for alert in found.alerts}


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
