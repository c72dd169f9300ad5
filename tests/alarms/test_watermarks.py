"""Watermarks: the lowest of all shards counts, and only a source that is caught up follows the clock."""

from __future__ import annotations

from trailsieve.alarms.watermarks import Watermarks
from trailsieve.model import Watermark


class Shards:
    """Watermarks with clocks that are set by hand."""

    def __init__(self, *, ordered: bool = True, max_wait: float = 0) -> None:
        self.now: float | None = 10_000.0
        self.monotonic = 0.0
        self.reports: list[str] = []
        self.watermarks = Watermarks(
            ordered=ordered,
            now=lambda: self.now,
            monotonic=lambda: self.monotonic,
            max_wait=max_wait,
            report=self.reports.append,
        )

    def there(self, *names: str) -> None:
        for name in names:
            self.watermarks.mark(Watermark(name))

    def read_to_the_end(self, name: str, time: float) -> int | None:
        self.watermarks.mark(Watermark(name, time))
        return self.watermarks.advance()

    def saw(self, **newest: int) -> int | None:
        self.watermarks.observe(newest)
        return self.watermarks.advance()


def test_the_lowest_shard_counts() -> None:
    shards = Shards()
    shards.there("a", "b")
    assert shards.saw(a=500) is None
    assert shards.saw(b=300) == 300
    assert shards.saw(b=700) == 500


def test_a_shard_that_is_read_to_the_end_follows_the_clock() -> None:
    shards = Shards()
    shards.there("a", "b")
    shards.saw(a=500)
    assert shards.read_to_the_end("b", 9_000) == 500
    assert shards.read_to_the_end("a", 9_001) == 9_000


def test_a_shard_without_order_has_no_watermark_until_it_is_read_to_the_end() -> None:
    shards = Shards(ordered=False)
    shards.there("queue")
    assert shards.saw(queue=500) is None
    assert shards.read_to_the_end("queue", 400) == 400


def test_no_watermark_is_ahead_of_the_clock_or_goes_back() -> None:
    shards = Shards()
    assert shards.saw(a=50_000) == 10_000
    shards.now = 10_100
    assert shards.saw(a=20) == 10_100
    shards.there("new")
    assert shards.saw(new=700) == 10_100


def test_a_shard_that_ended_holds_nothing_back() -> None:
    shards = Shards()
    shards.there("a", "b")
    shards.saw(a=500)
    shards.watermarks.mark(Watermark("b", ended=True))
    assert shards.watermarks.advance() == 500


def test_nothing_moves_while_the_clock_cannot_be_trusted() -> None:
    shards = Shards()
    shards.now = None
    assert shards.saw(a=500) is None
    shards.now = 10_000
    assert shards.watermarks.advance() == 500


def test_a_clock_that_was_ahead_for_long_is_undone() -> None:
    shards = Shards()
    shards.now = 200_000
    assert shards.read_to_the_end("a", 199_000) == 199_000
    shards.now = 10_000
    assert shards.watermarks.advance() is None
    assert "ahead of the clock" in shards.reports[0]
    assert shards.read_to_the_end("a", 9_990) == 9_990


def test_alarms_go_on_without_a_shard_that_stays_behind_where_a_team_chose_so() -> None:
    for max_wait, expected in ((0, 100), (60, 900)):
        shards = Shards(max_wait=max_wait)
        shards.there("a", "slow")
        shards.saw(a=100, slow=100)
        shards.monotonic += 61
        assert shards.saw(a=900) == expected
    assert "go on without shard slow" in shards.reports[0]
    assert shards.saw(slow=950, a=960) == 950
    assert "wait for shard slow again" in shards.reports[1]


def test_the_shard_that_holds_the_others_back_is_reported_once_while_event_time_stands_still() -> None:
    shards = Shards()
    shards.there("a", "b", "c")
    shards.saw(a=500, b=300)
    shards.monotonic = 600
    shards.saw(a=600)
    assert not shards.reports
    for shards.monotonic in (601, 700):
        shards.saw(a=700)
    assert shards.reports == ["alarms wait for shard c: event time has not moved for 601 s"]
    shards.monotonic = 900
    assert shards.saw(c=400) == 300
    assert shards.reports[1:] == ["alarms go on: event time moves again after 900 s"]
    shards.monotonic = 2_000
    shards.saw(c=500)
    assert shards.reports[2:] == ["alarms wait for shard b: event time has not moved for 1,100 s"]
