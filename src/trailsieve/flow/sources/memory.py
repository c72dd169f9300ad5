"""The in-memory twin of every source, for tests and for records that are already here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trailsieve.model import Message, Position


class MemorySource:
    """Yields given messages, `batch` an epoch; `committed` tells how far they were committed."""

    def __init__(self, messages: Iterable[Message], batch: int = 1) -> None:
        self._waiting = list(messages)
        self._batch = batch
        self.committed: dict[str, int | str] = {}
        self.closed = False

    @property
    def exhausted(self) -> bool:
        return not self._waiting

    def poll(self) -> Sequence[Message]:
        taken, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
        return taken

    def commit(self, positions: Iterable[Position]) -> None:
        self.committed.update((position.shard, position.offset) for position in positions)

    def close(self) -> None:
        self.closed = True
