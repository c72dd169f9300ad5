"""What is packed takes little memory, and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.alarms.test_provisional import sample
from tests.alarms.worlds import START, reference_of, rule
from tests.examples import examples
from trailsieve.alarms import context, datapoint
from trailsieve.alarms.context import Context, Facts
from trailsieve.alarms.datapoint import Period, Sample, contexts_of
from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.alarms.packed_samples import PackedSamples
from trailsieve.alarms.rule_alarm import RuleAlarm
from trailsieve.alarms.series import Series
from trailsieve.model import Alert
from trailsieve.rules.alarm import PLAIN, Alarm

WHO = reference_of("who")


MATCHES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("abcdef"), st.sampled_from([2, 10, 30])),
    min_size=1,
    max_size=25,
)


def samples(matches: list[tuple[int, str, int]]) -> list[Sample]:
    """Matches of seconds, names of events and sizes of records."""
    return [
        replace(
            sample(number, seconds, "mia", 1),
            facts=Facts("mia", event_name=name),
            record=bytes([number]) * size,
        )
        for number, (seconds, name, size) in enumerate(matches)
    ]


def told(found: Context) -> Any:
    return found.facts, found.first, found.last, found.records


@settings(max_examples=examples(300))
@given(matches=MATCHES, others=MATCHES)
def test_a_context_is_the_same_whether_its_samples_were_packed_or_not(
    matches: list[tuple[int, str, int]], others: list[tuple[int, str, int]]
) -> None:
    packed, plain, waiting, beside, restored = PackedSamples(), Period(), Period(), Period(), Period()
    with pytest.MonkeyPatch.context() as patch:
        for module in (context, datapoint):
            patch.setattr(module, "MAX_CONTEXTS", 4)
            patch.setattr(module, "MAX_RECORD_BYTES", 80)
        for one in samples(matches):
            plain.add(one)
            kept = waiting.add(one, packed)
            restored.add(one if kept else replace(one, record=None), packed)
        for one in samples(others):
            beside.add(one, packed)
        first, _, again, later = contexts_of([waiting, beside, waiting, restored], packed)
    assert plain.context
    assert told(first) == told(again) == told(later) == told(plain.context)


@given(
    values=st.lists(st.integers(-(2**62), 2**62) | st.text("abc") | st.none(), min_size=1, max_size=8),
    times=st.lists(st.integers(0, 200), min_size=8, max_size=8),
    closed=st.integers(-1, 4),
)
def test_a_series_comes_back_as_it_was_packed(
    values: list[int | str | None], times: list[int], closed: int
) -> None:
    alarm = Alarm(threshold=2**70, period=60, evaluation_periods=2, datapoints_to_alarm=2)
    series = Series.new(alarm, PLAIN, PackedSamples())
    for number, (value, seconds) in enumerate(zip(values, times, strict=False)):
        series.add(sample(number, seconds, "mia", value))
    series.close(START + closed * 60)
    data = series.pack()
    if data is not None:
        back = series.unpack(data)
        assert (back.state, back.next, back.is_early) == (series.state, series.next, series.is_early)
        assert back.periods.keys() == series.periods.keys()
        for start, period in series.periods.items():
            assert {name: getattr(back.periods[start], name) for name in Period.__slots__} == {
                name: getattr(period, name) for name in Period.__slots__
            }


def filled(alarm: Alarm, keys: int, live: Live | None = None) -> tuple[Alarms, RuleAlarm]:
    alarms = Alarms([rule(alarm)], live=live)
    alarms.add([sample(number, number % 50, f"user-{number}", 1) for number in range(keys)])
    alarms.observe({"s": START + 50}, {"s": START})
    return alarms, alarms.by_rule["denied"]


def test_keys_with_few_matches_are_packed_and_counted() -> None:
    alarms, denied = filled(Alarm(threshold=2, period=60, by=(WHO,), max_keys=150), 200)
    assert len(denied.series) <= 10
    assert (denied.keys, denied.over_max_keys) == (151, 50)
    alarms.add([sample(200 + number, 55, f"user-{number}", 1) for number in range(100)])
    raised = alarms.close()
    assert [alert.count for alert in raised] == [50, *[2] * 100]
    assert all(len(alert.records) == min(10, alert.count) for alert in raised)


def test_a_close_does_not_unpack_all_that_stays() -> None:
    _, denied = filled(Alarm(threshold=5, period=60, by=(WHO,), evaluation_periods=3), 200)
    assert denied.close(START + 60) == []
    assert (denied.keys, len(denied.series) <= 10) == (200, True)


def test_blocks_are_dropped_with_the_periods_that_they_are_of() -> None:
    alarm = Alarm(threshold=100, period=60, by=(WHO,), allowed_lateness=0)
    alarms, denied = filled(alarm, 200, Live(now=lambda: START + 86400.0))
    blocks = len(denied._packed._packed)
    raised: list[Alert] = []
    for minute in range(1, 30):
        alarms.add([sample(1000 * minute + n, 60 * minute, f"user-{n}", 1) for n in range(200)])
        alarms.observe({"s": START + 60 * minute})
        raised += alarms.advance()
    assert raised == []
    assert len(denied._packed._packed) <= 3 * blocks
