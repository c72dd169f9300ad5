"""Alerts that trailsieve raises about itself: the heartbeat, and the test alert of `config check`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime

from trailsieve.model import Alert
from trailsieve.times import rfc3339

HEARTBEAT = "trailsieve-heartbeat"
TEST = "trailsieve-test"


def heartbeat(now: float) -> Alert:
    """Returns the heartbeat of this host at a time in seconds since 1970."""
    return _signal(HEARTBEAT, "trailsieve is alive", now)


def test_alert(now: float) -> Alert:
    """Returns an alert whose text says that it is a test."""
    return _signal(TEST, "Test alert from trailsieve: nothing happened, please ignore", now)


class Heartbeat:
    """Schedules heartbeats: one at once, then one every `period` seconds; none when it is 0.

    Nothing is alive that reads nothing: there are none while the source cannot be reached.

    Args:
        monotonic: seconds of a clock that no one sets, for the schedule.
        now: seconds since 1970, for the time that a heartbeat shows.
    """

    def __init__(
        self,
        period: float,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._period = period
        self._monotonic = monotonic
        self._now = now
        self._next: float | None = None
        self._reachable = True

    def set_reachable(self, reachable: bool) -> None:
        """Takes whether the source can be reached now."""
        self._reachable = reachable

    def due(self) -> list[Alert]:
        """Returns the heartbeat if it is due, else nothing."""
        elapsed = self._monotonic()
        if not self._period or not self._reachable or (self._next is not None and elapsed < self._next):
            return []
        self._next = elapsed + self._period
        return [heartbeat(self._now())]


def _signal(rule: str, title: str, now: float) -> Alert:
    import socket  # a replay sends no heartbeat

    host = socket.gethostname()
    at = datetime.fromtimestamp(now, UTC)
    return Alert(
        id=hashlib.sha256(f"{rule}\0{host}\0{at.isoformat()}".encode()).hexdigest()[:32],
        rule=rule,
        title=title,
        severity="informational",
        kind="match",
        state=None,
        time=rfc3339(int(now)),
        account=None,
        region=None,
        count=1,
        principal=host,
        summary=f"{title} on {host}",
        tags=(rule,),
    )
