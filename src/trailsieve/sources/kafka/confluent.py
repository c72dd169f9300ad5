"""The Kafka client of the source on confluent-kafka (librdkafka), which fetches in background threads."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from trailsieve.errors import SourceError, visible
from trailsieve.model import Message
from trailsieve.sources.kafka.config import Config
from trailsieve.sources.kafka.consumer import (
    AssignmentListener,
    Offsets,
    UnreachableError,
    identity_of,
    message_of,
    parts_of,
    shard_of,
    unknown_topic,
)
from trailsieve.wire.kafka import confluent_options

_TIMEOUT = 5.0  # seconds to wait for one response
_GONE_SECONDS = 30.0  # that brokers do not know a topic, after which it counts as deleted
_GATHER = 0.005  # seconds that a poll with one record waits for more
_REFUSALS = {
    KafkaError._AUTHENTICATION: "check `username`, `password` and `mechanism`",
    KafkaError.SASL_AUTHENTICATION_FAILED: "check `username`, `password` and `mechanism`",
    KafkaError.UNSUPPORTED_SASL_MECHANISM: "set `mechanism` to one that the brokers support",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "grant this user Describe and Read on the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "grant this user Read on the group",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "grant this user the permission named",
    KafkaError.FENCED_INSTANCE_ID: "another process uses the same `group_instance_id`",
    KafkaError.INVALID_SESSION_TIMEOUT: "the brokers do not allow this `session_timeout`",
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: "other consumers use this `group` differently: rename it",
    KafkaError._SSL: "check that `ca_file` signed the brokers' certificates, and the host names in them",
    KafkaError._INVALID_ARG: "fix the configuration",
}
_UNKNOWN = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
_FENCED = {KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID}  # after which librdkafka reads no more
_NO_ANSWER = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN}
_TRANSIENT = {
    KafkaError._MAX_POLL_EXCEEDED,  # the consumer rejoins
    KafkaError._PARTITION_EOF,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError._NO_OFFSET,
    KafkaError._STATE,
    KafkaError._ASSIGNMENT_LOST,
}


class ConfluentConsumer:
    """See `consumer.Consumer`. librdkafka calls back in the polling thread, from within its calls."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._error: KafkaError | None = None
        self._paused = False
        self._assigned: list[str] = []  # partitions assigned but not yet started
        self._listener: AssignmentListener | None = None
        self._topics: list[str] = []
        self._unknown_since: float | None = None  # a topic has been missing from the brokers' answers
        self._ends: dict[str, int] = {}  # offsets at which librdkafka saw the end of a partition
        self._committing: dict[str, int] = {}
        self._uncommitted: dict[str, int] = {}  # commits that failed, to be retried
        self._rejoined_at: float | None = None  # when a fenced consumer was last replaced
        self._rejoin_seconds = 10 * config.session_timeout
        self._options = {
            **confluent_options(config),
            "group.id": config.group,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "session.timeout.ms": round(config.session_timeout * 1000),
            "heartbeat.interval.ms": round(min(3.0, config.session_timeout / 3) * 1000),
            "partition.assignment.strategy": "range",
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 500,
            "queued.max.messages.kbytes": 32 * 1024,
            "fetch.queue.backoff.ms": 10,  # the default pauses a full queue for a second
            "reconnect.backoff.max.ms": 2000,
            "log_level": 0,
            "error_cb": self._on_error,
            "on_commit": self._on_commit,
        }
        if config.group_instance_id:
            self._options["group.instance.id"] = config.group_instance_id
        try:
            self._consumer = Consumer(self._options)
        except KafkaException as error:
            raise SourceError(f"confluent-kafka rejects the configuration: {error.args[0].str()}") from None

    def partitions(self, topics: Sequence[str]) -> list[str]:
        with self._translated():
            try:
                known = self._consumer.list_topics(timeout=_TIMEOUT).topics
            except KafkaException:
                self._consumer.poll(0.1)  # passes the reason to `_on_error`
                raise
        for topic in topics:
            if topic not in known:
                raise SourceError(unknown_topic(topic, known))
            if known[topic].error is not None:
                self._raise(known[topic].error)
        return [shard_of(topic, number) for topic in topics for number in sorted(known[topic].partitions)]

    def identity(self, topics: Sequence[str]) -> dict[str, str]:
        admin = AdminClient({**confluent_options(self._config), "log_level": 0})
        asked = admin.describe_topics(TopicCollection(list(topics)), request_timeout=_TIMEOUT)
        ids = {}
        with self._translated():
            for topic, described in asked.items():
                found = described.result().topic_id
                parts = found.get_most_significant_bits(), found.get_least_significant_bits()
                ids[topic] = struct.pack(">qq", *parts)
            return identity_of(self._consumer.list_topics(timeout=_TIMEOUT).cluster_id, ids)

    def committed(self, shards: Sequence[str]) -> dict[str, int | None]:
        with self._translated():
            found = self._consumer.committed([_partition(shard) for shard in shards], _TIMEOUT)
        for each in found:
            if each.error:
                self._raise(each.error)
        return {
            shard_of(each.topic, each.partition): each.offset if each.offset >= 0 else None for each in found
        }

    def end_offsets(self, shards: Sequence[str]) -> dict[str, int]:
        with self._translated():
            return {
                shard: self._consumer.get_watermark_offsets(_partition(shard), _TIMEOUT)[1]
                for shard in shards
            }

    def position(self, shard: str) -> int:
        return self._ends.get(shard, 0)

    def subscribe(self, topics: Sequence[str], listener: AssignmentListener) -> None:
        def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            self._assigned = _shards(partitions)
            consumer.assign([])  # until their offsets are known

        def revoked(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            self._assigned = []
            self._committing, self._uncommitted, self._ends = {}, {}, {}
            listener.revoked(_shards(partitions))
            consumer.unassign()

        self._listener = listener
        self._topics = list(topics)
        self._consumer.subscribe(list(topics), on_assign=assigned, on_revoke=revoked, on_lost=revoked)

    def poll(self, seconds: float, most: int) -> list[Message]:
        self._apply_assignment()
        with self._translated():
            found = self._consumer.consume(1, seconds)
            if found and most > 1:
                found += self._consumer.consume(most - 1, _GATHER)
        messages = self._messages(found)
        if not messages:
            self._apply_assignment()
            if self._error is not None:
                self._check_error()
        self._retry_commits()
        return messages

    def _apply_assignment(self) -> None:
        """Starts newly assigned partitions at their offsets."""
        if not self._assigned or self._listener is None:
            return
        offsets = self._listener.assigned(self.committed(self._assigned))
        partitions = [_partition(shard, offsets.get(shard, OFFSET_BEGINNING)) for shard in self._assigned]
        self._assigned = []
        self._consumer.assign(partitions)
        if self._paused:
            self._consumer.pause(partitions)
        else:
            self._consumer.resume(partitions)  # librdkafka keeps partitions paused across a reassignment

    def _messages(self, found: list[Any]) -> list[Message]:
        messages = []
        shards: dict[tuple[str, int], str] = {}
        for each in found:
            if each.error() is not None:
                if each.error().code() == KafkaError._PARTITION_EOF:
                    self._ends[shard_of(each.topic(), each.partition())] = each.offset()
                else:
                    self._on_error(each.error())
                continue
            partition = each.topic(), each.partition()
            shard = shards.get(partition) or shards.setdefault(partition, shard_of(*partition))
            messages.append(message_of(shard, each.offset(), each.value(), each.timestamp()[1]))
        return messages

    def commit(self, offsets: Offsets) -> None:
        partitions = [_partition(shard, offset) for shard, offset in offsets.items()]
        with self._translated():
            if self._listener is None:
                self._consumer.commit(offsets=partitions, asynchronous=False)
            else:  # a synchronous commit blocks for as long as the brokers are unreachable
                self._consumer.commit(offsets=partitions, asynchronous=True)
                self._committing.update(offsets)

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """The coordinator's response to a commit."""
        for partition in partitions:
            shard = shard_of(partition.topic, partition.partition)
            if self._committing.get(shard) == partition.offset:
                del self._committing[shard]
                if error is not None or partition.error is not None:
                    self._uncommitted[shard] = partition.offset

    def _retry_commits(self) -> None:
        again = {
            shard: offset for shard, offset in self._uncommitted.items() if shard not in self._committing
        }
        self._uncommitted = {}
        if again:
            self.commit(again)

    def pause(self) -> None:
        self._paused = True
        self._consumer.pause(self._consumer.assignment())

    def resume(self) -> None:
        self._paused = False
        self._consumer.resume(self._consumer.assignment())

    def close(self) -> None:
        if self._committing:
            self.pause()
            until = time.monotonic() + _TIMEOUT
            while self._committing and time.monotonic() < until:
                self._consumer.poll(0.1)  # for the coordinator's response
        self._consumer.close()

    def _check_error(self) -> None:
        """Raises if the error that librdkafka reported persists; forgets it otherwise."""
        error = self._error
        assert error is not None
        if error.code() in _UNKNOWN and not self._topics_are_gone():
            return
        if error.code() in _REFUSALS or error.code() in _UNKNOWN | _FENCED:
            self._error = None
            self._raise(error)
        with self._translated():
            self._consumer.list_topics(timeout=1.0)
        self._error = None

    def _topics_are_gone(self) -> bool:
        """Whether a topic has been unknown for a while: a broker that has just started knows none."""
        with self._translated():
            known = self._consumer.list_topics(timeout=1.0).topics
        if all(topic in known and known[topic].error is None for topic in self._topics):
            self._error = self._unknown_since = None
            return False
        now = time.monotonic()
        self._unknown_since = self._unknown_since or now
        return now - self._unknown_since >= _GONE_SECONDS

    def _rejoined(self) -> bool:
        """Replaces a consumer that was fenced; False if that did not help: another process has its name.

        A coordinator that comes back after an outage may fence a member that is alone with its
        `group_instance_id`, too.
        """
        now = time.monotonic()
        lately = self._rejoined_at is not None and now - self._rejoined_at < self._rejoin_seconds
        if self._listener is None or lately:
            return False
        self._rejoined_at = now
        self._listener.revoked(_shards(self._consumer.assignment()))
        self._assigned, self._committing, self._uncommitted, self._ends = [], {}, {}, {}
        self._consumer.close()
        self._consumer = Consumer(self._options)
        self.subscribe(self._topics, self._listener)
        return True

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._error is not None:
            return  # the reason is known
        if error.code() not in _TRANSIENT:
            self._error = error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            self._raise(error.args[0])

    def _raise(self, error: KafkaError) -> NoReturn:
        """Raises SourceError or UnreachableError; for a timeout, with the cause given to `_on_error`."""
        if self._error is not None and error.code() in _NO_ANSWER:
            error = self._error
        code, text = error.code(), visible(error.str())
        if code in _FENCED and self._rejoined():
            raise UnreachableError(f"{text}; joining the group again") from None
        code = KafkaError.FENCED_INSTANCE_ID if code in _FENCED else code
        if code in _REFUSALS and not (code == KafkaError._SSL and self._listener is not None):
            raise SourceError(f"Kafka refuses access: {text}; {_REFUSALS[code]}") from None
        if code in _UNKNOWN:
            raise SourceError(f"the topic no longer exists: {text}; fix `topics`") from None
        raise UnreachableError(text) from None


def _partition(shard: str, offset: int = OFFSET_BEGINNING) -> TopicPartition:
    topic, partition = parts_of(shard)
    return TopicPartition(topic, partition, offset)


def _shards(partitions: Sequence[TopicPartition]) -> list[str]:
    return [shard_of(partition.topic, partition.partition) for partition in partitions]
