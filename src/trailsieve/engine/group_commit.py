"""Epochs that are kept together: one transaction for all that was delivered within a fraction of a second.

An epoch is only kept, and its positions committed, after every required sink took its alerts. Keeping several
at once makes a crash repeat a little more, with the same ids, and costs one write to the disk for all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from trailsieve.alarms.sample_log import SampleRow
from trailsieve.engine.checkpoint import Checkpoint, Epoch
from trailsieve.model import Position


@dataclass(slots=True)
class GroupCommit:
    """Keeps epochs in a checkpoint and commits their positions to the source.

    Attributes:
        commit: called with the positions of all epochs that are kept.
        every: seconds that epochs wait for others at most; 0 keeps each at once.
    """

    checkpoint: Checkpoint
    commit: Callable[[Iterable[Position]], None]
    every: float = 0
    monotonic: Callable[[], float] = time.monotonic
    _positions: list[Position] = field(default_factory=list)
    _ids: list[str] = field(default_factory=list)
    _state: dict[str, bytes | None] = field(default_factory=dict)
    _samples: list[SampleRow] = field(default_factory=list)
    _expired: int | None = None
    _waits: bool = False
    _last: float = 0

    def add(self, epoch: Epoch) -> None:
        """Takes an epoch whose alerts are delivered.

        Raises:
            CheckpointError: the epochs that wait could not be kept.
        """
        self._positions += epoch.positions
        self._ids += epoch.ids
        self._state |= epoch.state
        self._samples += epoch.samples
        self._expired = self._expired if epoch.expired is None else epoch.expired
        self._waits = True
        self.flush_if_due()

    @property
    def is_due(self) -> bool:
        """Whether what waits has waited for long enough."""
        return self.monotonic() - self._last >= self.every

    def flush_if_due(self) -> None:
        """Keeps what waits, when it has waited for long enough."""
        if not self._waits:
            self.checkpoint.ensure_file()
        elif self.is_due:
            self.flush()

    def flush(self) -> None:
        """Keeps what waits, now."""
        if not self._waits:
            return
        self.checkpoint.save(Epoch(self._positions, self._ids, self._state, self._samples, self._expired))
        positions, self._positions = self._positions, []
        self._ids, self._state, self._samples, self._expired = [], {}, [], None
        self._waits = False
        self._last = self.monotonic()
        if positions:
            self.commit(positions)
