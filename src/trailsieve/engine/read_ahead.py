"""Reads the payloads of messages that a source left unread, several at once and in their order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from typing import TYPE_CHECKING

from trailsieve.model import Message
from trailsieve.ports import Reader

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_REQUESTS_PER_THREAD = 2  # requested ahead


class ReadAhead:
    """A queue of messages: they are read by threads while earlier ones are processed.

    The reader opens with the first unread message, so that each process has one of its own.
    """

    def __init__(
        self, open_reader: Callable[[], Reader], on_read: Callable[[int], None] = lambda size: None
    ) -> None:
        self._open = open_reader
        self._on_read = on_read
        self._reader: Reader | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._waiting: deque[Message] = deque()
        self._requested: deque[Message | Future[Message]] = deque()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def has_room(self) -> bool:
        """Whether the threads could read more than what was added."""
        return not self._waiting

    @property
    def is_empty(self) -> bool:
        """Whether all messages have been taken."""
        return not self._requested and not self._waiting

    def add(self, messages: Iterable[Message]) -> int:
        """Appends messages and returns how many, at once; another thread may take them."""
        added = list(messages)
        with self._lock:
            self._waiting.extend(added)
            self._request()
        return len(added)

    def take(self) -> Message:
        """Returns the first message, read. Blocks until it is.

        Raises:
            SourceError: the source cannot go on.
        """
        with self._lock:
            first = self._requested.popleft()
        message = first if isinstance(first, Message) else first.result()
        with self._lock:
            size = self._sizes.popleft()
            self._bytes -= size
            self._request()
        if not isinstance(first, Message):
            self._on_read(size)
        return message

    def close(self) -> None:
        """Stops the threads and forgets what was not taken. Returns at once."""
        if self._reader is not None:
            self._reader.close()
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def _request(self) -> None:
        while self._waiting and self._may_request(self._waiting[0]):
            message = self._waiting.popleft()
            self._bytes += message.unread or 0
            self._sizes.append(message.unread or 0)
            self._requested.append(message if message.unread is None else self._read(message))

    def _may_request(self, message: Message) -> bool:
        if not self._requested or message.unread is None or self._reader is None:
            return True
        many = len(self._requested) >= self._reader.threads * _REQUESTS_PER_THREAD
        return not many and self._bytes + message.unread <= self._reader.ahead

    def _read(self, message: Message) -> Future[Message]:
        if self._reader is None or self._threads is None:
            from concurrent.futures import ThreadPoolExecutor

            self._reader = self._open()
            self._threads = ThreadPoolExecutor(self._reader.threads, "reader")
        return self._threads.submit(self._reader.read, message)


def read_ahead(
    polled: Iterable[Sequence[Message]],
    open_reader: Callable[[], Reader],
    on_read: Callable[[int], None] = lambda size: None,
) -> Generator[Sequence[Message]]:
    """Yields the messages of a source one by one, read while earlier ones are processed.

    Args:
        on_read: called with the bytes of each object that was read.
    """
    ahead = ReadAhead(open_reader, on_read)
    try:
        for messages in polled:
            ahead.add(messages)
            while not ahead.is_empty and (not messages or not ahead.has_room):
                yield (ahead.take(),)
            if not messages:
                yield ()
        while not ahead.is_empty:
            yield (ahead.take(),)
    finally:
        ahead.close()
