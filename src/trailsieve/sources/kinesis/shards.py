"""Decides which shards of a Kinesis stream may be read, and from where.

Shards have parents, since a stream is resharded by splitting and merging them. Parents are read to their end
before their children, so the records of one partition key stay in order. Nothing here calls AWS.

Source: docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from trailsieve.model import GONE, Offset

# An offset is the sequence number after which to continue, or one of these:
TRIM_HORIZON = "TRIM_HORIZON"  # the oldest record
SHARD_END = "SHARD_END"  # the whole shard has been read
AT_TIME = "@"  # followed by a time: the first record that arrived then or later


class Shard(Struct, frozen=True):
    """A shard as ListShards describes it. A `closed` shard receives no more records."""

    id: str
    parents: tuple[str, ...] = ()
    closed: bool = False


def shard_of(answer: dict[str, Any]) -> Shard:
    """A shard in a response of ListShards."""
    parents = (answer.get("ParentShardId"), answer.get("AdjacentParentShardId"))
    closed = answer["SequenceNumberRange"].get("EndingSequenceNumber") is not None
    return Shard(answer["ShardId"], tuple(parent for parent in parents if parent), closed)


class Shards:
    """The shards of one stream, and how far each has been read.

    Args:
        offsets: the offsets from the checkpoint.
        first: returns the offset at which a shard starts that exists when nothing is known of the stream.
            Shards that appear later are children of known ones and start at their first record.
        info: receives one line of text when a shard is recreated or lost.
    """

    def __init__(
        self, offsets: Mapping[str, str], first: Callable[[Shard], str], info: Callable[[str], None]
    ) -> None:
        self.offsets = dict(offsets)
        self._first_offset = first
        self._info = info
        self._listed: dict[str, Shard] = {}

    def listed(self, shards: Iterable[Shard]) -> list[tuple[str, Offset]]:
        """Replaces the list of shards; returns the offsets that changed as a result, to be checkpointed."""
        self._listed = {shard.id: shard for shard in shards}
        fresh = not self.offsets
        changes: list[tuple[str, Offset]] = []
        for shard in self._listed.values():
            known = self.offsets.get(shard.id)
            if known == SHARD_END and not shard.closed:
                self._info(f"{shard.id} is open again: the stream was recreated; reading from its beginning")
                known = None
            if known is None:
                self.offsets[shard.id] = self._first_offset(shard) if fresh else TRIM_HORIZON
                changes.append((shard.id, self.offsets[shard.id]))
        changes += [(gone, GONE) for gone in self.offsets.keys() - self._listed.keys()]
        for gone in self.offsets.keys() - self._listed.keys():
            if self.offsets.pop(gone) != SHARD_END:
                self._info(
                    f"{gone} is gone before all of it was read: its records exceeded the retention period"
                )
        return changes

    def unfinished(self) -> list[str]:
        """The shards that have not been read to their end, those that must still wait included."""
        return [shard.id for shard in self._listed.values() if self._is_unfinished(shard)]

    def readable(self) -> list[str]:
        """The shards that have not ended and whose parents have."""
        return [
            shard.id
            for shard in self._listed.values()
            if self._is_unfinished(shard) and self._parents_ended(shard)
        ]

    def ended(self, shard: str) -> None:
        """Marks a shard as read to its end."""
        self.offsets[shard] = SHARD_END

    def _is_unfinished(self, shard: Shard) -> bool:
        return self.offsets[shard.id] != SHARD_END

    def _parents_ended(self, shard: Shard) -> bool:
        """Whether all parents have ended; one that is no longer listed is gone with its records."""
        return all(self.offsets.get(parent, SHARD_END) == SHARD_END for parent in shard.parents)
