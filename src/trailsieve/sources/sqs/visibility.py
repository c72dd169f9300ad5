"""Messages of a queue that are in our hands: kept invisible to others, and deleted when all is done.

One thread looks after all of them. It asks for more time when half of a message's time is over, so the work
may take as long as it takes; it deletes in batches. What comes too late is said and does no harm: the
message comes again and is known.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailsieve.wire.aws import answer

_BATCH = 10  # entries that SQS takes in one request
_REMEMBERED = 100_000  # handled messages at most
_TOO_LATE = ("ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue")


@dataclass(slots=True)
class Received:
    """A message that was received.

    Attributes:
        body: as it came.
        open: how many parts of it are not committed.
        until_half: when half of its time is over, on the monotonic clock.
    """

    identity: str
    handle: str
    body: bytes
    open: int = 0
    until_half: float = 0.0


@dataclass(slots=True)
class Hand:
    """Takes messages in, and gives each back when it is done.

    Attributes:
        timeout: seconds for which a message stays invisible.
        say: told, as one line, of what came too late.
    """

    client: Any
    queue_url: str
    timeout: int
    say: Callable[[str], None]
    _held: dict[str, Received] = field(default_factory=dict)
    _handled: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _to_delete: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _closing: bool = False
    _thread: threading.Thread | None = None

    def take(self, identity: str, handle: str, body: bytes) -> Received | None:
        """A message that is to be worked on; None when it is in our hands already, or was handled."""
        with self._lock:
            self._begin()
            now = time.monotonic()
            if identity in self._handled:
                self._to_delete.append((identity, handle))  # its deletion was lost or too late
                self._wake.set()
                return None
            held = self._held.get(identity)
            if held:  # it came back while we work on it: only its newest handle is good
                held.handle, held.until_half = handle, now + self.timeout / 2
                return None
            received = Received(identity, handle, body, until_half=now + self.timeout / 2)
            self._held[identity] = received
            self._wake.set()
            return received

    def done(self, received: Received) -> None:
        """The message is worked on and committed: it will be deleted."""
        with self._lock:
            self._held.pop(received.identity, None)
            self._to_delete.append((received.identity, received.handle))
            self._remember(received.identity)
        self._wake.set()

    @property
    def held(self) -> int:
        """How many messages are not done."""
        return len(self._held)

    def close(self) -> None:
        """Deletes what is done and makes visible at once what is not."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._change(list(self._held.values()), 0)
        self._held.clear()

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._look_after, name="sqs", daemon=True)
            self._thread.start()

    def _remember(self, identity: str) -> None:
        """For twice the timeout: a deletion that fails brings the message back after one."""
        now = time.monotonic()
        self._handled[identity] = now
        while self._handled:
            oldest, handled = next(iter(self._handled.items()))
            if now - handled <= 2 * self.timeout and len(self._handled) <= _REMEMBERED:
                break
            del self._handled[oldest]

    def _look_after(self) -> None:
        while True:
            self._wake.wait(max(self._until_next(), 0.05))
            self._wake.clear()
            closing = self._closing
            self._delete()
            if closing:
                return
            self._extend()

    def _until_next(self) -> float:
        with self._lock:
            return min((held.until_half for held in self._held.values()), default=3600.0) - time.monotonic()

    def _extend(self) -> None:
        with self._lock:
            now = time.monotonic()
            late = [held for held in self._held.values() if held.until_half <= now]
        if late:
            pause = self.timeout / 2 if self._change(late, self.timeout) else min(self.timeout / 8, 5)
            for held in late:
                held.until_half = now + pause

    def _change(self, messages: Sequence[Received], seconds: int) -> bool:
        """Whether every request was answered."""
        entries = [(held.identity, held.handle) for held in messages]
        batches = _batches(entries, VisibilityTimeout=seconds)
        request = self.client.change_message_visibility_batch
        answers = [self._request(request, batch, "kept invisible") for batch in batches]
        return all(answers)

    def _delete(self) -> None:
        with self._lock:
            entries, self._to_delete = self._to_delete, []
        for batch in _batches(entries):
            self._request(self.client.delete_message_batch, batch, "deleted")

    def _request(self, call: Callable[..., Any], entries: list[dict[str, Any]], what: str) -> dict[str, Any]:
        try:
            answered: dict[str, Any] = call(QueueUrl=self.queue_url, Entries=entries)
        except Exception as error:  # the messages come again, and are known
            self.say(f"{len(entries)} messages of {self.queue_url} cannot be {what}: {answer(error)}")
            return {}
        for failed in answered.get("Failed", ()):
            why = "too late" if failed["Code"].endswith(_TOO_LATE) else failed.get("Message", "")
            self.say(
                f"a message of {self.queue_url} cannot be {what}: {failed['Code']}: {why}; it will come again"
            )
        return answered


def _batches(entries: Sequence[tuple[str, str]], **more: Any) -> list[list[dict[str, Any]]]:
    made = [
        {"Id": str(number), "ReceiptHandle": handle, **more} for number, (_, handle) in enumerate(entries)
    ]
    return [made[start : start + _BATCH] for start in range(0, len(made), _BATCH)]
