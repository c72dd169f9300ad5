"""One sink with its queue and its worker thread: batches, retries with growing, jittered pauses, giving up.

A worker only hands over; what it gave up is kept until the thread that owns the run collects it, so dead
letters and counts are written by one thread.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import NamedTuple

from trailsieve.engine.routing import Routing
from trailsieve.errors import DeliveryError, SinkError
from trailsieve.model import Alert
from trailsieve.ports import Sink
from trailsieve.wire.backoff import Backoff


class Refusal(NamedTuple):
    """An alert that a sink never took, and why."""

    sink: str
    alert: Alert
    reason: str


class Clock:
    """Time as the workers see it; tests have their own."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    def wait(self, told: threading.Event, duration: float) -> bool:
        """Waits, at most until told to stop; returns whether it was told."""
        return told.wait(duration)


class Outlet:
    """A sink's own way out.

    Attributes:
        name: what messages call the sink.
        error: what ended it; then it takes nothing more.
        given_up: how many alerts it never took.
    """

    def __init__(
        self,
        sink: Sink,
        routing: Routing | None = None,
        report: Callable[[str], None] = lambda text: None,
        clock: Clock | None = None,
    ) -> None:
        self.sink = sink
        self.routing = routing or Routing()
        self.name = self.routing.name or "sink"
        self.required = self.routing.required
        self.report = report
        self.error: Exception | None = None
        self.given_up = 0
        self._patience = self.routing.patience
        self._clock = clock or Clock()
        self._queue: deque[tuple[float, Alert]] = deque()  # since when each alert waits
        self._in_hand: Sequence[tuple[float, Alert]] = ()  # what the worker tries to hand over
        self._refusals: list[Refusal] = []
        self._tries = 0  # failures in a row
        self._down_since = 0.0
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Alerts that are not yet taken."""
        return len(self._queue) + len(self._in_hand)

    @property
    def down(self) -> bool:
        """Whether the last attempt failed."""
        return self._tries > 0

    def put(self, alerts: Sequence[Alert]) -> None:
        """Queues alerts; what has no room any more in front of a sink that is not required is given up."""
        now = self._clock.now()
        with self._changed:
            room = len(alerts) if self.required else max(0, self.routing.queue - self.waiting)
            why = f"{self.waiting:,} alerts wait for it already"
            if self.error and not self.required:
                room, why = 0, str(self.error)
            self._queue.extend((now, alert) for alert in alerts[:room])
            self._refuse((alert, why) for alert in alerts[room:])
            if self._thread is None and self._queue:
                self._thread = threading.Thread(target=self._work, name=f"sink {self.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settled(self, timeout: float) -> bool:
        """Waits so long, at most, until nothing waits any more or the sink has ended."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.waiting or self.error is not None, timeout)

    def refusals(self) -> list[Refusal]:
        """What was given up since this was last asked."""
        with self._changed:
            taken, self._refusals = self._refusals, []
        return taken

    def stop(self, reason: str) -> None:
        """Ends the worker; what still waits before a sink that is not required is given up."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread:
            self._thread.join(5)
        with self._changed:
            if not self.required:
                self._give_up_all(reason)

    def _work(self) -> None:
        while batch := self._next():
            self._hand_over(batch)
            with self._changed:
                self._changed.notify_all()

    def _next(self) -> Sequence[tuple[float, Alert]]:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stop.is_set())
            if self._stop.is_set():
                return ()
            most = min(self.routing.max_batch, ceil(self.routing.rate) or self.routing.max_batch)
            count = min(len(self._queue), most)
            self._in_hand = [self._queue.popleft() for _ in range(count)]
            return self._in_hand

    def _hand_over(self, batch: Sequence[tuple[float, Alert]]) -> None:
        """Tries until every alert of a batch is taken or given up."""
        backoff = Backoff()
        while batch and not self._stop.is_set():
            started, count = self._clock.now(), len(batch)
            wait = 0.0
            try:
                self.sink.deliver([alert for _, alert in batch])
                batch = ()
                self._up()
            except DeliveryError as error:
                batch = self._after(error, batch)
                wait = backoff.next(error.wait)
            except Exception as error:
                self._end(error)
                return
            self._in_hand = batch
            if self.routing.rate:
                wait = max(wait, (count - len(batch)) / self.routing.rate - (self._clock.now() - started))
            if (batch or self.routing.rate) and wait > 0:
                self._clock.wait(self._stop, wait)

    def _after(
        self, error: DeliveryError, batch: Sequence[tuple[float, Alert]]
    ) -> Sequence[tuple[float, Alert]]:
        """What of a batch is to be sent again."""
        again = [(since, alert) for since, alert in batch if alert.id in error.again]
        with self._changed:
            self._refuse((alert, error.refused[alert.id]) for _, alert in batch if alert.id in error.refused)
        if not again:
            self._up()
            return ()
        self._down(error.reason, len(again))
        if self.required:
            return again
        oldest = self._clock.now() - self._patience
        with self._changed:
            why = f"not taken for {self.routing.give_up_after}: {error.reason}"
            self._refuse((alert, why) for since, alert in again if since <= oldest)
        return [(since, alert) for since, alert in again if since > oldest]

    def _down(self, reason: str, count: int) -> None:
        self._tries += 1
        if self._tries == 1:
            self._down_since = self._clock.now()
            self.report(f"sink {self.name}: {reason}; {count:,} alerts are sent again until it takes them")

    def _up(self) -> None:
        if self._tries:
            down = self._clock.now() - self._down_since
            self.report(f"sink {self.name}: takes alerts again, after {self._tries} tries in {down:,.0f} s")
        self._tries = 0

    def _end(self, error: Exception) -> None:
        """The sink will take nothing until a person mends something."""
        known = isinstance(error, SinkError | OSError)
        with self._changed:
            self.error = error if known or self.required else SinkError(f"{type(error).__name__}: {error}")
            if not self.required:
                self._give_up_all(str(self.error))
        if not self.required:
            self.report(
                f"sink {self.name}: {self.error}. It takes nothing more in this run; "
                "its alerts go to the dead letters"
            )

    def _give_up_all(self, reason: str) -> None:
        self._refuse((alert, reason) for _, alert in (*self._in_hand, *self._queue))
        self._in_hand = ()
        self._queue.clear()

    def _refuse(self, refused: Iterable[tuple[Alert, str]]) -> None:
        before = len(self._refusals)
        self._refusals += [Refusal(self.name, alert, reason) for alert, reason in refused]
        self.given_up += len(self._refusals) - before
