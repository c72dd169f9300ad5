"""A sink that keeps alerts in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from trailsieve.model import Alert


class MemorySink:
    """Keeps every delivered alert in `alerts`."""

    overwrites = False

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.closed = False

    def deliver(self, alerts: Sequence[Alert]) -> None:
        self.alerts.extend(alerts)

    def check(self) -> str:
        return "takes alerts"

    def close(self) -> None:
        self.closed = True
