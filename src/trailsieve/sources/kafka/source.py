"""Topics of Apache Kafka, read as a member of a consumer group.

Offsets are committed after delivery, never before. While a sink keeps us waiting all partitions are paused
and polling goes on, so that the group does not take them away; if it does all the same, what is in our hands
is delivered, and not committed over the head of the new owner.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from trailsieve.errors import SourceError
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import RunContext
from trailsieve.sources.kafka.config import Config
from trailsieve.sources.kafka.consumer import AwayError, Consumer, Offsets
from trailsieve.trail.selection import Selection
from trailsieve.wire.kafka import client_of

_PATIENCE = 1.0  # seconds that a poll waits for a record
_TRIES = 4  # before a check says that the group's coordinator does not answer
_SIGN_OF_LIFE = 0.1  # seconds that a poll on hold takes, enough for a step of a rebalance


def open_source(config: Config, context: RunContext) -> KafkaSource:
    """Topics as a source."""
    return KafkaSource(config, context)


def open_consumer(config: Config) -> Consumer:
    """A client, not yet a member of the group."""
    if client_of(config) == "confluent":
        from trailsieve.sources.kafka.confluent import ConfluentConsumer

        return ConfluentConsumer(config)
    from trailsieve.sources.kafka.kafka_python import PythonConsumer

    return PythonConsumer(config)


def _committed(consumer: Consumer, shards: Sequence[str]) -> dict[str, int | None]:
    """A group's first question makes its coordinator, which takes a moment."""
    for _ in range(_TRIES):
        try:
            return consumer.committed(shards)
        except AwayError:
            time.sleep(_PATIENCE)
    return consumer.committed(shards)


class KafkaSource:
    """Yields the records of the partitions that the group gives us. A shard is `topic/partition`."""

    whole_objects = False
    ordered = True
    selection = Selection()
    exhausted = False

    def __init__(self, config: Config, context: RunContext) -> None:
        self._config = config
        self._say = context.info
        self._consumer: Consumer | None = None
        self._known: dict[str, int] = {}  # how far each partition was polled, by us or before us
        self._committed: dict[str, int] = {}  # of the partitions that are ours; 0 for nothing
        self._delivered: dict[str, int] = {}
        self._kept: list[Message] = []  # came while on hold
        self._on_hold = False
        self._away = False

    def start(self, positions: Mapping[str, Offset]) -> None:
        known = positions.items()
        self._known = {shard: offset for shard, offset in known if isinstance(offset, int)}

    def poll(self) -> Sequence[Message]:
        began = time.monotonic()
        try:
            messages = self._fetched()
        except AwayError as error:
            self._miss(error)
            time.sleep(max(0.0, began + _PATIENCE - time.monotonic()))
            return ()
        self._met()
        for message in messages:
            self._known[message.position.shard] = message.position.offset  # type: ignore[assignment]
        return messages

    def keep_alive(self) -> None:
        if self._consumer is None:
            return
        try:
            if not self._on_hold:
                self._on_hold = True
                self._consumer.hold()
            self._kept += self._consumer.poll(_SIGN_OF_LIFE, self._config.max_poll_records)
        except AwayError as error:
            self._miss(error)

    def commit(self, positions: Iterable[Position]) -> None:
        for position in positions:
            assert isinstance(position.offset, int)
            self._delivered[position.shard] = position.offset
        try:
            self._flush()
        except AwayError as error:
            self._miss(error)

    def check(self) -> str:
        topics = self._config.topics
        try:
            consumer = open_consumer(self._config)
            try:
                shards = consumer.partitions(topics)
                _committed(consumer, shards)
            finally:
                consumer.close()
        except AwayError as error:
            hint = "are `bootstrap_servers` and `security` right, and may we connect?"
            if self._config.mechanism:  # kafka-python often misses why brokers hang up
                hint = f"are user name, password and `mechanism` right? If so, {hint}"
            raise SourceError(f"{self._name()}: {error}; {hint}") from None
        return f"{client_of(self._config)} reads {', '.join(topics)} ({len(shards)} partitions)"

    def close(self) -> None:
        if self._consumer is not None:
            self.commit(())
            self._consumer.close()
            self._consumer = None

    def assigned(self, committed: Mapping[str, int | None]) -> Offsets:
        """The group gave us partitions: see `Owner`."""
        begins = {}
        for shard, offset in committed.items():
            self._committed[shard] = offset or 0
            known = max(self._known.get(shard, 0), offset or 0)
            if known:
                begins[shard] = self._known[shard] = known
        return begins

    def revoked(self, shards: Collection[str]) -> None:
        """The group took partitions away: see `Owner`."""
        for shard in shards:
            self._committed.pop(shard, None)
        self._kept = [message for message in self._kept if message.position.shard not in shards]

    def _fetched(self) -> list[Message]:
        consumer = self._consumer or self._joined()
        if self._on_hold:
            consumer.go_on()
            self._on_hold = False
        self._flush()
        if self._kept:
            kept, self._kept = self._kept, []
            return kept
        return consumer.poll(_PATIENCE, self._config.max_poll_records)

    def _joined(self) -> Consumer:
        consumer = open_consumer(self._config)
        try:
            shards = consumer.partitions(self._config.topics)
            if self._config.start == "latest":
                self._begin_at_the_end(consumer, shards)
            consumer.subscribe(self._config.topics, self)
        except BaseException:
            consumer.close()
            raise
        self._consumer = consumer
        self._met()
        return consumer

    def _begin_at_the_end(self, consumer: Consumer, shards: Sequence[str]) -> None:
        """Once in a group's life. Later nothing is left out, not even of partitions that are added."""
        if any(shard in self._known for shard in shards):
            return
        if all(offset is None for offset in consumer.committed(shards).values()):
            consumer.commit(consumer.ends(shards))

    def _flush(self) -> None:
        """Commits what is delivered, of partitions that are still ours, and never backwards."""
        due = {
            shard: offset
            for shard, offset in self._delivered.items()
            if offset > self._committed.get(shard, offset)
        }
        if due and self._consumer is not None:
            self._consumer.commit(due)
            self._committed.update(due)

    def _miss(self, error: AwayError) -> None:
        if not self._away:
            self._away = True
            self._say(f"{self._name()}: {error}; waiting for it")

    def _met(self) -> None:
        if self._away:
            self._away = False
            self._say(f"{self._name()} answers again")

    def _name(self) -> str:
        return f"Kafka at {', '.join(self._config.bootstrap_servers)}"
