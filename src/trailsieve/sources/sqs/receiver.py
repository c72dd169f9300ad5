"""Receives the messages of a queue in a thread of its own, so that no poll waits for a long poll of SQS."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import NamedTuple

from trailsieve.errors import SourceError
from trailsieve.sources.sqs.visibility import ReceivedMessage, VisibilityLeases
from trailsieve.wire.aws import explain, fault
from trailsieve.wire.backoff import Backoff

_LONG_POLL = 5  # seconds; a longer one would delay the shutdown
_MOST = 10  # messages per request, the most that SQS allows
_BATCHES_AHEAD = 3  # batches requested or waiting to be taken


class _Batch(NamedTuple):
    messages: list[ReceivedMessage]
    empty_at: float | None = None


class Receiver:
    """Receives messages into leases, a few batches ahead and only on request, to bound those in flight.

    Attributes:
        empty_at: when the last request began whose batch was taken, if SQS had no message for it; else None.
    """

    def __init__(
        self,
        leases: VisibilityLeases,
        info: Callable[[str], None],
        now: Callable[[], float | None],
        reachable: Callable[[bool], None] = lambda reachable: None,
    ) -> None:
        self.empty_at: float | None = None
        self._now = now
        self._leases = leases
        self._info = info
        self._reachable = reachable
        self._batches: SimpleQueue[_Batch | SourceError] = SimpleQueue()
        self._wanted = threading.Semaphore(0)
        self._requested = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Requests batches, unless enough are under way. Returns at once."""
        if self._thread is None:  # starts here, after the worker processes were forked
            self._thread = threading.Thread(target=self._run, name="sqs-receive", daemon=True)
            self._thread.start()
        if self._requested < _BATCHES_AHEAD:
            self._wanted.release(_BATCHES_AHEAD - self._requested)
            self._requested = _BATCHES_AHEAD

    def take(self, seconds: float) -> list[ReceivedMessage]:
        """Returns the next batch, or an empty one if none arrives. Blocks for up to `seconds`.

        Raises:
            SourceError: SQS refuses requests, and retrying will not help.
        """
        try:
            arrived = self._batches.get(timeout=seconds) if seconds else self._batches.get_nowait()
        except Empty:
            return []
        if isinstance(arrived, SourceError):
            raise arrived
        self._requested -= 1
        self.empty_at = arrived.empty_at
        return arrived.messages

    def close(self) -> None:
        """Stops the thread. May block for the rest of a long poll."""
        self._closing.set()
        self._wanted.release()
        if self._thread is not None:
            self._thread.join(_LONG_POLL + 1)
            self._thread = None

    def _run(self) -> None:
        backoff = Backoff()
        while True:
            self._wanted.acquire()
            if self._closing.is_set():
                return
            try:
                self._batches.put(self._receive())
                self._reachable(True)
                backoff.reset()
            except Exception as error:
                text = f"{self._leases.queue_url} cannot be read (sqs:ReceiveMessage): {explain(error)}"
                if fault(error) != "later":
                    self._batches.put(SourceError(text))
                    return
                self._reachable(False)
                self._info(f"{text}; retrying")
                backoff.wait(self._closing)
                self._batches.put(_Batch([]))

    def _receive(self) -> _Batch:
        began = self._now()
        response = self._leases.client.receive_message(
            QueueUrl=self._leases.queue_url,
            MaxNumberOfMessages=_MOST,
            WaitTimeSeconds=_LONG_POLL,
            VisibilityTimeout=self._leases.timeout,
        )
        taken = [
            self._leases.take(message["MessageId"], message["ReceiptHandle"], message["Body"].encode())
            for message in response.get("Messages", ())
        ]
        return _Batch([received for received in taken if received], None if taken else began)
