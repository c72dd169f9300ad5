"""The interface of the Kafka source to a client library. Each library has one adapter."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from trailsieve.model import Message, Position

Offsets = Mapping[str, int]  # by shard, "topic/partition": the next offset to read


class UnreachableError(Exception):
    """Kafka cannot be reached or cannot serve the request now; retrying may help. The text says why."""


class AssignmentListener(Protocol):
    """Receives changes of the assigned partitions. Called from the polling thread, within `Consumer.poll`."""

    def assigned(self, committed: Mapping[str, int | None]) -> Offsets:
        """Partitions were assigned; returns the offset at which to start each.

        A partition without one starts at its oldest record.

        Args:
            committed: the offset that the group committed for each partition; None if it committed none.
        """

    def revoked(self, shards: Collection[str]) -> None:
        """Partitions were revoked: another member may read them now."""


class Consumer(Protocol):
    """A member of a consumer group. Not thread-safe: one thread calls all methods.

    Every method except `pause` and `resume` may block for one request, at most about 5 seconds.

    Raises:
        UnreachableError: from every method: try again.
        SourceError: from every method: Kafka refuses, and retrying will not help.
    """

    def partitions(self, topics: Sequence[str]) -> list[str]:
        """The shards of the topics. SourceError if a topic does not exist."""

    def identity(self, topics: Sequence[str]) -> dict[str, str]:
        """The ids of the cluster and, by `topic_part`, of the topics, as far as the brokers have such ids."""

    def committed(self, shards: Sequence[str]) -> dict[str, int | None]:
        """The offset that the group has committed for each shard; None if it has committed none."""

    def end_offsets(self, shards: Sequence[str]) -> dict[str, int]:
        """The end offset of each shard: the one that the next record produced will get."""

    def position(self, shard: str) -> int:
        """The offset of the next record of an assigned shard, as far as is known without a request.

        It is behind the end offset while records are still to be polled. Transaction markers, which are no
        records, do not count as such.
        """

    def subscribe(self, topics: Sequence[str], listener: AssignmentListener) -> None:
        """Starts to join the group; the calls of `poll` that follow complete it."""

    def poll(self, seconds: float, most: int) -> list[Message]:
        """Returns up to `most` records; blocks for up to `seconds` until there is one. None while paused."""

    def commit(self, offsets: Offsets) -> None:
        """Commits offsets to the group; `poll` retries those that fail.

        Before `subscribe` the commit is synchronous.
        """

    def pause(self) -> None:
        """Stops fetching from all partitions, including those assigned later."""

    def resume(self) -> None:
        """Ends `pause`."""

    def close(self) -> None:
        """Leaves the group and closes the connections."""


def shard_of(topic: str, partition: int) -> str:
    """The shard name of a partition: `topic/partition`."""
    return f"{topic}/{partition}"


def parts_of(shard: str) -> tuple[str, int]:
    """The topic and partition number of a shard name."""
    topic, _, partition = shard.rpartition("/")
    return topic, int(partition)


def topic_part(topic: str) -> str:
    """The name of a topic's id among the parts of the source's identity."""
    return f"topic {topic}"


def identity_of(cluster: str | None, topics: Mapping[str, bytes]) -> dict[str, str]:
    """The parts of the identity, with the ids written as Kafka's tools do; brokers before 2.8 have none."""
    ids = {
        topic_part(topic): urlsafe_b64encode(found).decode().rstrip("=")
        for topic, found in topics.items()
        if any(found)
    }
    return {"cluster": cluster, **ids} if cluster else ids


def message_of(shard: str, offset: int, value: bytes | None, timestamp: int | None) -> Message:
    """A Kafka record as a message, positioned after it. A tombstone has no payload.

    Args:
        timestamp: milliseconds since 1970; negative or None when the record has none.
    """
    arrived = timestamp / 1000 if timestamp and timestamp > 0 else None
    return Message(value or b"", Position(shard, offset + 1), f"{shard}@{offset}", arrived=arrived)


def unknown_topic(topic: str, known: Collection[str]) -> str:
    """The error message for a topic that does not exist."""
    others = ", ".join(sorted(name for name in known if not name.startswith("__"))[:10])
    return (
        f"Kafka shows no topic {topic!r}; it shows {others or 'none'}. "
        "Fix `topics`, create the topic, or grant this user Describe and Read on it"
    )
