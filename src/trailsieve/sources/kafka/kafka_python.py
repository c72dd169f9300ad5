"""The Kafka source's client on kafka-python, which needs no compiled library.

It works in a thread of its own, from which it also tells of rebalances: they are taken note of there, and
acted upon in the thread that polls.
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
    AwayError,
    Offsets,
    Owner,
    message_of,
    parts_of,
    shard_of,
    unknown_topic,
)
from trailsieve.wire.kafka import python_options

_TIMEOUT = 5000  # milliseconds of one question
_ASK_EVERY = 5.0  # seconds without records after which we ask whether the brokers are there
_REFUSALS = {
    kafka.SaslAuthenticationFailedError: "are the user name, the password and the `mechanism` right?",
    kafka.UnsupportedSaslMechanismError: "set the `mechanism` that the brokers take",
    kafka.TopicAuthorizationFailedError: "allow this user to Describe and Read the topic",
    kafka.GroupAuthorizationFailedError: "allow this user to Read the group",
    kafka.AuthorizationError: "allow this user what is named",
    kafka.FencedInstanceIdError: "another process runs with the same `group_instance_id`",
    kafka.InvalidSessionTimeoutError: "the brokers do not allow this `session_timeout`",
    kafka.InconsistentGroupProtocolError: "others use this `group` in another way: take another name",
    kafka.UnsupportedCodecError: "pip install 'trailsieve[confluent]', whose client knows every compression",
    kafka.KafkaConfigurationError: "mend the configuration",
    kafka.CorruptRecordError: "see what the broker's log says, and move the group's offset behind it",
}
_PASSING = (kafka.RetriableError, kafka.CommitFailedError, kafka.RebalanceInProgressError)


class PythonConsumer:
    """See `consumer.Consumer`."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._owner: Owner | None = None
        self._events: deque[tuple[bool, list[TopicPartition]]] = deque()  # given to us, or taken
        self._on_hold = False
        self._answered = time.monotonic()
        self._clients: list[Any] = []
        self._last_words = _LastWords()
        try:
            with self._asking():
                self._consumer = KafkaConsumer(**self._options())
        except BaseException:
            self._end()
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
        """The connections; kept, because a consumer that cannot be made leaves them open."""
        self._clients.append(KafkaNetClient(**options))
        return self._clients[-1]

    def partitions(self, topics: Sequence[str]) -> list[str]:
        with self._asking():
            known = self._consumer.topics()
            for topic in topics:
                if topic not in known:
                    raise SourceError(unknown_topic(topic, known))
            return [
                shard_of(topic, number)
                for topic in topics
                for number in sorted(self._consumer.partitions_for_topic(topic))
            ]

    def committed(self, shards: Sequence[str]) -> dict[str, int | None]:
        with self._asking():
            return {shard: self._consumer.committed(_place(shard), timeout_ms=_TIMEOUT) for shard in shards}

    def ends(self, shards: Sequence[str]) -> dict[str, int]:
        with self._asking():
            found = self._consumer.end_offsets([_place(shard) for shard in shards], timeout_ms=_TIMEOUT)
        return {shard: found[_place(shard)] for shard in shards}

    def subscribe(self, topics: Sequence[str], owner: Owner) -> None:
        self._owner = owner
        self._consumer.subscribe(list(topics), listener=_Listener(self._consumer, self._events))

    def poll(self, seconds: float, most: int) -> list[Message]:
        self._settle()
        with self._asking():
            found = self._consumer.poll(timeout_ms=seconds * 1000, max_records=most)
        messages = [
            message_of(shard, record.offset, record.value)
            for place, records in found.items()
            for shard in (shard_of(place.topic, place.partition),)
            for record in records
        ]
        if messages:
            self._answered = time.monotonic()
        else:
            self._settle()
            self._ask()
        return messages

    def commit(self, offsets: Offsets) -> None:
        given = {_place(shard): OffsetAndMetadata(offset, "", -1) for shard, offset in offsets.items()}
        with self._asking():
            self._consumer.commit(given, timeout_ms=_TIMEOUT)

    def hold(self) -> None:
        self._on_hold = True
        self._consumer.pause(*self._consumer.assignment())

    def go_on(self) -> None:
        self._on_hold = False
        waiting = {place for given, places in self._events if given for place in places}
        self._consumer.resume(*(self._consumer.assignment() - waiting))

    def close(self) -> None:
        with suppress(kafka.KafkaError):  # then the group finds out by itself
            self._consumer.close(timeout_ms=_TIMEOUT)
        self._end()

    def _end(self) -> None:
        for client in self._clients:
            client.close()
        self._last_words.close()

    def _settle(self) -> None:
        """What the listener took note of: partitions are let go, others begin where they should."""
        while self._events and self._owner is not None:
            given, places = self._events[0]
            shards = [shard_of(place.topic, place.partition) for place in places]
            if given:
                begins = self._owner.assigned(self.committed(shards))
                self._begin(begins)
            else:
                self._owner.revoked(shards)
            self._events.popleft()

    def _begin(self, begins: Offsets) -> None:
        for shard, offset in begins.items():
            if _place(shard) in self._consumer.assignment():
                self._consumer.seek(_place(shard), offset)
        if not self._on_hold:
            self._consumer.resume(*self._consumer.assignment())

    def _ask(self) -> None:
        """The library does not tell that no broker is there; so they are asked when nothing comes."""
        if time.monotonic() - self._answered < _ASK_EVERY:
            return
        with self._asking():
            self._consumer.end_offsets(list(self._consumer.assignment()), timeout_ms=1000)
        self._answered = time.monotonic()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except kafka.KafkaError as error:
            reason = self._last_words.of(error)
            for kind, hint in _REFUSALS.items():
                if isinstance(reason, kind):
                    raise SourceError(f"Kafka refuses us: {_text(reason)}; {hint}") from None
            if isinstance(error, _PASSING):
                raise AwayError(_text(reason)) from None
            raise SourceError(f"Kafka answers what cannot be gone on with: {_text(error)}") from None


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Takes note; partitions that are given to us rest until it is known where they begin."""

    def __init__(self, consumer: Any, events: deque[tuple[bool, list[TopicPartition]]]) -> None:
        self._consumer = consumer
        self._events = events

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._consumer.pause(*assigned)
        self._events.append((True, list(assigned)))

    def on_partitions_revoked(self, revoked: Any) -> None:
        self._events.append((False, list(revoked)))


class _LastWords(logging.Handler):
    """Why the last connection failed: the library only logs it, and then tells of a timeout."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._reason: Exception | None = None
        logging.getLogger("kafka").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        told = record.args[-1] if isinstance(record.args, tuple) and record.args else None
        if isinstance(self._reason, tuple(_REFUSALS)):
            return  # after which the brokers merely hang up
        if isinstance(told, Exception) and not isinstance(told, kafka.KafkaTimeoutError):
            self._reason = told

    def of(self, error: Exception) -> Exception:
        """The reason of an error: itself, unless it is a mere timeout."""
        reason, self._reason = self._reason, None
        return reason if reason is not None and isinstance(error, kafka.KafkaTimeoutError) else error

    def close(self) -> None:
        logging.getLogger("kafka").removeHandler(self)
        super().close()


def _text(error: Exception) -> str:
    return visible(str(error)) or type(error).__name__


def _place(shard: str) -> TopicPartition:
    return TopicPartition(*parts_of(shard))
