"""Pauses between retries."""

from __future__ import annotations

import random
import threading


class Backoff:
    """Exponential backoff with jitter: pauses that double with each failure in a row, up to `longest`.

    Args:
        first: seconds, the upper bound of the first pause; a pause lasts at least half its upper bound.
        longest: seconds, the upper bound of every pause that the server did not ask for.
        longest_asked: seconds, the upper bound of a pause that the server asked for.

    Attributes:
        failures: how many pauses there have been since the last `reset`.
    """

    def __init__(self, first: float = 0.5, longest: float = 30.0, longest_asked: float = 900.0) -> None:
        self.failures = 0
        self._first, self._longest, self._longest_asked = first, longest, longest_asked
        self._upper = first

    def next(self, asked: float | None = None) -> float:
        """The next pause in seconds; `asked` is the server's own wish (`Retry-After`), which comes first."""
        self.failures += 1
        upper, self._upper = self._upper, min(2 * self._upper, self._longest)
        if asked is not None:
            return min(asked, self._longest_asked)
        return upper * random.uniform(0.5, 1)  # noqa: S311 (spreads retries, keeps no secret)

    def wait(self, stop: threading.Event, asked: float | None = None) -> bool:
        """Waits for the next pause, or until `stop` is set; returns whether it is set."""
        return stop.wait(self.next(asked))

    def reset(self) -> None:
        """Starts over after a success."""
        self.failures, self._upper = 0, self._first
