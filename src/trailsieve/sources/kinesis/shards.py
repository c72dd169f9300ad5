"""Which shards of a Kinesis stream may be read, and from where.

Shards have parents, since a stream grows by splitting and shrinks by merging them. Parents are read to their
end before their children begin, so records of one key stay in order. Nothing here talks to AWS: who chooses
shards another way, such as a group of workers that share them, replaces this file and keeps the reading.

Source: docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from trailsieve.model import GONE, Offset

# An offset is the sequence number behind which reading goes on, or one of these:
TRIM_HORIZON = "TRIM_HORIZON"  # from the oldest record there is
SHARD_END = "SHARD_END"  # read to its end
AT_TIME = "@"  # followed by a time: from the first record that arrived then or later


class Shard(Struct, frozen=True):
    """A shard as ListShards tells of it; `closed` ones take no more records."""

    id: str
    parents: tuple[str, ...] = ()
    closed: bool = False


def shard_of(answer: dict[str, Any]) -> Shard:
    """A shard of an answer of ListShards."""
    parents = (answer.get("ParentShardId"), answer.get("AdjacentParentShardId"))
    closed = answer["SequenceNumberRange"].get("EndingSequenceNumber") is not None
    return Shard(answer["ShardId"], tuple(parent for parent in parents if parent), closed)


class Shards:
    """The shards of one stream, and how far each was read.

    Args:
        offsets: of the shards that are known from before.
        first: where a shard begins that is there when nothing is known yet. Those that come later are
            children of known ones and begin at their first record.
        say: told, as one line, what a person ought to know.
    """

    def __init__(
        self, offsets: Mapping[str, str], first: Callable[[Shard], str], say: Callable[[str], None]
    ) -> None:
        self.offsets = dict(offsets)
        self._first = first
        self._say = say
        self._listed: dict[str, Shard] = {}

    def listed(self, shards: Iterable[Shard]) -> list[tuple[str, Offset]]:
        """Takes a whole new list of shards; returns the offsets that changed by it, to be kept."""
        self._listed = {shard.id: shard for shard in shards}
        fresh = not self.offsets
        changes: list[tuple[str, Offset]] = []
        for shard in self._listed.values():
            known = self.offsets.get(shard.id)
            if known == SHARD_END and not shard.closed:
                self._say(
                    f"{shard.id} is open again: the stream was made anew, and is read from its beginning"
                )
                known = None
            if known is None:
                self.offsets[shard.id] = self._first(shard) if fresh else TRIM_HORIZON
                changes.append((shard.id, self.offsets[shard.id]))
        changes += [(gone, GONE) for gone in self.offsets.keys() - self._listed.keys()]
        for gone in self.offsets.keys() - self._listed.keys():
            if self.offsets.pop(gone) != SHARD_END:
                self._say(f"{gone} is gone before it was read to its end: its retention is over")
        return changes

    def readable(self) -> list[str]:
        """The shards that have not ended and wait for no parent."""
        return [shard.id for shard in self._listed.values() if self._waits(shard) and self._is_next(shard)]

    def ended(self, shard: str) -> None:
        """The shard was read to its end."""
        self.offsets[shard] = SHARD_END

    def _waits(self, shard: Shard) -> bool:
        return self.offsets[shard.id] != SHARD_END

    def _is_next(self, shard: Shard) -> bool:
        """A parent that is not listed any more is gone with its records."""
        return all(self.offsets.get(parent, SHARD_END) == SHARD_END for parent in shard.parents)
