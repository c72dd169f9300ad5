"""What the Kafka source asks of a client library; there is one adapter a library."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from trailsieve.model import Message, Position

Offsets = Mapping[str, int]  # by shard, "topic/partition": the next offset to read


class AwayError(Exception):
    """Kafka cannot be reached, or does not serve us now: it is asked again. The text says what happened."""


class Owner(Protocol):
    """Who is told which partitions are ours. Called in the thread that polls, and only while it polls."""

    def assigned(self, committed: Mapping[str, int | None]) -> Offsets:
        """Partitions that are ours now, with what the group has committed; returns where to begin.

        A partition that is left out begins with its oldest record.
        """

    def revoked(self, shards: Collection[str]) -> None:
        """Partitions that are no longer ours."""


class Consumer(Protocol):
    """A member of a consumer group.

    Every method may raise AwayError, and SourceError where a person must mend something.
    """

    def partitions(self, topics: Sequence[str]) -> list[str]:
        """The partitions of topics; SourceError names a topic that is not there."""

    def committed(self, shards: Sequence[str]) -> dict[str, int | None]:
        """What the group has committed."""

    def ends(self, shards: Sequence[str]) -> dict[str, int]:
        """The offsets behind the newest records."""

    def subscribe(self, topics: Sequence[str], owner: Owner) -> None:
        """Joins the group, as far as `poll` is called."""

    def poll(self, seconds: float, most: int) -> list[Message]:
        """At most so many records; waits for the first one. None comes while partitions are on hold."""

    def commit(self, offsets: Offsets) -> None:
        """Has the group keep offsets; what it does not keep at once it is asked for again by `poll`.

        Before `subscribe` it returns when the group keeps them.
        """

    def hold(self) -> None:
        """From now on nothing is fetched, also of partitions that become ours."""

    def go_on(self) -> None:
        """Ends `hold`."""

    def close(self) -> None:
        """Leaves the group."""


def shard_of(topic: str, partition: int) -> str:
    """The name of a partition."""
    return f"{topic}/{partition}"


def parts_of(shard: str) -> tuple[str, int]:
    """Topic and partition."""
    topic, _, partition = shard.rpartition("/")
    return topic, int(partition)


def message_of(shard: str, offset: int, value: bytes | None) -> Message:
    """A record as a message; a tombstone has no bytes."""
    return Message(value or b"", Position(shard, offset + 1), f"{shard}@{offset}")


def unknown_topic(topic: str, known: Collection[str]) -> str:
    """What to say of a topic that is not there."""
    others = ", ".join(sorted(name for name in known if not name.startswith("__"))[:10])
    return (
        f"Kafka has no topic {topic!r}, or hides it from us; it shows {others or 'none'}. "
        "Mend `topics`, make the topic, or allow us to Describe and Read it"
    )
