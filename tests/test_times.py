"""Times and durations are read in one way, wherever they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trailsieve.times import duration_seconds, iso_time, rfc3339, seconds_of, time_or_age

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-14", NOON.replace(hour=0)),
        ("2026-03-14T12:00:00Z", NOON),
        (" 2026-03-14T12:00 ", NOON),
        ("2026-03-14 12:00", NOON),
        ("2026-03-14T13:30:00+01:30", NOON),
        ("20260314T120000Z", NOON),
        ("2026-03-14T12:00:00.000Z", NOON),
    ],
)
def test_times_are_iso_8601_and_utc_unless_they_say_otherwise(text: str, time: datetime) -> None:
    assert time_or_age(text, "--since") == time


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(days=1)),
        ("7d", timedelta(7)),
        (" 2 w ", timedelta(14)),
    ],
)
def test_spans_count_back_from_now(text: str, ago: timedelta) -> None:
    before = datetime.now(UTC)
    time = time_or_age(text, "--since")
    assert before <= time + ago <= datetime.now(UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "d", "-1d", "1.5h", "7D", "2026-02-30", "99999999d", "9" * 400 + "w"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^--until .*: not a time; use 2026-"):
        time_or_age(text, "--until")


@pytest.mark.parametrize("value", [None, 5, "", "noon", "2026-02-30", b"2026-03-14"])
def test_what_records_write_as_a_time_may_be_anything(value: object) -> None:
    assert iso_time(value) is None
    assert seconds_of(value) is None


def test_event_times_are_whole_seconds() -> None:
    assert seconds_of("1969-12-31T23:59:59.5Z") == -1
    assert seconds_of("9001-01-01") is None
    assert rfc3339(seconds_of("2026-03-14T03:20:00.9+01:00") or 0) == "2026-03-14T02:20:00Z"


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("5m", 300), (" 2 h ", 7200), ("1d", 86_400), ("1w", 604_800)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", [None, 300, "", "5", "m", "-5m", "1.5h", "0s", "5M", "9999999999s"])
def test_wrong_durations_name_their_key(text: object) -> None:
    with pytest.raises(ValueError, match=r"^`period`: expected a duration in s, m, h, d or w"):
        duration_seconds(text, "period")
