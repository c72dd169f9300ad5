"""When a run with `--until-idle` has nothing left to do."""

from __future__ import annotations

import time
from collections.abc import Callable

from trailsieve.engine.pipeline import Pipeline

QUIET = 10.0  # seconds without a record after which a run is idle
_PATIENCE = 300.0  # seconds after the last record for which a run waits to evaluate its alarms


class Idle:
    """True once alarms are evaluated up to the start of the run, and no record arrives for `QUIET` seconds.

    Alarms are evaluated when the source has been read to its end and the clock is trusted, which alone takes
    `clock.SETTLE` seconds. A source that is never read to its end must not keep the run alive: it gives up
    `_PATIENCE` seconds after the last record, and the next run evaluates the alarms.

    Args:
        report: is called with one line for the operator.
        wall: seconds since 1970.
        monotonic: seconds of a clock that no one sets.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        report: Callable[[str], None],
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pipeline = pipeline
        self._report = report
        self._monotonic = monotonic
        self._began = wall()
        self._records = 0
        self._last_record = self._quiet_since = monotonic()
        self._gave_up = False

    def __call__(self) -> bool:
        now = self._monotonic()
        records = self._pipeline.stats.records
        if records != self._records:
            self._records = records
            self._last_record = self._quiet_since = now
        if self._gave_up or self._pipeline.alarms.evaluated(self._began):
            return now - self._quiet_since > QUIET
        self._quiet_since = now
        if now - self._last_record > _PATIENCE:
            self._give_up()
        return False

    def _give_up(self) -> None:
        self._gave_up = True
        self._report(
            f"alarms were not evaluated: in the {_PATIENCE:g} s since the last record the source was not "
            "read to its end or the clock was not steady; the next run evaluates them"
        )
