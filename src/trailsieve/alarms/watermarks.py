"""How far event time has come: one watermark a shard, and the lowest of them for the whole source.

The terms are those of Flink and Beam (nightlies.apache.org/flink/flink-docs-stable/docs/concepts/time and
beam.apache.org/documentation/programming-guide/#watermarks-and-late-data). A shard's watermark moves on in
two ways: by the newest event that was read from it, where its events come in the order of time, and by what
its source says: everything that had reached the shard by that time has been read. A source says so only of a
shard that it has read to the end, so a shard that is behind, unreachable or blocked holds all others back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trailsieve.model import Watermark

_STUCK = 600.0  # seconds without progress after which the operator is told what alarms wait for
_AHEAD = 60.0  # seconds by which a watermark ahead of the clock shows that the clock was wrong


@dataclass(slots=True)
class _Shard:
    """Attributes: newest event time; until when all was read; the highest watermark, and since when."""

    newest: float | None = None
    complete: float | None = None
    reached: float | None = None
    since: float = 0.0
    left_behind: bool = False


class Watermarks:
    """The watermarks of one source's shards. Times are seconds since 1970.

    Args:
        ordered: whether the events of a shard come in the order of time, but for their lateness.
        now: the time of day; None while it cannot be trusted. No watermark is ahead of it.
        monotonic: seconds of a clock that no one sets.
        max_wait: seconds without progress after which the others go on without a shard; 0 for never.
        report: is called with one line about what alarms wait for, shards that are left behind, or a clock
            that went back.
    """

    def __init__(
        self,
        *,
        ordered: bool,
        now: Callable[[], float | None],
        monotonic: Callable[[], float],
        max_wait: float = 0,
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.value: int | None = None
        self._ordered = ordered
        self._now = now
        self._monotonic = monotonic
        self._max_wait = max_wait
        self._report = report
        self._shards: dict[str, _Shard] = {}
        self._moved = monotonic()
        self._stuck = False

    def observe(self, newest: Mapping[str, int]) -> None:
        """Takes the newest event time of each shard that something was read from."""
        if self._ordered:
            for name, seconds in newest.items():
                shard = self._shard(name)
                shard.newest = seconds if shard.newest is None else max(shard.newest, seconds)

    def mark(self, mark: Watermark) -> None:
        """Takes what the source says of a shard."""
        if mark.ended or mark.elsewhere:
            self._shards.pop(mark.shard, None)
            return
        shard = self._shard(mark.shard)
        if mark.time is not None:
            shard.complete = mark.time if shard.complete is None else max(shard.complete, mark.time)

    def advance(self) -> int | None:
        """The lowest watermark of all shards, which never goes back but for a clock that was wrong."""
        now = self._now()
        if now is None:
            return self.value
        if self.value is not None and self.value > now + _AHEAD:
            self._rewind(now)
        reached = [self._reached(name, shard, now) for name, shard in self._shards.items()]
        counted = [time for time in reached if time is not None]
        if counted and len(counted) == len(reached) - self._left_behind():
            lowest = int(min(counted))
            if self.value is None or lowest > self.value:
                self.value = lowest
                self._go_on()
        self._check_stuck()
        return self.value

    def passed(self, time: float) -> bool:
        """Whether event time has reached this time, as far as there are shards."""
        return not self._shards or (self.value is not None and self.value >= int(time))

    def _go_on(self) -> None:
        if self._stuck:
            waited = self._monotonic() - self._moved
            self._report(f"alarms go on: event time moves again after {waited:,.0f} s")
        self._moved, self._stuck = self._monotonic(), False

    def _check_stuck(self) -> None:
        """Reports the shard that holds the others back, once for each time that event time stands still."""
        waited = self._monotonic() - self._moved
        waiting = {name: s.reached for name, s in self._shards.items() if not s.left_behind}
        if self._stuck or waited <= _STUCK or not waiting:
            return
        self._stuck = True
        lowest = min(waiting, key=lambda name: (waiting[name] is not None, waiting[name] or 0))
        self._report(f"alarms wait for shard {lowest}: event time has not moved for {waited:,.0f} s")

    def _shard(self, name: str) -> _Shard:
        found = self._shards.get(name)
        if found is None:
            found = self._shards[name] = _Shard(since=self._monotonic())
        return found

    def _left_behind(self) -> int:
        return sum(shard.left_behind for shard in self._shards.values())

    def _reached(self, name: str, shard: _Shard, now: float) -> float | None:
        """The shard's watermark; None when it has none, or the others go on without it."""
        known = [time for time in (shard.newest, shard.complete) if time is not None]
        reached = min(max(known), now) if known else None
        if reached is not None and (shard.reached is None or reached > shard.reached):
            if shard.left_behind:
                self._report(f"alarms wait for shard {name} again")
            shard.reached, shard.since, shard.left_behind = reached, self._monotonic(), False
        elif self._max_wait and self._monotonic() - shard.since > self._max_wait and not shard.left_behind:
            shard.left_behind = True
            self._report(
                f"alarms go on without shard {name}, which has been behind for {self._max_wait:,.0f} s: "
                "its events may come too late to count"
            )
        return None if shard.left_behind else shard.reached

    def _rewind(self, now: float) -> None:
        """Undoes what a clock did that was ahead."""
        assert self.value is not None
        self._report(f"event time was {self.value - now:,.0f} s ahead of the clock: it starts again from now")
        self.value = None
        for shard in self._shards.values():
            shard.complete = shard.reached = None
