"""Counts over time, in a bounded number of buckets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from trailsieve.times import seconds_of

_BUCKETS = 1024


@dataclass(slots=True)
class Histogram:
    """Counts by event time, in buckets that grow with the range: the same events count alike in any order.

    Attributes:
        first, last: the earliest and the latest time, in seconds since 1970.
        counts: by bucket.
        width: seconds of a bucket.
    """

    first: int | None = None
    last: int | None = None
    counts: Counter[int] = field(default_factory=Counter)
    width: int = 1

    def add(self, time: str | None, events: int = 1) -> None:
        """Counts events of one time; those without a valid time do not count."""
        second = seconds_of(time)
        if second is None:
            return
        self.first = second if self.first is None else min(self.first, second)
        self.last = second if self.last is None else max(self.last, second)
        self.counts[second // self.width] += events
        while len(self.counts) > _BUCKETS:
            self._widen()

    def spread(self, first: int, last: int, parts: int) -> list[int]:
        """Returns the counts of `parts` equal parts of a time range that holds all events."""
        found = [0] * parts
        span = last - first + 1
        for bucket, count in self.counts.items():
            second = min(max(bucket * self.width, first), last)
            found[(second - first) * parts // span] += count
        return found

    def _widen(self) -> None:
        self.width *= 2
        counts: Counter[int] = Counter()
        for bucket, count in self.counts.items():
            counts[bucket // 2] += count
        self.counts = counts


def time_range(histograms: Iterable[Histogram]) -> tuple[int, int] | None:
    """Returns the earliest and the latest time of all; None when no event has a time."""
    ends = [
        (each.first, each.last) for each in histograms if each.first is not None and each.last is not None
    ]
    return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None
