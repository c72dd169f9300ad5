"""A sink with its queue and its worker thread: batches, retries with growing, jittered pauses, giving up.

The worker thread only delivers. Alerts that it gave up are collected by the thread that owns the run, so one
thread alone writes dead letters and counts.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import ceil
from typing import NamedTuple

from trailsieve.engine.routing import Routing
from trailsieve.errors import DeliveryError, SinkError, counted
from trailsieve.model import Alert
from trailsieve.ports import Sink
from trailsieve.wire.backoff import Backoff

_LONG = 2.0  # seconds that a delivery should take at most


class Refusal(NamedTuple):
    """An alert that a sink never accepted, and why."""

    sink: str
    alert: Alert
    reason: str


class Clock:
    """The clock of the workers; tests bring their own."""

    def now(self) -> float:
        """Returns the seconds of a monotonic clock."""
        return time.monotonic()

    def wait(self, stop: threading.Event, duration: float) -> bool:
        """Waits for `duration` seconds or until `stop` is set; returns whether it was."""
        return stop.wait(duration)


class SinkWorker:
    """Delivers alerts to one sink, from a thread that starts with the first alert.

    Args:
        info: shows the operator one line when the sink goes down or comes back.

    Attributes:
        name: the sink's name in messages.
        error: why it failed for good; it accepts nothing more.
        given_up: the number of alerts that it never accepted.
    """

    def __init__(
        self,
        sink: Sink,
        routing: Routing | None = None,
        info: Callable[[str], None] = lambda text: None,
        clock: Clock | None = None,
    ) -> None:
        self.sink = sink
        self.routing = routing or Routing()
        self.name = self.routing.name or "sink"
        self.required = self.routing.required
        asked = self.routing.confirmations
        self._confirmations = sink.overwrites if asked is None else asked
        self._info = info
        self.error: SinkError | None = None
        self.given_up = 0
        self._patience = self.routing.patience
        self._clock = clock or Clock()
        self._queue: deque[tuple[float, Alert]] = deque()  # with the time at which each alert was queued
        self._batch: Sequence[tuple[float, Alert]] = ()  # what the worker is delivering
        self._refusals: list[Refusal] = []
        self._most = self.routing.max_batch  # alerts in a delivery
        self._tries = 0  # failures in a row
        self._down_since = 0.0
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """The number of alerts that are not accepted yet."""
        return len(self._queue) + len(self._batch)

    @property
    def down(self) -> bool:
        """Whether the last attempt failed."""
        return self._tries > 0

    def takes(self, alert: Alert) -> bool:
        """Returns whether the sink gets an alert: a confirmation only if it can overwrite or asks for it."""
        return self.routing.takes(alert) and (self._confirmations or not alert.confirms)

    def put(self, alerts: Sequence[Alert]) -> None:
        """Queues alerts, and gives up those that do not fit the queue of an optional sink. Does not block."""
        now = self._clock.now()
        with self._changed:
            room = len(alerts) if self.required else max(0, self.routing.queue - self.waiting)
            why = f"its queue of {counted(self.routing.queue, 'alert')} is full"
            if self.error and not self.required:
                room, why = 0, str(self.error)
            self._queue.extend((now, alert) for alert in alerts[:room])
            self._refuse((alert, why) for alert in alerts[room:])
            if self._thread is None and self._queue:
                self._thread = threading.Thread(target=self._work, name=f"sink {self.name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def settled(self, timeout: float) -> bool:
        """Blocks for up to `timeout` seconds; True once the queue is empty or the sink has failed."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.waiting or self.error is not None, timeout)

    def refusals(self) -> list[Refusal]:
        """Returns the alerts that were given up since the last call."""
        with self._changed:
            taken, self._refusals = self._refusals, []
        return taken

    def without_waiting(self, alerts: Sequence[Alert]) -> list[Alert]:
        """Returns the alerts without those that are not accepted yet."""
        with self._changed:
            waiting = {id(alert) for _, alert in (*self._batch, *self._queue)}
        return [alert for alert in alerts if id(alert) not in waiting]

    def ask_to_stop(self) -> None:
        """Makes the thread end as soon as its request has ended. Does not block."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()

    def stop(self, reason: str, timeout: float = 5.0) -> None:
        """Ends the thread, and gives up what still waits for an optional sink. Blocks for up to `timeout`."""
        self.ask_to_stop()
        if self._thread:
            self._thread.join(timeout)
        with self._changed:
            if not self.required:
                self._give_up_all(reason)

    def _work(self) -> None:
        try:
            while batch := self._next():
                self._deliver(batch)
                with self._changed:
                    self._changed.notify_all()
        except BaseException as error:
            self._end(error)
            expected = isinstance(error, SinkError | OSError)
            optional = not self.required and isinstance(error, Exception)
            if not expected and not optional:
                raise  # ends the run, with a traceback

    def _next(self) -> Sequence[tuple[float, Alert]]:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._stop.is_set())
            if self._stop.is_set():
                return ()
            most = min(self.routing.max_batch, ceil(self.routing.rate) or self.routing.max_batch, self._most)
            count = min(len(self._queue), most)
            self._batch = [self._queue.popleft() for _ in range(count)]
            return self._batch

    def _deliver(self, batch: Sequence[tuple[float, Alert]]) -> None:
        """Tries until every alert of a batch is accepted or given up."""
        backoff = Backoff()
        while batch and not self._stop.is_set():
            started, count = self._clock.now(), len(batch)
            wait = 0.0
            try:
                self.sink.deliver([alert for _, alert in batch])
                batch = ()
                self._up()
                self._pace(count, self._clock.now() - started)
            except DeliveryError as error:
                if any(alert.id not in error.again for _, alert in batch):
                    backoff.reset()  # it takes alerts: what it did not take now says nothing about the next
                batch = self._after(error, batch)
                wait = backoff.next(error.retry_after)
            self._batch = batch
            if self.routing.rate:
                wait = max(wait, (count - len(batch)) / self.routing.rate - (self._clock.now() - started))
            if (batch or self.routing.rate) and wait > 0:
                self._clock.wait(self._stop, wait)

    def _pace(self, count: int, seconds: float) -> None:
        """Keeps deliveries to a slow sink short, so that a run that is to stop knows what it accepted."""
        if seconds > _LONG:
            self._most = max(1, int(count * _LONG / seconds))
        elif seconds < _LONG / 4:
            self._most = min(2 * self._most, self.routing.max_batch)

    def _after(
        self, error: DeliveryError, batch: Sequence[tuple[float, Alert]]
    ) -> Sequence[tuple[float, Alert]]:
        """The alerts of a batch that are to be sent again."""
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
            why = f"not accepted for {self.routing.give_up_after}: {error.reason}"
            self._refuse((alert, why) for since, alert in again if since <= oldest)
        return [(since, alert) for since, alert in again if since > oldest]

    def _down(self, reason: str, count: int) -> None:
        self._tries += 1
        if self._tries == 1:
            self._down_since = self._clock.now()
            waiting = counted(count, "alert")
            self._info(f"sink {self.name}: {reason}; retrying {waiting} until it accepts them")

    def _up(self) -> None:
        if self._tries:
            down = self._clock.now() - self._down_since
            self._info(f"sink {self.name}: accepts alerts again after {self._tries} attempts, {down:,.0f} s")
        self._tries = 0

    def _end(self, error: BaseException) -> None:
        """The sink will accept nothing until its configuration is fixed."""
        with self._changed:
            if isinstance(error, SinkError):
                self.error = error
            else:
                self.error = SinkError(f"{type(error).__name__}: {error}")
            if not self.required:
                self._give_up_all(str(self.error))
            self._changed.notify_all()
        if not self.required:
            self._info(
                f"sink {self.name}: {self.error}. It gets no more alerts in this run; "
                "they go to the dead letters"
            )

    def _give_up_all(self, reason: str) -> None:
        self._refuse((alert, reason) for _, alert in (*self._batch, *self._queue))
        self._batch = ()
        self._queue.clear()

    def _refuse(self, refused: Iterable[tuple[Alert, str]]) -> None:
        before = len(self._refusals)
        self._refusals += [Refusal(self.name, alert, reason) for alert, reason in refused]
        self.given_up += len(self._refusals) - before
