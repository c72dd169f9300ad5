"""Threads that make requests to S3 ahead of their use."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

LISTING_THREADS = 32  # the latency of a request is many times its cost

A = TypeVar("A")
T = TypeVar("T")


class RequestPool:
    """Some threads, which start with the first request.

    Attributes:
        requests: their number, counted by who makes them.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._threads: ThreadPoolExecutor | None = None

    def submit(self, function: Callable[[A], T], argument: A) -> Future[T]:
        """Calls the function in a thread."""
        if self._threads is None:  # starts here, after the worker processes were forked
            self._threads = ThreadPoolExecutor(LISTING_THREADS, "s3-list")
        return self._threads.submit(function, argument)

    def close(self) -> None:
        """Forgets the requests that have not begun. Returns at once."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
