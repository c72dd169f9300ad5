"""Keeps received messages of a queue invisible to others until they are done, then deletes them.

One thread serves all messages. It extends a message's visibility timeout when half of it is over, for as long
as the work takes, and deletes in batches. A request that comes too late is reported and does no harm: the
message is received again and recognised.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailsieve.errors import counted
from trailsieve.wire.aws import explain

_BATCH = 10  # entries per request, the most that SQS allows
_REMEMBERED = 100_000  # message ids of deleted messages, at most
_EXPIRED_CODES = ("ReceiptHandleIsInvalid", "MessageNotInflight", "InvalidParameterValue")


@dataclass(slots=True)
class ReceivedMessage:
    """A message of the queue.

    Attributes:
        receipt_handle: SQS's handle for this receipt; changes when the message is received again.
        open_parts: how many parts of it are not yet committed.
        unread_parts: how many parts of it are not yet polled; None before it is unwrapped.
        renew_at: when half of its visibility timeout is over, in seconds of the monotonic clock.
    """

    message_id: str
    receipt_handle: str
    body: bytes
    open_parts: int = 0
    unread_parts: int | None = None
    renew_at: float = 0.0


@dataclass(slots=True)
class VisibilityLeases:
    """Holds a lease, SQS's visibility timeout, on every message that is being worked on.

    Attributes:
        timeout: seconds for which a message stays invisible.
        info: receives one line of text for each request that fails.
    """

    client: Any
    queue_url: str
    timeout: int
    info: Callable[[str], None]
    _leased: dict[str, ReceivedMessage] = field(default_factory=dict)
    _done: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _to_delete: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _wake: threading.Event = field(default_factory=threading.Event)
    _closing: bool = False
    _thread: threading.Thread | None = None

    def take(self, message_id: str, receipt_handle: str, body: bytes) -> ReceivedMessage | None:
        """Leases a message that was received; None if it is leased already or is done."""
        with self._lock:
            self._start_thread()
            now = time.monotonic()
            if message_id in self._done:
                self._to_delete.append((message_id, receipt_handle))  # its deletion was lost or came too late
                self._wake.set()
                return None
            message = self._leased.get(message_id)
            if message:  # received again while in progress: only its newest handle is valid
                message.receipt_handle, message.renew_at = receipt_handle, now + self.timeout / 2
                return None
            received = ReceivedMessage(message_id, receipt_handle, body, renew_at=now + self.timeout / 2)
            self._leased[message_id] = received
            self._wake.set()
            return received

    def done(self, received: ReceivedMessage) -> None:
        """Ends the lease of a message: the thread will delete it from the queue. Returns at once."""
        with self._lock:
            self._leased.pop(received.message_id, None)
            self._to_delete.append((received.message_id, received.receipt_handle))
            self._remember(received.message_id)
        self._wake.set()

    def in_flight(self) -> tuple[list[ReceivedMessage], int]:
        """The leased messages, and how many messages SQS counts as in flight because of us.

        Those are the leased ones and those that are still to be deleted.
        """
        with self._lock:
            return list(self._leased.values()), len(self._leased) + len(self._to_delete)

    def close(self) -> None:
        """Deletes the messages that are done and makes the others visible again. May block."""
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._change(list(self._leased.values()), 0)
        self._leased.clear()

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sqs", daemon=True)
            self._thread.start()

    def _remember(self, message_id: str) -> None:
        """Remembers a message for twice the timeout: if its deletion fails, it returns after one."""
        now = time.monotonic()
        self._done[message_id] = now
        while self._done:
            oldest, done_at = next(iter(self._done.items()))
            if now - done_at <= 2 * self.timeout and len(self._done) <= _REMEMBERED:
                break
            del self._done[oldest]

    def _run(self) -> None:
        while True:
            self._wake.wait(max(self._seconds_to_next(), 0.05))
            self._wake.clear()
            closing = self._closing
            self._delete()
            if closing:
                return
            self._extend()

    def _seconds_to_next(self) -> float:
        with self._lock:
            return (
                min((message.renew_at for message in self._leased.values()), default=3600.0)
                - time.monotonic()
            )

    def _extend(self) -> None:
        with self._lock:
            now = time.monotonic()
            late = [message for message in self._leased.values() if message.renew_at <= now]
        if late:
            pause = self.timeout / 2 if self._change(late, self.timeout) else min(self.timeout / 8, 5)
            for message in late:
                message.renew_at = now + pause

    def _change(self, messages: Sequence[ReceivedMessage], seconds: int) -> bool:
        """Sets the remaining visibility of messages; returns whether every request succeeded."""
        entries = [(message.message_id, message.receipt_handle) for message in messages]
        batches = _batches(entries, VisibilityTimeout=seconds)
        request = self.client.change_message_visibility_batch
        responses = [self._request(request, batch, "kept invisible") for batch in batches]
        return all(responses)

    def _delete(self) -> None:
        with self._lock:
            entries, self._to_delete = self._to_delete, []
        for batch in _batches(entries):
            self._request(self.client.delete_message_batch, batch, "deleted")

    def _request(self, call: Callable[..., Any], entries: list[dict[str, Any]], what: str) -> dict[str, Any]:
        try:
            response: dict[str, Any] = call(QueueUrl=self.queue_url, Entries=entries)
        except Exception as error:  # the messages are received again and recognised
            self.info(
                f"{counted(len(entries), 'message')} of {self.queue_url} cannot be {what}: {explain(error)}"
            )
            return {}
        for failed in response.get("Failed", ()):
            why = "too late" if failed["Code"].endswith(_EXPIRED_CODES) else failed.get("Message", "")
            self.info(
                f"a message of {self.queue_url} cannot be {what}: {failed['Code']}: {why}; "
                "it will be received again"
            )
        return response


def _batches(entries: Sequence[tuple[str, str]], **more: Any) -> list[list[dict[str, Any]]]:
    made = [
        {"Id": str(number), "ReceiptHandle": receipt_handle, **more}
        for number, (_, receipt_handle) in enumerate(entries)
    ]
    return [made[start : start + _BATCH] for start in range(0, len(made), _BATCH)]
