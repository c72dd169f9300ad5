"""Messages that are already in memory, for tests and for records from other code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trailsieve.errors import counted
from trailsieve.model import Message, Offset, Position
from trailsieve.trail.selection import Selection


class MemorySource:
    """The given messages, `batch` per poll. `committed` is the last offset committed for each shard.

    When started with positions, it skips the messages before them.
    """

    selection = Selection()
    ordered = True
    open_reader = None

    def __init__(self, messages: Iterable[Message], batch: int = 1, *, whole_objects: bool = False) -> None:
        self.whole_objects = whole_objects
        self._waiting = list(messages)
        self._batch = batch
        self.committed: dict[str, Offset] = {}
        self.closed = False

    @property
    def exhausted(self) -> bool:
        return not self._waiting

    def start(self, positions: Mapping[str, Offset]) -> None:
        self._waiting = [m for m in self._waiting if not _is_before(m.position, positions)]

    def poll(self) -> Sequence[Message]:
        taken, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
        return taken

    def commit(self, positions: Iterable[Position]) -> None:
        self.committed.update((position.shard, position.offset) for position in positions)

    def keep_alive(self) -> None:
        """Does nothing: memory has no leases."""

    def check(self) -> str:
        return f"{counted(len(self._waiting), 'message')}"

    def close(self) -> None:
        self.closed = True


def _is_before(position: Position, known: Mapping[str, Offset]) -> bool:
    kept = known.get(position.shard)
    return isinstance(kept, int) and isinstance(position.offset, int) and position.offset <= kept
