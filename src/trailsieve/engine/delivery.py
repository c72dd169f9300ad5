"""Alerts to all sinks at once, each with its own worker thread, until the required ones have accepted them.

While a required sink is down the source is kept alive and nothing more is polled from it: a slow receiver
slows the run and loses nothing. A sink that is not required never makes the run wait.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trailsieve.engine.heartbeat import Heartbeat
from trailsieve.engine.sink_worker import Refusal, SinkWorker
from trailsieve.model import Alert
from trailsieve.ports import Sink

_SLICE = 0.5  # seconds between two calls of keep_alive
_GRACE = 10.0  # seconds that optional sinks have at the end for the alerts that still wait


class StoppedError(Exception):
    """The run was told to stop while a required sink was down; nothing of the epoch is committed."""


@dataclass(slots=True)
class DirectDelivery:
    """Passes alerts to sinks that never make a run wait, such as a stream: for replays and simulations."""

    sinks: Sequence[Sink]

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every sink has accepted every alert."""
        if alerts:
            for sink in self.sinks:
                sink.deliver(alerts)


@dataclass(slots=True)
class Delivery:
    """Passes alerts to every sink whose routing takes them.

    Attributes:
        keep_alive: called every half second while a required sink is busy.
        refused: called, by the thread that delivers, with each alert that a sink never accepted.
        stopping: whether to give up waiting for a sink that is down.
        heartbeat: adds a heartbeat when one is due.
        gauge: sets by name how many alerts wait for a sink and how many it never accepted.
    """

    workers: Sequence[SinkWorker]
    keep_alive: Callable[[], None] = lambda: None
    refused: Callable[[Refusal], None] = lambda refusal: None
    stopping: Callable[[], bool] = lambda: False
    heartbeat: Heartbeat = field(default_factory=lambda: Heartbeat(0))
    gauge: Callable[[str, float], None] = lambda name, value: None

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every required sink has accepted or refused every alert. Blocks until then.

        Raises:
            SinkError: a required sink will accept nothing until its configuration is fixed.
            StoppedError: `stopping` became true while one of them was down.
        """
        heartbeats = self.heartbeat.due()
        for worker in self.workers:
            wanted = [alert for alert in alerts if worker.takes(alert)]
            if worker.routing.heartbeat:
                wanted += heartbeats
            if wanted:
                worker.put(wanted)
        required = [worker for worker in self.workers if worker.required]
        while not _settled(required):
            if self.stopping() and any(worker.down for worker in required):
                raise StoppedError
            self.keep_alive()
        self._collect()

    def close(self) -> None:
        """Tries once more to deliver what still waits, and ends the worker threads."""
        for worker in self.workers:
            if not worker.required and not worker.down:
                worker.settled(_GRACE)
            worker.stop("the run ended before it was accepted")
        self._collect()

    def _collect(self) -> None:
        for worker in self.workers:
            for refusal in worker.refusals():
                self.refused(refusal)
            if worker.given_up:
                self.gauge(f"{worker.name}_never_accepted", worker.given_up)
            if not worker.required:
                self.gauge(f"{worker.name}_waiting", worker.waiting)


def _settled(required: Sequence[SinkWorker]) -> bool:
    """Whether all have accepted everything, within half a second; the error of a failed one is raised."""
    settled = all(worker.settled(_SLICE) for worker in required)
    for worker in required:
        if worker.error:
            raise worker.error
    return settled
