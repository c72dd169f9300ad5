"""How far every shard has been worked on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from trailsieve.model import Position


class Checkpoint(Protocol):
    """Keeps positions; `save` returns only when they are kept for good."""

    def save(self, positions: Iterable[Position]) -> None:
        """Keeps these positions, all or none."""

    def load(self) -> dict[str, int | str]:
        """The next offset of each shard."""


class MemoryCheckpoint:
    """Positions that end with the process: for replays, which start anew, and for tests."""

    def __init__(self) -> None:
        self._offsets: dict[str, int | str] = {}

    def save(self, positions: Iterable[Position]) -> None:
        self._offsets.update((position.shard, position.offset) for position in positions)

    def load(self) -> dict[str, int | str]:
        return dict(self._offsets)
