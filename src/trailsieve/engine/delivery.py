"""Alerts to all sinks at once, each with its own worker thread, until the required ones have accepted them.

While a required sink is down the source is kept alive and nothing more is polled from it: a slow receiver
slows the run and loses nothing. A sink that is not required never makes the run wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trailsieve.engine.accepted import Accepted
from trailsieve.engine.heartbeat import Heartbeat
from trailsieve.engine.sink_worker import Refusal, SinkWorker
from trailsieve.errors import SinkError
from trailsieve.model import Alert
from trailsieve.ports import Sink

_SLICE = 0.5  # seconds between two calls of keep_alive
_GRACE = 10.0  # seconds that optional sinks have at the end for the alerts that still wait
_STOP_GRACE = 5.0  # seconds without any progress of required sinks after which a run that is to stop stops
_LAST = 2.0  # seconds that requests under way have before the process ends


class StoppedError(Exception):
    """The run was told to stop while it waited for something; nothing of the epoch is committed.

    The text says what it waited for: "a sink was down or slow".
    """


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
        refused: called, by the thread that delivers, with the alerts that a sink never accepted.
        stopping: whether to give up waiting for a sink that is down.
        heartbeat: adds a heartbeat when one is due.
        gauge: sets by name how many alerts wait for a sink and how many it never accepted.
        accepted: what sinks accepted of epochs that were never committed; they do not get it again.
        save: saves that as state of the checkpoint, when an epoch cannot be committed yet.
    """

    workers: Sequence[SinkWorker]
    keep_alive: Callable[[], None] = lambda: None
    refused: Callable[[Sequence[Refusal]], None] = lambda refusals: None
    stopping: Callable[[], bool] = lambda: False
    heartbeat: Heartbeat = field(default_factory=lambda: Heartbeat(0))
    gauge: Callable[[str, float], None] = lambda name, value: None
    accepted: Accepted = field(default_factory=Accepted)
    save: Callable[[dict[str, bytes | None]], None] = lambda state: None
    monotonic: Callable[[], float] = time.monotonic

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every required sink has accepted or refused every alert. Blocks until then.

        When a sink fails for good, the others still get the alerts, unless they are down.

        Raises:
            SinkError: a required sink will accept nothing until its configuration is fixed.
            StoppedError: `stopping` became true, and a required sink is down or makes no progress.
        """
        heartbeats = self.heartbeat.due()
        for worker in self.workers:
            wanted = [alert for alert in alerts if self._takes(worker, alert)]
            if worker.routing.heartbeat:
                wanted += heartbeats
            if wanted:
                worker.put(wanted)
        try:
            self._wait(alerts)
        except Exception:
            self._keep(alerts)
            raise
        self._collect()

    def close(self) -> None:
        """Tries once more to deliver what still waits, and ends the worker threads."""
        ends = self.monotonic() + _GRACE
        for worker in self.workers:
            if not worker.required and not worker.down:
                worker.settled(max(0.0, ends - self.monotonic()))
        for worker in self.workers:
            worker.ask_to_stop()
        ends = self.monotonic() + _LAST
        for worker in self.workers:
            worker.stop("the run ended before it was accepted", max(0.0, ends - self.monotonic()))
        self._collect()

    def _takes(self, worker: SinkWorker, alert: Alert) -> bool:
        return worker.takes(alert) and not (self.accepted.has(worker.name, alert) and self._is_named(worker))

    def _is_named(self, worker: SinkWorker) -> bool:
        """Whether the name tells the sink apart from the others, also after a restart."""
        return sum(other.name == worker.name for other in self.workers) == 1

    def _wait(self, alerts: Sequence[Alert]) -> None:
        """Returns when every required sink has settled; raises what `deliver` raises."""
        required = [worker for worker in self.workers if worker.required]
        stop_by, waiting, kept = None, 0, False
        while not all(worker.settled(_SLICE) for worker in required):
            before, waiting = waiting, sum(worker.waiting for worker in required)
            if self.stopping() and (stop_by is None or waiting < before):
                stop_by = self.monotonic() + _STOP_GRACE
            busy = [worker for worker in required if worker.waiting and not worker.error]
            down = bool(busy) and all(worker.down for worker in busy)
            if down and any(worker.error for worker in required):
                break
            if stop_by and (down or self.monotonic() > stop_by):
                raise StoppedError("a sink was down or slow")
            if down and not kept:  # an outage may outlast this process
                self._keep(alerts)
                kept = True
            self.keep_alive()
        for worker in required:
            if worker.error:
                raise SinkError(f"sink {worker.name}: {worker.error}")

    def _keep(self, alerts: Sequence[Alert]) -> None:
        """Saves what each sink has accepted or refused of alerts that cannot be committed yet."""
        self._collect()
        state: dict[str, bytes | None] = {}
        for worker in self.workers:
            done = [alert for alert in alerts if self._takes(worker, alert)]
            done = worker.without_waiting(done)
            if done and self._is_named(worker):
                state = self.accepted.add(worker.name, done)
        if state:
            self.save(state)

    def _collect(self) -> None:
        for worker in self.workers:
            if refusals := worker.refusals():
                self.refused(refusals)
            if worker.given_up:
                self.gauge(f"{worker.name}_never_accepted", worker.given_up)
            if not worker.required:
                self.gauge(f"{worker.name}_waiting", worker.waiting)
