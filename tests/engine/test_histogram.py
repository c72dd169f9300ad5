"""Counts over time: bounded, and the same in any order."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.engine.histogram import Histogram, time_range
from trailsieve.times import rfc3339


def counted(seconds: Sequence[int]) -> Histogram:
    histogram = Histogram()
    for second in seconds:
        histogram.add(rfc3339(second))
    return histogram


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=50), st.integers(1, 9))
@settings(max_examples=examples(100))
def test_every_event_counts_once_in_any_order(seconds: list[int], parts: int) -> None:
    histogram = counted(seconds)
    assert histogram == counted(sorted(seconds))
    spread = histogram.spread(min(seconds), max(seconds), parts)
    assert (len(spread), sum(spread)) == (parts, len(seconds))


def test_a_year_of_minutes_takes_a_thousand_buckets_at_most() -> None:
    seconds = range(0, 365 * 86_400, 3600)
    histogram = counted(seconds)
    assert 512 <= len(histogram.counts) <= 1024
    assert counted(seconds[::-1]) == histogram
    assert (histogram.first, histogram.last) == (0, seconds[-1])
    quarters = histogram.spread(0, seconds[-1], 4)
    assert sum(quarters) == len(seconds)
    assert max(quarters) - min(quarters) < 24


def test_events_without_a_valid_time_do_not_count() -> None:
    histogram = Histogram()
    for time in (None, "", "soon"):
        histogram.add(time)
    assert histogram == Histogram()
    assert time_range([histogram]) is None
    assert time_range([histogram, counted([7]), counted([3, 5])]) == (3, 7)
