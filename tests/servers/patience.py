"""Deadlines in seconds of a quiet machine: a slow or busy one gets as much longer as it is slower."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable

_WORK = 10**6  # additions
_QUIET = 0.07  # seconds that they take on a quiet core of the slowest machine that runs these tests


@functools.cache
def _slowness() -> float:
    """How many times slower than expected this machine's Python is."""
    started = time.perf_counter()
    sum(number * number for number in range(_WORK))
    return max(1.0, (time.perf_counter() - started) / _QUIET)


def stretched(seconds: float) -> float:
    """The seconds, multiplied by how slow this machine is and how many processes share a core now."""
    return seconds * _slowness() * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Deadline:
    """Some seconds from now. It moves while it is waited for when the machine becomes busier."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started = time.monotonic()
        self._allowed = 0.0

    @property
    def passed(self) -> bool:
        """Whether the time is over."""
        self._allowed = max(self._allowed, stretched(self._seconds))
        return time.monotonic() - self._started > self._allowed


def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Returns once the condition holds.

    Raises:
        AssertionError: it did not in time; with `what`, which says what was waited for.
    """
    deadline = Deadline(seconds)
    while not condition():
        assert not deadline.passed, f"waited in vain until {what}"
        time.sleep(0.05)
