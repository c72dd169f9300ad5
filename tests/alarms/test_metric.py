"""Metric transformations: rules 60 to 63 and 68, and what a person would expect instead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alarms.test_alarms import World
from tests.alarms.worlds import PATTERN, alerts, event, message, pipeline, reference_of, rule
from trailsieve.alarms.datapoint import ID_BYTES
from trailsieve.alarms.sample_log import samples_of
from trailsieve.model import Alert
from trailsieve.rules.alarm import Alarm, Metric, Statistic
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

FINE = {"errorCode": "Nothing"}  # makes an event that does not match


def value(
    metric: Metric, *records: dict[str, Any], statistic: Statistic = "Sum", pattern: str = PATTERN
) -> Any:
    """The statistic of the one minute in which all records are; None when the alarm saw no datapoint."""
    alarm = Alarm(threshold=-1e9, period=60, statistic=statistic)
    raised = alerts(rule(alarm, metric, pattern), *records, live=False)
    assert len(raised) <= 1
    return raised[0].context.value if raised and raised[0].context else None


def records(*sizes: Any) -> list[dict[str, Any]]:
    return [event(n, n, size=size) if size is not ... else event(n, n) for n, size in enumerate(sizes)]


SIZE = Metric(value=reference_of("$.size"))


@pytest.mark.parametrize(
    ("metric", "sizes", "total"),
    [
        (Metric(), (1, 1, 1), 3),
        (Metric(value=2.5), (1, 1), 5),
        (SIZE, (1, 2, 3), 6),
        (SIZE, (0.1, 0.2), 0.30000000000000004),
        (SIZE, (2**70, 1), 2**70),
        (SIZE, ("4", 1), 5),
        (SIZE, ("four", 1), 1),
        (SIZE, (True, [1], {"a": 1}, 1), 1),
        (SIZE, (None, ..., 1), 1),
        (SIZE, (None,), None),
        (Metric(value=reference_of("$.size"), default=7), (None, ..., 1), 15),
        (Metric(value=reference_of("$.size"), default=7), ("four",), None),
    ],
)
def test_the_value_of_a_match(metric: Metric, sizes: tuple[Any, ...], total: Any) -> None:
    """Rule 60."""
    assert value(metric, *records(*sizes)) == total


def test_a_number_too_big_for_cloudwatch_is_no_datapoint() -> None:
    alarm = Alarm(threshold=0, period=60)
    text = message(1, [event(1, 0, size=1)]).payload.replace(b'"size": 1', b'"size": 1e309')
    sink = MemorySink()
    source = MemorySource([message(1, [])], 1)
    source = MemorySource([type(message(1, []))(text, message(1, []).position, "s/1")], 1)
    pipeline([rule(alarm, SIZE)], source, sink, live=False).run()
    assert not sink.alerts


def test_the_default_is_emitted_for_each_event_that_does_not_match() -> None:
    """Rule 61, as observed: three misses and default 7 make 21, and matches beside them do not change that."""
    misses = [event(n, n, **FINE) for n in range(3)]
    metric = Metric(default=7)
    assert value(metric, *misses) == 21
    assert value(metric, *misses, statistic="SampleCount") == 3
    assert value(metric, *misses, event(9, 9)) == 22
    assert value(metric, *misses, event(9, 9), statistic="Minimum") == 1
    assert value(metric) is None  # rule 68


def test_the_default_as_a_person_would_expect_it() -> None:
    misses = [event(n, n, **FINE) for n in range(3)]
    metric = Metric(default=7, cloudwatch_exact=False)
    assert value(metric, *misses) == 7
    assert value(metric, *misses, event(9, 9)) == 1


def test_default_zero_makes_quiet_minutes_ok() -> None:
    """Why so many filters have it: without, silence is INSUFFICIENT_DATA (rules 61, 67 and 68)."""
    alarm = Alarm(threshold=1, period=60, notify=("ALARM", "OK", "INSUFFICIENT_DATA"))
    night = [event(1, 0), event(2, 60, **FINE), event(3, 120, **FINE)]
    assert [alert.state for alert in alerts(rule(alarm, Metric(default=0)), *night)] == ["ALARM", "OK"]
    assert [alert.state for alert in alerts(rule(alarm), *night)] == ["ALARM", "INSUFFICIENT_DATA"]


def dimensions(metric: Metric, record: dict[str, Any], *by: str, pattern: str = PATTERN) -> dict[str, str]:
    alarm = Alarm(threshold=1, period=60, by=tuple(map(reference_of, by)))
    [alert] = alerts(rule(alarm, metric, pattern), record, live=False)
    return alert.dimensions


ACCOUNT_AND_REGION = (
    ("Account", reference_of("$.recipientAccountId")),
    ("Region", reference_of("$.awsRegion")),
)


def test_a_missing_dimension_drops_all_of_them() -> None:
    """Rule 62; `by` is trailsieve's own and stays."""
    whole = event(1, 0, recipientAccountId="1", awsRegion="eu-west-1")
    lacking = event(1, 0, recipientAccountId="1")
    metric = Metric(dimensions=ACCOUNT_AND_REGION)
    assert dimensions(metric, whole) == {"Account": "1", "Region": "eu-west-1"}
    assert dimensions(metric, lacking) == {}
    assert dimensions(metric, lacking, "$.eventName") == {"$.eventName": "ListUsers"}
    expected = Metric(dimensions=ACCOUNT_AND_REGION, cloudwatch_exact=False)
    assert dimensions(expected, lacking) == {"Account": "1"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("x", "x"),
        (7, "7"),
        (1.50, "1.5"),
        (True, "true"),
        ("\ud800", "�"),
        (None, None),
        ("", None),
        ([1], None),
        ({"a": 1}, None),
    ],
)
def test_what_can_be_a_dimension(given: Any, text: str | None) -> None:
    found = dimensions(Metric(), event(1, 0, odd=given), "$.odd")
    assert found == ({} if text is None else {"$.odd": text})


def test_a_long_value_is_cut_and_stays_itself() -> None:
    names = [dimensions(Metric(), event(1, 0, odd="x" * 5000 + end), "$.odd")["$.odd"] for end in "ab"]
    assert len(set(names)) == 2
    assert all(len(name) <= 1024 for name in names)


def test_fields_of_a_space_delimited_pattern() -> None:
    """A log line has no time of its own, a CloudTrail record as text has."""
    metric = Metric(value=reference_of("$size"), dimensions=(("Who", reference_of("$who")),))
    alarm = Alarm(threshold=1, period=60)
    problems: list[Any] = []
    source = MemorySource([type(message(1, []))(b"mia 5\n", message(1, []).position, "s/1", lines=1)], 1)
    pipeline([rule(alarm, metric, "[who, size]")], source, MemorySink(), problems=problems.append).run()
    assert problems


def raised_at(*seconds: int, period: int = 300) -> list[tuple[str, str]]:
    alarm = Alarm(threshold=1, period=period)
    found: list[Alert] = alerts(rule(alarm), *[event(n, time) for n, time in enumerate(seconds)], live=False)
    return [(alert.window.start[11:16], alert.window.end[11:16]) for alert in found if alert.window]


def test_a_sample_lies_in_the_period_of_its_event() -> None:
    """Rule 63; periods begin at whole multiples of themselves, as CloudWatch aligns them."""
    assert raised_at(0) == [("00:00", "00:05")]
    assert raised_at(299) == [("00:00", "00:05")]
    assert raised_at(300) == [("00:05", "00:10")]
    assert raised_at(3 * 3600 + 7, period=3600) == [("03:00", "04:00")]


MISSES = [event(n, n, **FINE) for n in range(3)]


@pytest.mark.parametrize("statistic", ["Sum", "SampleCount"])
def test_an_event_without_a_match_that_is_delivered_twice_counts_once(statistic: Any) -> None:
    metric = Metric(default=7)
    once = value(metric, *MISSES, statistic=statistic)
    assert value(metric, *MISSES, *MISSES, statistic=statistic) == once


def misses_kept(*epochs: list[dict[str, Any]]) -> list[int]:
    """How many events without a match the checkpoint holds after each epoch."""
    world = World(rule(Alarm(threshold=1e9, period=60, allowed_lateness=60), Metric(default=7)))
    kept = []
    for records in epochs:
        world.epoch(*records)
        rows = [samples_of(row)[1] for row in world.checkpoint.samples()]
        kept.append(sum(len(ids) // ID_BYTES for misses in rows for _, _, ids in misses))
    return kept


def test_misses_that_are_delivered_twice_or_too_late_are_not_kept_again() -> None:
    later = [event(9, 3600, **FINE)]
    assert misses_kept(MISSES, MISSES, later) == [3, 3, 1]
    assert misses_kept(later, MISSES) == [1, 1]


def test_a_restart_knows_which_events_without_a_match_were_counted() -> None:
    chosen = rule(Alarm(threshold=20, period=60, allowed_lateness=60), Metric(default=7))
    first = World(chosen)
    first.epoch(*MISSES)
    second = World(chosen, checkpoint=first.checkpoint)
    second.epoch(*MISSES)
    [alert] = second.epoch(event(9, 3600, **FINE))
    assert alert.context
    assert alert.context.value == 21
