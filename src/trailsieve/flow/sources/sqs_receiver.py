"""Messages of a queue, received by a thread of its own: a long poll keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from trailsieve.errors import SourceError
from trailsieve.wire.aws import answer, fault

_LONG_POLL = 5  # seconds; a longer one would keep us from ending
_MOST = 10  # messages that SQS gives at once
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0  # seconds between two tries
_Batch = list[tuple[str, str, bytes]]  # id, receipt handle and body of each


class Receiver:
    """Receives one batch whenever it is asked for one, so that no more come than there is room for."""

    def __init__(self, client: Any, queue_url: str, timeout: int, say: Callable[[str], None]) -> None:
        self._client = client
        self._queue_url = queue_url
        self._timeout = timeout
        self._say = say
        self._arrived: SimpleQueue[_Batch | SourceError] = SimpleQueue()
        self._wanted = threading.Semaphore(0)
        self._asked = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Asks for a batch, unless one is asked for already."""
        if self._thread is None:  # it begins here, not earlier: worker processes were forked before
            self._thread = threading.Thread(target=self._run, name="sqs-receive", daemon=True)
            self._thread.start()
        if not self._asked:
            self._asked = True
            self._wanted.release()

    def take(self, seconds: float) -> _Batch:
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
        self._asked = False
        return arrived

    def close(self) -> _Batch:
        """Ends the thread; returns what arrived after the last `take`."""
        self._closing.set()
        self._wanted.release()
        if self._thread is not None:
            self._thread.join(_LONG_POLL + 1)
            self._thread = None
        left = [self._arrived.get() for _ in range(self._arrived.qsize())]
        return [message for batch in left if isinstance(batch, list) for message in batch]

    def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._wanted.acquire()
            if self._closing.is_set():
                return
            try:
                self._arrived.put(self._receive())
                pause = _FIRST_PAUSE
            except Exception as error:
                text = f"{self._queue_url} cannot be read (sqs:ReceiveMessage): {answer(error)}"
                if fault(error) != "later":
                    self._arrived.put(SourceError(text))
                    return
                self._say(f"{text}; trying again")
                self._closing.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                self._arrived.put([])

    def _receive(self) -> _Batch:
        answered = self._client.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=_MOST,
            WaitTimeSeconds=_LONG_POLL,
            VisibilityTimeout=self._timeout,
        )
        return [
            (message["MessageId"], message["ReceiptHandle"], message["Body"].encode())
            for message in answered.get("Messages", ())
        ]
