"""Alerts to all sinks at once, each with a worker thread of its own, until the required ones have taken them.

While a required sink is down the source is kept alive and nothing more is polled from it: a slow receiver
slows the run and loses nothing. A sink that is not required never makes the run wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trailsieve.engine.heartbeat import Heartbeat
from trailsieve.engine.sink_worker import Outlet, Refusal
from trailsieve.model import Alert
from trailsieve.ports import Sink

_SLICE = 0.5  # seconds between two signs of life to the source
_GRACE = 10.0  # seconds that sinks which are not required have at the end for what still waits


class StoppedError(Exception):
    """The run was told to stop while a sink refused; nothing of the epoch is committed."""


@dataclass(slots=True)
class DirectDelivery:
    """Hands alerts to sinks that never make a run wait, such as a stream: for replays."""

    sinks: Sequence[Sink]

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every sink has taken every alert."""
        if alerts:
            for sink in self.sinks:
                sink.deliver(alerts)


@dataclass(slots=True)
class Delivery:
    """Hands alerts to every sink that wants them.

    Attributes:
        sinks: as they are, which makes them required and takes all alerts, or as outlets.
        keep_alive: called every half second while a sink keeps us waiting.
        refused: told, by the thread that delivers, of each alert that a sink never took.
        stopping: whether to give up waiting for a sink that is down.
        heartbeat: adds a sign of life when one is due.
        gauge: told how many alerts wait for a sink and how many it never took, by name.
    """

    sinks: Sequence[Sink | Outlet]
    keep_alive: Callable[[], None] = lambda: None
    refused: Callable[[Refusal], None] = lambda refusal: None
    stopping: Callable[[], bool] = lambda: False
    heartbeat: Heartbeat = field(default_factory=lambda: Heartbeat(0))
    gauge: Callable[[str, float], None] = lambda name, value: None
    outlets: list[Outlet] = field(init=False)

    def __post_init__(self) -> None:
        self.outlets = [sink if isinstance(sink, Outlet) else Outlet(sink) for sink in self.sinks]

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every required sink has taken or refused every alert.

        Raises:
            SinkError: a required sink will take nothing until a person mends something.
            StoppedError: told to stop while one of them was down.
        """
        signs = self.heartbeat.due()
        for outlet in self.outlets:
            wanted = [alert for alert in alerts if outlet.routing.takes(alert)]
            if outlet.routing.heartbeat:
                wanted += signs
            if wanted:
                outlet.put(wanted)
        required = [outlet for outlet in self.outlets if outlet.required]
        while not _settled(required):
            if self.stopping() and any(outlet.down for outlet in required):
                raise StoppedError
            self.keep_alive()
        self._collect()

    def close(self) -> None:
        """Gives what still waits a last chance, and ends the workers."""
        for outlet in self.outlets:
            if not outlet.required and not outlet.down:
                outlet.settled(_GRACE)
            outlet.stop("the run ended before it was taken")
        self._collect()

    def _collect(self) -> None:
        for outlet in self.outlets:
            for refusal in outlet.refusals():
                self.refused(refusal)
            if outlet.given_up:
                self.gauge(f"{outlet.name}_never_taken", outlet.given_up)
            if not outlet.required:
                self.gauge(f"{outlet.name}_waiting", outlet.waiting)


def _settled(required: Sequence[Outlet]) -> bool:
    """Whether all have taken everything, within half a second; what ended one of them ends the run."""
    settled = all(outlet.settled(_SLICE) for outlet in required)
    for outlet in required:
        if outlet.error:
            raise outlet.error
    return settled
