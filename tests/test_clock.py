"""The trusted time of day, with clocks that are set by hand."""

from __future__ import annotations

from trailsieve.clock import TrustedClock


class Hands:
    """Both clocks of a machine."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.monotonic = 50.0
        self.clock = TrustedClock(lambda: self.wall, lambda: self.monotonic, settle=15)

    def run(self, seconds: float, step: float = 1.0) -> float | None:
        """Both run evenly, and the clock is read every second."""
        now = self.clock.now()
        for _ in range(int(seconds / step)):
            self.wall += step
            self.monotonic += step
            now = self.clock.now()
        return now


def test_the_time_is_known_once_the_clock_has_run_evenly() -> None:
    hands = Hands()
    assert hands.run(14) is None
    assert hands.run(1) == hands.wall


def test_a_clock_that_is_two_days_ahead_for_a_moment_changes_nothing() -> None:
    hands = Hands()
    before = hands.run(20)
    hands.wall += 2 * 86400
    assert hands.run(3) == before
    hands.wall -= 2 * 86400
    assert hands.run(14) == before
    assert hands.run(1) == hands.wall


def test_a_clock_that_was_ahead_at_the_start_is_not_trusted() -> None:
    hands = Hands()
    hands.wall += 2 * 86400
    assert hands.run(3) is None
    hands.wall -= 2 * 86400
    assert hands.run(16) == hands.wall


def test_a_clock_that_stays_ahead_is_trusted_in_the_end_and_so_is_one_that_stays_behind() -> None:
    for step in (3600.0, -3600.0):
        hands = Hands()
        hands.run(20)
        hands.wall += step
        assert hands.run(16) == hands.wall


def test_a_process_that_was_stopped_for_a_minute_waits_before_it_trusts_the_clock() -> None:
    hands = Hands()
    before = hands.run(20)
    hands.wall += 65
    hands.monotonic += 65
    assert hands.clock.now() == before
    assert hands.run(15) == hands.wall


def test_both_clocks_may_jump_and_come_back() -> None:
    hands = Hands()
    before = hands.run(20)
    hands.wall += 2 * 86400
    hands.monotonic += 2 * 86400
    assert hands.run(3) == before
    hands.wall -= 2 * 86400
    hands.monotonic -= 2 * 86400
    assert hands.run(3) == before
    assert hands.run(13) == hands.wall
