"""Alerts to sinks, until each has accepted them: retries with growing, jittered pauses, and dead letters.

While a sink is down the source is kept alive and nothing more is polled from it: a slow receiver slows the
run and loses nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trailsieve.errors import DeliveryError
from trailsieve.model import Alert
from trailsieve.ports import Sink

FIRST_PAUSE = 0.5  # seconds
LONGEST_PAUSE = 30.0
_SLICE = 0.5  # seconds between two signs of life to the source


class StoppedError(Exception):
    """The run was told to stop while a sink refused; nothing of the epoch is committed."""


@dataclass(slots=True)
class Delivery:
    """Hands alerts to every sink.

    Attributes:
        keep_alive: called every half second while a sink keeps us waiting.
        refused: told of each alert that a sink will never take, with the reason.
        report: told, as one line, when a sink stops accepting and when it accepts again.
        stopping: whether to give up waiting.
    """

    sinks: Sequence[Sink]
    keep_alive: Callable[[], None] = lambda: None
    refused: Callable[[Alert, str], None] = lambda alert, reason: None
    report: Callable[[str], None] = lambda text: None
    stopping: Callable[[], bool] = lambda: False
    sleep: Callable[[float], None] = time.sleep
    _chance: random.Random = field(default_factory=random.Random)

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every sink has accepted or refused every alert.

        Raises:
            SinkError: a sink will take nothing until a person mends something.
            StoppedError: told to stop before all were accepted.
        """
        for sink in self.sinks:
            if alerts:
                self._deliver(sink, alerts)

    def _deliver(self, sink: Sink, alerts: Sequence[Alert]) -> None:
        pause, tries = FIRST_PAUSE, 0
        while alerts:
            try:
                sink.deliver(alerts)
            except DeliveryError as error:
                tries += 1
                for alert in alerts:
                    if alert.id in error.refused:
                        self.refused(alert, error.refused[alert.id])
                alerts = [alert for alert in alerts if alert.id in error.again]
                if alerts:
                    self.report(f"{error.reason}; {len(alerts)} alerts are sent again (try {tries})")
                    self._wait(error.wait or pause * self._chance.uniform(0.5, 1))
                    pause = min(2 * pause, LONGEST_PAUSE)
            else:
                if tries:
                    self.report(f"alerts are accepted again, after {tries} tries")
                return

    def _wait(self, seconds: float) -> None:
        while seconds > 0:
            if self.stopping():
                raise StoppedError
            self.keep_alive()
            self.sleep(min(_SLICE, seconds))
            seconds -= _SLICE
