"""Absence: ALARM is a whole period without a match, from the stream's first event or a key's first match on."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alarms.test_alarms import World
from tests.alarms.test_reference import LATENESS, lived, told
from tests.alarms.worlds import (
    LATER,
    Kept,
    alerts,
    clock_of,
    event,
    message,
    pipeline,
    reference_of,
    rule,
)
from trailsieve.alarms.sentence import of_condition
from trailsieve.model import ALARM_STATES
from trailsieve.rules.alarm import Alarm
from trailsieve.rules.alarm_checks import completed
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

BY = (reference_of("$.userIdentity.arn"),)
OTHER = {"errorCode": "Nothing"}  # makes an event that does not match


def absent(seconds: int, **more: Any) -> Alarm:
    return completed(Alarm(absent_for=seconds, notify=ALARM_STATES, **more), ())


def changes(alarm: Alarm, *times: int, others: tuple[int, ...] = ()) -> list[tuple[str | None, int]]:
    """State and end of the window of each alert of an archive."""
    records = [event(n, time) for n, time in enumerate(times)]
    records += [event(1000 + n, time, **OTHER) for n, time in enumerate(others)]
    found = alerts(rule(alarm), *records, live=False)
    return [(alert.state, clock_of(alert.window.end)) for alert in found if alert.window]


@pytest.mark.parametrize(
    ("times", "others", "expected"),
    [
        ((10, 70), (130,), []),
        ((10,), (130,), [("ALARM", 120)]),
        ((10,), (119,), []),  # the second minute is not over
        ((10, 190), (260,), [("ALARM", 120), ("OK", 240)]),
        ((10, 190), (239,), [("ALARM", 120)]),
        ((), (30, 130), [("ALARM", 120)]),  # never seen: from the first whole minute on
        ((), (60, 120), [("ALARM", 120)]),
        ((), (30, 119), []),
        ((130,), (30, 190), [("ALARM", 120), ("OK", 180)]),
        ((10,), (600,), [("ALARM", 120)]),  # one alarm, however long it lasts
    ],
)
def test_a_whole_period_without_a_match(
    times: tuple[int, ...], others: tuple[int, ...], expected: list[tuple[str, int]]
) -> None:
    assert changes(absent(60), *times, others=others) == expected


def test_keys_count_from_their_first_match_on() -> None:
    records = [event(1, 10, "mia"), event(2, 70, "tom"), event(3, 80, "mia"), event(4, 300, **OTHER)]
    found = alerts(rule(absent(60, by=BY)), *records, live=False)
    assert [(alert.dimensions[BY[0].text][-3:], alert.state, alert.time) for alert in found] == [
        ("mia", "ALARM", "2026-03-14T00:03:00Z"),
        ("tom", "ALARM", "2026-03-14T00:03:00Z"),
    ]
    assert alerts(rule(absent(60, by=BY)), event(1, 10, **OTHER), event(2, 300, **OTHER), live=False) == []


def test_what_the_alert_says() -> None:
    alarm, ok = alerts(rule(absent(60)), event(1, 10), event(2, 190), event(3, 250), live=False)
    assert (alarm.count, alarm.summary, alarm.severity) == (0, "no matching call in 1 minute", "high")
    assert (ok.count, ok.severity) == (1, "informational")
    assert ok.summary == "OK again: user/mia made 1 denied ListUsers call in 1 minute"
    assert alarm.context
    assert ok.context
    assert alarm.context.reason == "no match in a whole period of 1 minute"
    assert ok.context.reason == "a match in a whole period of 1 minute"
    assert of_condition(absent(3600, by=BY)) == "no match for 1 hour, by $.userIdentity.arn"


def test_silence_counts_up_to_the_watermark_and_is_never_certain_before() -> None:
    world = World(rule(absent(60, allowed_lateness=60)), now=LATER)
    assert world.epoch(event(1, 10), event(2, 170, **OTHER)) == []
    assert world.epoch(event(3, 179, **OTHER)) == []
    [alert] = world.epoch(event(4, 180, **OTHER))
    assert (alert.state, clock_of(alert.time or "")) == ("ALARM", 120)
    assert not [alert for alert in world.sink.alerts if alert.provisional]


def test_a_stream_that_never_matched_goes_on_waiting_after_a_restart() -> None:
    before = World(rule(absent(60, allowed_lateness=0)))
    assert before.epoch(event(1, 30, **OTHER), event(2, 100, **OTHER)) == []
    after = World(rule(absent(60, allowed_lateness=0)), checkpoint=before.checkpoint)
    [alert] = after.epoch(event(3, 130, **OTHER))
    assert alert.window
    assert clock_of(alert.window.start) == 60
    again = World(rule(absent(60, allowed_lateness=0)), checkpoint=after.checkpoint)
    assert again.epoch(event(4, 500, **OTHER)) == []
    assert [alert.state for alert in again.epoch(event(5, 510), event(6, 540, **OTHER))] == ["OK"]


Event = tuple[int, str, bool]  # time, who, whether it matches
Change = tuple[str, str, int, int, int, int]


def plainly(events: list[Event], period: int, *, by: bool) -> list[Change]:
    """The changes of state, as plainly as they can be said."""
    end = max(time for time, _, _ in events) // period * period
    oldest = min(time for time, _, _ in events)
    found = []
    for key in {who for _, who, is_match in events if is_match} if by else {""}:
        starts = [time // period * period for time, who, is_match in events if is_match and key in ("", who)]
        begin = min(starts) if by else -(-oldest // period) * period
        state = "OK"
        for start in range(begin, end, period):
            before, state = state, "OK" if start in starts else "ALARM"
            if state != before:
                found.append((key, state, start, start + period, starts.count(start), 0))
    return sorted(found)


EVENTS = st.lists(
    st.tuples(st.integers(0, 1500), st.sampled_from(["mia", "tom"]), st.booleans()), min_size=1, max_size=25
)


@settings(max_examples=150, deadline=None)
@given(period=st.sampled_from([60, 300]), by=st.booleans(), events=EVENTS, seed=st.integers(0, 2**32))
def test_the_alerts_are_those_of_one_sorted_pass(
    period: int, by: bool, events: list[Event], seed: int
) -> None:
    rng = random.Random(seed)
    chosen = rule(absent(period, by=BY if by else (), allowed_lateness=LATENESS))
    records = [
        event(n, time, who, **({} if is_match else OTHER)) for n, (time, who, is_match) in enumerate(events)
    ]
    records.sort(key=lambda record: clock_of(record["eventTime"]) + rng.uniform(0, LATENESS))
    once = {alert.id: alert for alert in lived(chosen, records, rng)}
    assert sorted(map(told if by else told_of_all, once.values())) == plainly(events, period, by=by)
    replayed = alerts(chosen, *rng.sample(records, len(records)), live=False)
    assert {alert.id: alert for alert in replayed} == once


def told_of_all(alert: Any) -> Any:
    window = (clock_of(alert.window.start), clock_of(alert.window.end))
    return ("", alert.state, *window, alert.count, alert.context.suppressed)


def test_a_source_that_ended_and_goes_on_raises_what_a_replay_does() -> None:
    checkpoint, sink = Kept(), MemorySink()
    parts = [[event(1, 10), event(2, 130, **OTHER)], [event(3, 200, **OTHER)], [], [event(4, 260)]]
    messages = [message(number, part) for number, part in enumerate(parts, 1)]
    for count in range(1, len(messages) + 1):  # restarted after each end
        source = MemorySource(messages[:count], 1)
        pipeline([rule(absent(60))], source, sink, checkpoint=checkpoint).run()
    found = [(alert.state, clock_of(alert.window.end)) for alert in sink.alerts if alert.window]
    assert found == [("ALARM", 120)]


def test_a_time_before_aws_is_reported_and_is_not_where_absence_begins() -> None:
    """1970 is the commonest wrong time."""
    world = World(rule(absent(60, allowed_lateness=0)))
    assert world.epoch(event(1, 0, eventTime="1970-01-01T00:00:00Z"), event(2, 10)) == []
    assert world.epoch(event(3, 70), event(4, 130)) == []
    assert [problem.reason for problem in world.problems] == [
        "a record of an event before 2006: the alarm of rule denied cannot count it"
    ]
