"""The Kafka client of the source on kafka-python, which is pure Python.

kafka-python has a background thread, which also calls the rebalance listener. The listener only queues the
event; the polling thread handles it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka import errors as kafka
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.net.compat import KafkaNetClient

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
from trailsieve.wire.kafka import python_options

_TIMEOUT = 5000  # milliseconds to wait for one response
_CHECK_EVERY = 5.0  # seconds without records after which the brokers are checked
_REFUSALS = {
    kafka.SaslAuthenticationFailedError: "check `username`, `password` and `mechanism`",
    kafka.UnsupportedSaslMechanismError: "set `mechanism` to one that the brokers support",
    kafka.TopicAuthorizationFailedError: "grant this user Describe and Read on the topic",
    kafka.GroupAuthorizationFailedError: "grant this user Read on the group",
    kafka.AuthorizationError: "grant this user the permission named",
    kafka.FencedInstanceIdError: "another process uses the same `group_instance_id`",
    kafka.InvalidSessionTimeoutError: "the brokers do not allow this `session_timeout`",
    kafka.InconsistentGroupProtocolError: "other consumers use this `group` differently: rename it",
    kafka.UnsupportedCodecError: "pip install 'trailsieve[confluent]', which supports every compression",
    kafka.KafkaConfigurationError: "fix the configuration",
    kafka.CorruptRecordError: "see the broker's log, and move the group's offset past the record",
}
_TRANSIENT = (kafka.RetriableError, kafka.CommitFailedError, kafka.RebalanceInProgressError)


class KafkaPythonConsumer:
    """See `consumer.Consumer`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._listener: AssignmentListener | None = None
        self._events: deque[tuple[bool, list[TopicPartition]]] = deque()  # assigned (True) or revoked (False)
        self._paused = False
        self._uncommitted: dict[str, int] = {}  # commits that failed, to be retried
        self._last_answer = time.monotonic()
        self._clients: list[Any] = []
        self._connection_errors = _ConnectionErrors()
        try:
            with self._translated():
                self._consumer = KafkaConsumer(**self._options())
        except BaseException:
            self._close_clients()
            raise

    def _options(self) -> dict[str, Any]:
        config = self._config
        return {
            **python_options(config),
            "group_id": config.group,
            "group_instance_id": config.group_instance_id,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed",
            "session_timeout_ms": round(config.session_timeout * 1000),
            "heartbeat_interval_ms": round(min(3.0, config.session_timeout / 3) * 1000),
            "partition_assignment_strategy": [RangePartitionAssignor],
            "allow_auto_create_topics": False,
            "bootstrap_timeout_ms": _TIMEOUT,
            "reconnect_backoff_max_ms": 2000,
            "max_partition_fetch_bytes": 4 * 2**20,
            "metrics_enabled": False,
            "kafka_client": self._client,
        }

    def _client(self, **options: Any) -> Any:
        """The network client; remembered, because a KafkaConsumer that fails to start leaves it open."""
        self._clients.append(KafkaNetClient(**options))
        return self._clients[-1]

    def partitions(self, topics: Sequence[str]) -> list[str]:
        with self._translated():
            known = self._consumer.topics()
            for topic in topics:
                if topic not in known:
                    raise SourceError(unknown_topic(topic, known))
            return [
                shard_of(topic, number)
                for topic in topics
                for number in sorted(self._consumer.partitions_for_topic(topic))
            ]

    def identity(self, topics: Sequence[str]) -> dict[str, str]:
        cluster = self._clients[-1].cluster
        ids = {topic: cluster.topic_id(topic) for topic in topics}
        return identity_of(cluster.cluster_id, {topic: found.bytes for topic, found in ids.items() if found})

    def committed(self, shards: Sequence[str]) -> dict[str, int | None]:
        with self._translated():
            return {
                shard: self._consumer.committed(_partition(shard), timeout_ms=_TIMEOUT) for shard in shards
            }

    def end_offsets(self, shards: Sequence[str]) -> dict[str, int]:
        with self._translated():
            found = self._consumer.end_offsets([_partition(shard) for shard in shards], timeout_ms=_TIMEOUT)
        return {shard: found[_partition(shard)] for shard in shards}

    def position(self, shard: str) -> int:
        if _partition(shard) not in self._consumer.assignment():
            return 0
        with self._translated():
            return int(self._consumer.position(_partition(shard), timeout_ms=_TIMEOUT) or 0)

    def subscribe(self, topics: Sequence[str], listener: AssignmentListener) -> None:
        self._listener = listener
        self._consumer.subscribe(list(topics), listener=_Listener(self._consumer, self._events))

    def poll(self, seconds: float, most: int) -> list[Message]:
        self._apply_assignment()
        with self._translated():
            found = self._consumer.poll(timeout_ms=seconds * 1000, max_records=most)
        messages = [
            message_of(shard, record.offset, record.value, record.timestamp)
            for partition, records in found.items()
            for shard in (shard_of(partition.topic, partition.partition),)
            for record in records
        ]
        if messages:
            self._last_answer = time.monotonic()
        else:
            self._apply_assignment()
            self._check_brokers()
            self._retry_commits()
        return messages

    def commit(self, offsets: Offsets) -> None:
        given = {_partition(shard): OffsetAndMetadata(offset, "", -1) for shard, offset in offsets.items()}
        with self._translated():
            try:
                self._consumer.commit(given, timeout_ms=_TIMEOUT)
            except (kafka.CommitFailedError, kafka.RebalanceInProgressError):
                self._uncommitted.update(offsets)  # until a poll lets the member join the group again

    def _retry_commits(self) -> None:
        again, self._uncommitted = self._uncommitted, {}
        if again:
            self.commit(again)

    def pause(self) -> None:
        self._paused = True
        self._consumer.pause(*self._consumer.assignment())

    def resume(self) -> None:
        self._paused = False
        waiting = {partition for new, partitions in self._events if new for partition in partitions}
        self._consumer.resume(*(self._consumer.assignment() - waiting))

    def close(self) -> None:
        with suppress(UnreachableError, SourceError):
            self._retry_commits()
        with suppress(kafka.KafkaError):  # the group notices when the session times out
            self._consumer.close(timeout_ms=_TIMEOUT)
        self._close_clients()

    def _close_clients(self) -> None:
        for client in self._clients:
            client.close()
        self._connection_errors.close()

    def _apply_assignment(self) -> None:
        """Handles queued rebalance events: drops revoked partitions, starts assigned ones."""
        while self._events and self._listener is not None:
            new, partitions = self._events[0]
            shards = [shard_of(partition.topic, partition.partition) for partition in partitions]
            if new:
                offsets = self._listener.assigned(self.committed(shards))
                self._seek(offsets)
            else:
                self._listener.revoked(shards)
                self._uncommitted = {}
            self._events.popleft()

    def _seek(self, offsets: Offsets) -> None:
        for shard, offset in offsets.items():
            if _partition(shard) in self._consumer.assignment():
                self._consumer.seek(_partition(shard), offset)
        if not self._paused:
            self._consumer.resume(*self._consumer.assignment())

    def _check_brokers(self) -> None:
        """Asks for offsets when no records arrive, since kafka-python reports no lost connection."""
        if time.monotonic() - self._last_answer < _CHECK_EVERY:
            return
        with self._translated():
            self._consumer.end_offsets(list(self._consumer.assignment()), timeout_ms=1000)
        self._last_answer = time.monotonic()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except kafka.KafkaError as error:
            reason = self._connection_errors.of(error)
            for kind, hint in _REFUSALS.items():
                if isinstance(reason, kind):
                    raise SourceError(f"Kafka refuses access: {_text(reason)}; {hint}") from None
            if isinstance(error, _TRANSIENT):
                raise UnreachableError(_text(reason)) from None
            raise SourceError(f"Kafka returned an error that a retry cannot fix: {_text(error)}") from None


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Queues rebalance events, and pauses new partitions until their offsets are known."""

    def __init__(self, consumer: Any, events: deque[tuple[bool, list[TopicPartition]]]) -> None:
        self._consumer = consumer
        self._events = events

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._consumer.pause(*assigned)
        self._events.append((True, list(assigned)))

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._events.append((False, list(revoked)))


class _ConnectionErrors(logging.Handler):
    """Remembers why the last connection failed: kafka-python only logs it and then raises a timeout."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._reason: Exception | None = None
        logging.getLogger("kafka").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        reason = record.args[-1] if isinstance(record.args, tuple) and record.args else None
        if isinstance(self._reason, tuple(_REFUSALS)):
            return  # the errors after it only say that the broker closed the connection
        if isinstance(reason, Exception) and not isinstance(reason, kafka.KafkaTimeoutError):
            self._reason = reason

    def of(self, error: Exception) -> Exception:
        """The cause of an error: for a timeout, the last connection error; otherwise the error itself."""
        reason, self._reason = self._reason, None
        return reason if reason is not None and isinstance(error, kafka.KafkaTimeoutError) else error

    def close(self) -> None:
        logging.getLogger("kafka").removeHandler(self)
        super().close()


def _text(error: Exception) -> str:
    return visible(str(error)) or type(error).__name__


def _partition(shard: str) -> TopicPartition:
    return TopicPartition(*parts_of(shard))
