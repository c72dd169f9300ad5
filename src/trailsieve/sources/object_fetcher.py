"""S3 objects, fetched ahead by a few threads and handed out in the order in which they were asked for."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from trailsieve.errors import SourceError
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.wire.aws import answer, fault
from trailsieve.wire.backoff import Backoff

_UNKNOWN_SIZE = 2**20  # bytes that an object is taken for whose notice does not tell
_ASKED_A_THREAD = 4  # objects asked for ahead
_PATIENCE = 600.0  # seconds for which S3 may be away
_REFUSED_IN_A_ROW = 10  # objects; more are no accident of one object

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """An object that was asked for with `tag`: its bytes, or why it cannot be had."""

    name: ObjectName
    tag: T
    payload: bytes
    problem: str = ""
    refused: bool = False


class Fetcher(Generic[T]):
    """Asks for objects ahead, with at most `ahead` bytes of them in memory (or one object).

    An object that is gone, or refused, comes with its `problem`. While S3 is away it waits and tries again.

    Args:
        client: of S3; threads share it.
        limit: bytes of one object at most, as it is stored.
        say: told, as one line, when S3 does not answer.
    """

    def __init__(self, client: Any, threads: int, ahead: int, limit: int, say: Callable[[str], None]) -> None:
        self._client = client
        self._threads = threads
        self._ahead = ahead
        self._limit = limit
        self._say = say
        self._stop = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._asked: deque[tuple[int, Future[Fetched[T]]]] = deque()
        self._bytes = 0
        self._refused = 0

    @property
    def has_room(self) -> bool:
        """Whether another object may be asked for."""
        return len(self._asked) < self._threads * _ASKED_A_THREAD and self._bytes < self._ahead

    @property
    def idle(self) -> bool:
        """Whether everything that was asked for was taken."""
        return not self._asked

    def ask(self, name: ObjectName, tag: T) -> None:
        """Asks for an object."""
        if self._pool is None:  # threads begin here, not earlier: worker processes were forked before
            self._pool = ThreadPoolExecutor(self._threads, "s3")
        size = name.size or _UNKNOWN_SIZE
        self._bytes += size
        self._asked.append((size, self._pool.submit(self._fetch, name, tag)))

    def take(self, seconds: float) -> list[Fetched[T]]:
        """The objects that are here, in order; waits for the first of them.

        Raises:
            SourceError: a person must mend something: no credentials, all objects refused, S3 away for long.
        """
        if self._asked:
            wait([self._asked[0][1]], seconds)
        taken = []
        while self._asked and self._asked[0][1].done():
            size, future = self._asked.popleft()
            self._bytes -= size
            taken.append(self._counted(future.result()))
        return taken

    def close(self) -> None:
        """Ends the threads; what they have in hand is forgotten."""
        self._stop.set()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _counted(self, fetched: Fetched[T]) -> Fetched[T]:
        self._refused = self._refused + 1 if fetched.refused else 0
        if self._refused > _REFUSED_IN_A_ROW:
            raise SourceError(
                f"{_REFUSED_IN_A_ROW} objects in a row were refused, the last: {_url(fetched.name)}: "
                f"{fetched.problem}; s3:GetObject is needed, and kms:Decrypt where objects are encrypted. "
                "Nothing is lost: mend it and start again"
            )
        return fetched

    def _fetch(self, name: ObjectName, tag: T) -> Fetched[T]:
        backoff, began = Backoff(), time.monotonic()
        while True:
            try:
                return self._get(name, tag)
            except Exception as error:  # whatever a notice names must not end the run
                what = fault(error)
                if what in ("gone", "refused", "wrong"):
                    return Fetched(name, tag, b"", f"{what}: {answer(error)}", what == "refused")
                if what == "credentials" or time.monotonic() - began > _PATIENCE:
                    raise SourceError(f"{_url(name)} cannot be read: {answer(error)}") from None
                self._say(f"S3 does not answer, trying again: {answer(error)}")
                if backoff.wait(self._stop):
                    raise SourceError(f"{_url(name)}: stopped before it was read") from None

    def _get(self, name: ObjectName, tag: T) -> Fetched[T]:
        got = self._client.get_object(Bucket=name.bucket, Key=name.key)
        with got["Body"] as body:
            if got["ContentLength"] > self._limit:
                reason = f"too big: {got['ContentLength']:,} bytes; raise --max-object-size"
                return Fetched(name, tag, b"", reason)
            return Fetched(name, tag, body.read())


def _url(name: ObjectName) -> str:
    return f"s3://{name.bucket}/{name.key}"
