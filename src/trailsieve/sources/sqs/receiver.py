"""Messages of a queue, received by a thread of its own: a long poll keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from trailsieve.errors import SourceError
from trailsieve.sources.sqs.visibility import Hand, Received
from trailsieve.wire.aws import answer, fault
from trailsieve.wire.backoff import Backoff

_LONG_POLL = 5  # seconds; a longer one would keep us from ending
_MOST = 10  # messages that SQS gives at once
_AHEAD = 3  # batches that are asked for or waiting to be taken


class Receiver:
    """Receives into a hand, a few batches ahead and only when asked to: no more than can be worked on."""

    def __init__(self, hand: Hand, say: Callable[[str], None]) -> None:
        self._hand = hand
        self._say = say
        self._arrived: SimpleQueue[list[Received] | SourceError] = SimpleQueue()
        self._wanted = threading.Semaphore(0)
        self._asked = 0
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Asks for batches, unless enough are under way."""
        if self._thread is None:  # it begins here, not earlier: worker processes were forked before
            self._thread = threading.Thread(target=self._run, name="sqs-receive", daemon=True)
            self._thread.start()
        if self._asked < _AHEAD:
            self._wanted.release(_AHEAD - self._asked)
            self._asked = _AHEAD

    def take(self, seconds: float) -> list[Received]:
        """A batch that arrived; waits for it, and is empty when none came.

        Raises:
            SourceError: nothing can be received until a person mends something.
        """
        try:
            arrived = self._arrived.get(timeout=seconds) if seconds else self._arrived.get_nowait()
        except Empty:
            return []
        if isinstance(arrived, SourceError):
            raise arrived
        self._asked -= 1
        return arrived

    def close(self) -> None:
        """Ends the thread."""
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
                self._arrived.put(self._receive())
                backoff.reset()
            except Exception as error:
                text = f"{self._hand.queue_url} cannot be read (sqs:ReceiveMessage): {answer(error)}"
                if fault(error) != "later":
                    self._arrived.put(SourceError(text))
                    return
                self._say(f"{text}; trying again")
                backoff.wait(self._closing)
                self._arrived.put([])

    def _receive(self) -> list[Received]:
        answered = self._hand.client.receive_message(
            QueueUrl=self._hand.queue_url,
            MaxNumberOfMessages=_MOST,
            WaitTimeSeconds=_LONG_POLL,
            VisibilityTimeout=self._hand.timeout,
        )
        taken = [
            self._hand.take(message["MessageId"], message["ReceiptHandle"], message["Body"].encode())
            for message in answered.get("Messages", ())
        ]
        return [received for received in taken if received]
