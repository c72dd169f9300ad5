"""Fetches S3 objects ahead with a few threads and returns them in the order of the requests."""

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
from trailsieve.wire.aws import explain, fault
from trailsieve.wire.backoff import Backoff
from trailsieve.wire.s3_get import ObjectReader, ObjectTooBigError

_UNKNOWN_SIZE = 2**20  # bytes assumed for an object whose notification does not give its size
_REQUESTS_PER_THREAD = 4  # requested ahead
_GIVE_UP_AFTER = 600.0  # seconds for which S3 may be unreachable
_MAX_REFUSED = 10  # objects in a row; more mean that a permission is missing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FetchedObject(Generic[T]):
    """The response to a request with `tag`: the bytes of the object, or the problem that prevented it."""

    name: ObjectName
    tag: T
    payload: bytes
    problem: str = ""
    refused: bool = False


def expected_owner(account: str) -> dict[str, str]:
    """The option of S3 requests that refuses a bucket of another account.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    """
    return {"ExpectedBucketOwner": account} if account else {}


class ObjectFetcher(Generic[T]):
    """Fetches objects ahead, with at most `ahead` bytes of them in memory (or one object).

    An object that is missing or refused is returned with its `problem`. While S3 is unreachable, the threads
    retry.

    Args:
        client: an S3 client; the threads share it.
        limit: bytes that one object may have as it is stored, at most.
        info: receives one line of text when S3 is unreachable.
        owner: the account that must own the buckets; "" for any.
    """

    def __init__(
        self,
        client: Any,
        threads: int,
        ahead: int,
        limit: int,
        info: Callable[[str], None],
        owner: str = "",
    ) -> None:
        self._reader = ObjectReader(client, limit)
        self._threads = threads
        self._ahead = ahead
        self._info = info
        self._owner = owner
        self._stop = threading.Event()
        self._pool: ThreadPoolExecutor | None = None
        self._requested: deque[tuple[int, Future[FetchedObject[T]]]] = deque()
        self._bytes = 0
        self._refused = 0

    @property
    def has_room(self) -> bool:
        """Whether another object may be requested."""
        return len(self._requested) < self._threads * _REQUESTS_PER_THREAD and self._bytes < self._ahead

    @property
    def idle(self) -> bool:
        """Whether all requested objects have been taken."""
        return not self._requested

    def request(self, name: ObjectName, tag: T) -> None:
        """Requests an object. Returns at once."""
        if self._pool is None:  # starts here, after the worker processes were forked
            self._pool = ThreadPoolExecutor(self._threads, "s3")
        size = name.size or _UNKNOWN_SIZE
        self._bytes += size
        self._requested.append((size, self._pool.submit(self._fetch, name, tag)))

    def take(self, seconds: float) -> list[FetchedObject[T]]:
        """Returns the next objects that are complete. Blocks for up to `seconds` until the first one is.

        Raises:
            SourceError: the credentials are invalid, many objects in a row were refused, or S3 was
                unreachable for ten minutes.
        """
        if self._requested:
            wait([self._requested[0][1]], seconds)
        taken = []
        while self._requested and self._requested[0][1].done():
            size, future = self._requested.popleft()
            self._bytes -= size
            taken.append(self._checked(future.result()))
        return taken

    def close(self) -> None:
        """Stops the threads and discards the objects in flight. Returns at once."""
        self._stop.set()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _checked(self, fetched: FetchedObject[T]) -> FetchedObject[T]:
        self._refused = self._refused + 1 if fetched.refused else 0
        if self._refused > _MAX_REFUSED:
            raise SourceError(
                f"{_MAX_REFUSED} objects in a row were refused, the last: {fetched.name.url}: "
                f"{fetched.problem}; s3:GetObject is needed, and kms:Decrypt where objects are encrypted. "
                "Nothing is lost: grant the permission and restart"
            )
        return fetched

    def _fetch(self, name: ObjectName, tag: T) -> FetchedObject[T]:
        backoff, began = Backoff(), time.monotonic()
        while True:
            try:
                return self._get(name, tag)
            except Exception as error:  # nothing that a notification names may end the run
                what = fault(error)
                if what in ("gone", "refused", "wrong"):
                    return FetchedObject(name, tag, b"", f"{what}: {explain(error)}", what == "refused")
                if what == "credentials" or time.monotonic() - began > _GIVE_UP_AFTER:
                    raise SourceError(f"{name.url} cannot be read: {explain(error)}") from None
                self._info(f"S3 is unreachable, retrying: {explain(error)}")
                if backoff.wait(self._stop):
                    raise SourceError(f"{name.url}: stopped before it was read") from None

    def _get(self, name: ObjectName, tag: T) -> FetchedObject[T]:
        try:
            return FetchedObject(name, tag, self._reader.get(name.bucket, name.key, self._owner))
        except ObjectTooBigError as error:
            return FetchedObject(name, tag, b"", f"too big: {error}; raise --max-object-size")
