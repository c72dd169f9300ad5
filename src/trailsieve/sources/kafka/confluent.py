"""The Kafka source's client on confluent-kafka (librdkafka), which fetches in threads of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

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
from trailsieve.wire.kafka import confluent_options

_TIMEOUT = 5.0  # seconds of one question
_GATHER = 0.005  # seconds in which a poll that has one record waits for more
_REFUSALS = {
    KafkaError._AUTHENTICATION: "are the user name, the password and the `mechanism` right?",
    KafkaError.SASL_AUTHENTICATION_FAILED: "are the user name, the password and the `mechanism` right?",
    KafkaError.UNSUPPORTED_SASL_MECHANISM: "set the `mechanism` that the brokers take",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "allow this user to Describe and Read the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "allow this user to Read the group",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "allow this user what is named",
    KafkaError.FENCED_INSTANCE_ID: "another process runs with the same `group_instance_id`",
    KafkaError.INVALID_SESSION_TIMEOUT: "the brokers do not allow this `session_timeout`",
    KafkaError.INCONSISTENT_GROUP_PROTOCOL: "others use this `group` in another way: take another name",
    KafkaError._SSL: "is `ca_file` the authority of the brokers' certificates, and their name in them?",
    KafkaError._INVALID_ARG: "mend the configuration",
}
_UNKNOWN = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION}
_UNANSWERED = {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN}
_PASSING = {
    KafkaError._MAX_POLL_EXCEEDED,  # we join again
    KafkaError._PARTITION_EOF,
    KafkaError.REBALANCE_IN_PROGRESS,
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError._NO_OFFSET,
    KafkaError._STATE,
    KafkaError._ASSIGNMENT_LOST,
}


class ConfluentConsumer:
    """See `consumer.Consumer`. Callbacks come in the thread that polls, inside of its call."""

    def __init__(self, config: Config) -> None:
        self._trouble: KafkaError | None = None
        self._on_hold = False
        self._fresh: list[str] = []  # given to us, and not yet begun
        self._owner: Owner | None = None
        self._committing: dict[str, int] = {}
        self._uncommitted: dict[str, int] = {}  # because the group did not keep it
        options = {
            **confluent_options(config),
            "group.id": config.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "session.timeout.ms": round(config.session_timeout * 1000),
            "heartbeat.interval.ms": round(min(3.0, config.session_timeout / 3) * 1000),
            "partition.assignment.strategy": "range",
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 500,
            "queued.max.messages.kbytes": 32 * 1024,
            "fetch.queue.backoff.ms": 10,  # a full queue would rest for a second
            "reconnect.backoff.max.ms": 2000,
            "log_level": 0,
            "error_cb": self._on_error,
            "on_commit": self._on_commit,
        }
        if config.group_instance_id:
            options["group.instance.id"] = config.group_instance_id
        try:
            self._consumer = Consumer(options)
        except KafkaException as error:
            raise SourceError(f"Kafka's client refuses the configuration: {error.args[0].str()}") from None

    def partitions(self, topics: Sequence[str]) -> list[str]:
        with self._asking():
            try:
                known = self._consumer.list_topics(timeout=_TIMEOUT).topics
            except KafkaException:
                self._consumer.poll(0.1)  # for the reason, which `_on_error` is told
                raise
        for topic in topics:
            if topic not in known:
                raise SourceError(unknown_topic(topic, known))
            if known[topic].error is not None:
                self._raise(known[topic].error)
        return [shard_of(topic, number) for topic in topics for number in sorted(known[topic].partitions)]

    def committed(self, shards: Sequence[str]) -> dict[str, int | None]:
        with self._asking():
            found = self._consumer.committed([_place(shard) for shard in shards], _TIMEOUT)
        for each in found:
            if each.error:
                self._raise(each.error)
        return {
            shard_of(each.topic, each.partition): each.offset if each.offset >= 0 else None for each in found
        }

    def ends(self, shards: Sequence[str]) -> dict[str, int]:
        with self._asking():
            return {
                shard: self._consumer.get_watermark_offsets(_place(shard), _TIMEOUT)[1] for shard in shards
            }

    def subscribe(self, topics: Sequence[str], owner: Owner) -> None:
        def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            self._fresh = _shards(partitions)
            consumer.assign([])  # until we know where they begin

        def revoked(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            self._fresh = []
            self._committing, self._uncommitted = {}, {}
            owner.revoked(_shards(partitions))
            consumer.unassign()

        self._owner = owner
        self._consumer.subscribe(list(topics), on_assign=assigned, on_revoke=revoked, on_lost=revoked)

    def poll(self, seconds: float, most: int) -> list[Message]:
        self._settle()
        with self._asking():
            found = self._consumer.consume(1, seconds)
            if found and most > 1:
                found += self._consumer.consume(most - 1, _GATHER)
        messages = self._messages(found)
        if not messages:
            self._settle()
            if self._trouble is not None:
                self._ask_again()
        self._commit_again()
        return messages

    def _settle(self) -> None:
        """Partitions that were given to us begin where they should."""
        if not self._fresh or self._owner is None:
            return
        begins = self._owner.assigned(self.committed(self._fresh))
        places = [_place(shard, begins.get(shard, OFFSET_BEGINNING)) for shard in self._fresh]
        self._fresh = []
        self._consumer.assign(places)
        if self._on_hold:
            self._consumer.pause(places)
        else:
            self._consumer.resume(places)  # the library keeps the pause of partitions that went and came back

    def _messages(self, found: list[Any]) -> list[Message]:
        messages = []
        shards: dict[tuple[str, int], str] = {}
        for each in found:
            if each.error() is not None:
                self._on_error(each.error())
                continue
            place = each.topic(), each.partition()
            shard = shards.get(place) or shards.setdefault(place, shard_of(*place))
            messages.append(message_of(shard, each.offset(), each.value()))
        return messages

    def commit(self, offsets: Offsets) -> None:
        places = [_place(shard, offset) for shard, offset in offsets.items()]
        with self._asking():
            if self._owner is None:
                self._consumer.commit(offsets=places, asynchronous=False)
            else:  # one that waits would do so for as long as the brokers are away
                self._consumer.commit(offsets=places, asynchronous=True)
                self._committing.update(offsets)

    def _on_commit(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        """The group's answer."""
        for place in places:
            shard = shard_of(place.topic, place.partition)
            if self._committing.get(shard) == place.offset:
                del self._committing[shard]
                if error is not None or place.error is not None:
                    self._uncommitted[shard] = place.offset

    def _commit_again(self) -> None:
        again = {
            shard: offset for shard, offset in self._uncommitted.items() if shard not in self._committing
        }
        self._uncommitted = {}
        if again:
            self.commit(again)

    def hold(self) -> None:
        self._on_hold = True
        self._consumer.pause(self._consumer.assignment())

    def go_on(self) -> None:
        self._on_hold = False
        self._consumer.resume(self._consumer.assignment())

    def close(self) -> None:
        if self._committing:
            self.hold()
            until = time.monotonic() + _TIMEOUT
            while self._committing and time.monotonic() < until:
                self._consumer.poll(0.1)  # for the group's answer
        self._consumer.close()

    def _ask_again(self) -> None:
        """Whether trouble that we were told of is still there."""
        trouble = self._trouble
        assert trouble is not None
        if trouble.code() in _REFUSALS or trouble.code() in _UNKNOWN:
            self._trouble = None
            self._raise(trouble)
        with self._asking():
            self._consumer.list_topics(timeout=1.0)
        self._trouble = None

    def _on_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._trouble is not None:
            return  # the reason is known
        if error.code() not in _PASSING:
            self._trouble = error

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            self._raise(error.args[0])

    def _raise(self, error: KafkaError) -> NoReturn:
        """Raises what an answer means; what a question failed of is told to `_on_error`."""
        if self._trouble is not None and error.code() in _UNANSWERED:
            error = self._trouble
        code, text = error.code(), visible(error.str())
        if code in _REFUSALS and not (code == KafkaError._SSL and self._owner is not None):
            raise SourceError(f"Kafka refuses us: {text}; {_REFUSALS[code]}") from None
        if code in _UNKNOWN:
            raise SourceError(f"Kafka has such a topic no more: {text}; mend `topics`") from None
        raise AwayError(text) from None


def _place(shard: str, offset: int = OFFSET_BEGINNING) -> TopicPartition:
    topic, partition = parts_of(shard)
    return TopicPartition(topic, partition, offset)


def _shards(places: Sequence[TopicPartition]) -> list[str]:
    return [shard_of(place.topic, place.partition) for place in places]
