"""Reads topics of Apache Kafka as a member of a consumer group.

Offsets are committed after delivery, never before. While a sink is slow, all partitions are paused and
polling continues, so that the member stays in its group. If partitions are revoked nevertheless, the records
already polled are still delivered, but their offsets are not committed: the new owner commits its own.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence

from trailsieve.errors import OtherSourceError, SourceError, counted
from trailsieve.model import IDENTITY, Message, Offset, Position, watermark_message
from trailsieve.ports import RunContext
from trailsieve.sources.identity import verified
from trailsieve.sources.kafka.config import Config
from trailsieve.sources.kafka.consumer import Consumer, Offsets, UnreachableError, parts_of, topic_part
from trailsieve.trail.selection import Selection
from trailsieve.wire.kafka import client_of

_POLL_SECONDS = 1.0  # that a poll waits for a record, and the pause after an unreachable broker
_TRIES = 4  # to reach the group's coordinator in a check
_WATERMARK_SECONDS = 1.0  # between requests for the end offsets
_KEEP_ALIVE_SECONDS = 0.1  # that a poll takes while paused, enough for a step of a rebalance


def open_source(config: Config, context: RunContext) -> KafkaSource:
    """The source for these settings. Does not connect."""
    return KafkaSource(config, context)


def open_consumer(config: Config) -> Consumer:
    """A connected client that is not yet a member of the group. May block for about 5 seconds."""
    if client_of(config) == "confluent":
        from trailsieve.sources.kafka.confluent import ConfluentConsumer

        return ConfluentConsumer(config)
    from trailsieve.sources.kafka.kafka_python import KafkaPythonConsumer

    return KafkaPythonConsumer(config)


def _committed(consumer: Consumer, shards: Sequence[str]) -> dict[str, int | None]:
    """The committed offsets; retries, because the first request for a group creates its coordinator."""
    for _ in range(_TRIES):
        try:
            return consumer.committed(shards)
        except UnreachableError:
            time.sleep(_POLL_SECONDS)
    return consumer.committed(shards)


class KafkaSource:
    """The records of the partitions assigned to this member. A shard is `topic/partition`."""

    whole_objects = False
    open_reader = None
    ordered = True
    selection = Selection()
    exhausted = False

    def __init__(self, config: Config, context: RunContext) -> None:
        self._config = config
        self._info = context.info
        self._consumer: Consumer | None = None
        self._known: Mapping[str, Offset] = {}
        self._polled: dict[str, int] = {}  # the next offset to poll of each partition, as far as known
        self._committed: dict[str, int] = {}  # offsets of assigned partitions; 0 for none
        self._delivered: dict[str, int] = {}
        self._buffered: list[Message] = []  # arrived during a pause
        self._paused = False
        self._unreachable = False
        self._now = context.now
        self._gauge = context.gauge
        self._reachable = context.reachable
        self._changed: list[Message] = []  # partitions that were assigned or revoked
        self._asked_at = 0.0  # when the end offsets were last requested

    def start(self, positions: Mapping[str, Offset]) -> None:
        self._known = positions
        self._polled = {shard: offset for shard, offset in positions.items() if isinstance(offset, int)}

    def poll(self) -> Sequence[Message]:
        began = time.monotonic()
        try:
            messages = self._fetch()
        except UnreachableError as error:
            self._report_unreachable(error)
            time.sleep(max(0.0, began + _POLL_SECONDS - time.monotonic()))
            return ()
        self._report_reachable()
        for message in messages:
            self._polled[message.position.shard] = message.position.offset  # type: ignore[assignment]
        changed, self._changed = self._changed, []
        return [*changed, *messages, *self._watermarks()]

    def keep_alive(self) -> None:
        if self._consumer is None:
            return
        try:
            if not self._paused:
                self._paused = True
                self._consumer.pause()
            self._buffered += self._consumer.poll(_KEEP_ALIVE_SECONDS, self._config.max_poll_records)
        except UnreachableError as error:
            self._report_unreachable(error)

    def commit(self, positions: Iterable[Position]) -> None:
        for position in positions:
            if isinstance(position.offset, int):
                self._delivered[position.shard] = position.offset
        try:
            self._flush()
        except UnreachableError as error:
            self._report_unreachable(error)

    def check(self) -> str:
        topics = self._config.topics
        try:
            consumer = open_consumer(self._config)
            try:
                shards = consumer.partitions(topics)
                _committed(consumer, shards)
            finally:
                consumer.close()
        except UnreachableError as error:
            hint = "check `bootstrap_servers`, `security` and the network"
            if self._config.mechanism:  # kafka-python often misses why a broker closes the connection
                hint = f"check `username`, `password` and `mechanism`; then {hint}"
            raise SourceError(f"{self._name()}: {error}; {hint}") from None
        return f"{client_of(self._config)} reads {', '.join(topics)} ({counted(len(shards), 'partition')})"

    def close(self) -> None:
        if self._consumer is not None:
            self.commit(())
            self._consumer.close()
            self._consumer = None

    def assigned(self, committed: Mapping[str, int | None]) -> Offsets:
        """See `AssignmentListener`: continues from the checkpoint or the group, whichever is further."""
        offsets = {}
        for shard, offset in committed.items():
            self._changed.append(watermark_message(shard))
            self._committed[shard] = offset or 0
            if (
                offset is not None and shard not in self._polled
            ):  # the group may forget it before a record comes
                self._changed.append(Message(b"", Position(shard, offset), shard, marker=True))
            known = max(self._polled.get(shard, 0), offset or 0)
            if known:
                offsets[shard] = self._polled[shard] = known
        return offsets

    def revoked(self, shards: Collection[str]) -> None:
        """See `AssignmentListener`."""
        for shard in shards:
            self._changed.append(watermark_message(shard, elsewhere=True))
            self._committed.pop(shard, None)
        self._buffered = [message for message in self._buffered if message.position.shard not in shards]

    def _fetch(self) -> list[Message]:
        consumer = self._consumer or self._join()
        if self._paused:
            consumer.resume()
            self._paused = False
        self._flush()
        if self._buffered:
            buffered, self._buffered = self._buffered, []
            return buffered
        return consumer.poll(_POLL_SECONDS, self._config.max_poll_records)

    def _watermarks(self) -> list[Message]:
        """The partitions that are read to their end offset, once a second."""
        now = self._now()
        consumer = self._consumer
        if now is None or consumer is None or self._buffered or not self._committed:
            return []
        if time.monotonic() - self._asked_at < _WATERMARK_SECONDS:
            return []
        self._asked_at = time.monotonic()
        try:
            ends = consumer.end_offsets(list(self._committed))
            positions = {shard: self._position(consumer, shard) for shard in ends}
        except UnreachableError:
            return []  # the next poll reports it
        self._gauge("kafka_lag_records", sum(max(0, end - positions[shard]) for shard, end in ends.items()))
        return [watermark_message(shard, now) for shard, end in ends.items() if positions[shard] == end]

    def _position(self, consumer: Consumer, shard: str) -> int:
        return max(self._polled.get(shard, 0), consumer.position(shard))

    def _join(self) -> Consumer:
        consumer = open_consumer(self._config)
        try:
            shards = consumer.partitions(self._config.topics)
            self._verify(consumer, shards)
            if self._config.start == "latest":
                self._start_at_end(consumer, shards)
            self._changed += [watermark_message(shard, elsewhere=True) for shard in shards]
            consumer.subscribe(self._config.topics, self)
        except BaseException:
            consumer.close()
            raise
        self._consumer = consumer
        self._report_reachable()
        return consumer

    def _verify(self, consumer: Consumer, shards: Sequence[str]) -> None:
        """Compares the cluster and the topics with those of the checkpoint.

        Raises:
            OtherSourceError: they are others, so the saved offsets would skip records.
        """
        ids = consumer.identity(self._config.topics)
        self._changed += verified(self._known, {"kind": "kafka", **ids})
        unsure = [
            shard
            for shard in shards
            if shard in self._polled and IDENTITY + topic_part(parts_of(shard)[0]) not in self._known
        ]
        beyond = [
            f"the saved offset of {shard} is {self._polled[shard]} and its end is {end}"
            for shard, end in (consumer.end_offsets(unsure) if unsure else {}).items()
            if self._polled[shard] > end
        ]
        if beyond:
            raise OtherSourceError(beyond)

    def _start_at_end(self, consumer: Consumer, shards: Sequence[str]) -> None:
        """Commits the end offsets once for a new group; partitions added later are read in full."""
        if any(shard in self._polled for shard in shards):
            return
        if all(offset is None for offset in consumer.committed(shards).values()):
            consumer.commit(consumer.end_offsets(shards))

    def _flush(self) -> None:
        """Commits what is delivered, for partitions that are still assigned, and never backwards."""
        due = {
            shard: offset
            for shard, offset in self._delivered.items()
            if offset > self._committed.get(shard, offset)
        }
        if due and self._consumer is not None:
            self._consumer.commit(due)
            self._committed.update(due)

    def _report_unreachable(self, error: UnreachableError) -> None:
        if not self._unreachable:
            self._unreachable = True
            self._reachable(False)
            self._info(f"{self._name()}: {error}; retrying")

    def _report_reachable(self) -> None:
        if self._unreachable:
            self._unreachable = False
            self._reachable(True)
            self._info(f"{self._name()} is reachable again")

    def _name(self) -> str:
        return f"Kafka at {', '.join(self._config.bootstrap_servers)}"
