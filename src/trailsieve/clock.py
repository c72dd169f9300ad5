"""The time of day as far as it can be trusted: a step of the clock counts only once it has lasted."""

from __future__ import annotations

import time
from collections.abc import Callable

SETTLE = 15.0  # seconds that the clock must run evenly before it is trusted
_STEP = 1.0  # seconds by which time of day and monotonic time may drift apart between two readings
_GAP = 30.0  # seconds between two readings after which nothing is known of what happened in between


class TrustedClock:
    """The time of day, frozen while the machine's clock steps.

    A clock that is set, a virtual machine that was suspended and a process that was stopped all look like a
    step: the time of day and the monotonic clock move apart, or both jump. After a step `now` stays where it
    was until both clocks have run evenly for `settle` seconds.

    Args:
        wall: seconds since 1970.
        monotonic: seconds of a clock that no one sets.
        settle: seconds.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        settle: float = SETTLE,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._settle = settle
        self._last: tuple[float, float] | None = None
        self._even_since = 0.0
        self._trusted: float | None = None

    def now(self) -> float | None:
        """Seconds since 1970; None until the clock has run evenly for the first time."""
        wall, monotonic = self._wall(), self._monotonic()
        if self._last is None or self._stepped(*self._last, wall, monotonic):
            self._even_since = monotonic
        self._last = wall, monotonic
        if monotonic - self._even_since >= self._settle:
            self._trusted = wall
        return self._trusted

    @staticmethod
    def _stepped(last_wall: float, last_monotonic: float, wall: float, monotonic: float) -> bool:
        elapsed = monotonic - last_monotonic
        return not 0 <= elapsed <= _GAP or abs(wall - last_wall - elapsed) > _STEP
