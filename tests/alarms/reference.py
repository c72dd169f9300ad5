"""The alarms once more, as plainly as they can be said: one pass over all events, sorted."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Any

from trailsieve.alarms.states import alarm_state, first_state
from trailsieve.rules.alarm import Alarm

Event = tuple[int, str, float | None]  # time, key, value
Told = tuple[str, str, int, int, int, int]  # key, state, start, end, matches, suppressed
COMPARE: dict[str, Any] = {
    ">=": lambda a, b: a >= b, ">": lambda a, b: a > b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b
}  # fmt: skip


def datapoint(statistic: str, values: list[Fraction]) -> Fraction | None:
    if not values:
        return None
    total = sum(values, Fraction(0))
    every = {"Sum": total, "SampleCount": len(values), "Average": total / len(values)}
    return {**every, "Minimum": min(values), "Maximum": max(values)}[statistic]  # type: ignore[return-value]


def distinct(values: list[Any]) -> int | None:
    return len(set(map(str, values))) or None


def reference(events: list[Event], alarm: Alarm) -> list[Told]:
    told: list[Told] = []
    period, count = alarm.period, alarm.evaluation_periods
    last = max((time for time, _, _ in events), default=0) // period * period
    for key in {key for _, key, _ in events}:
        values = defaultdict[int, list[float | None]](list)
        for time, found, value in sorted(events, key=repr):
            if found == key:
                values[time // period * period].append(value)
        state, held = first_state(alarm), dict[str, tuple[int, int]]()
        for start in range(min(values), last + 1, period):
            starts = [start - n * period for n in reversed(range(count))]
            found_values = [[v for v in values.get(s, []) if v is not None] for s in starts]
            points = [
                distinct(one)
                if alarm.count_distinct
                else datapoint(alarm.statistic, list(map(Fraction, one)))
                for one in found_values
            ]
            bad = [None if p is None else COMPARE[alarm.comparison](p, alarm.threshold) for p in points]
            before, state = state, alarm_state(bad, count, alarm.datapoints_to_alarm, alarm.missing, state)
            if state == before or state not in alarm.notify:
                continue
            end = start + period
            until, suppressed = held.get(state, (end, 0))
            if end < until:
                held[state] = (until, suppressed + 1)
                continue
            held[state] = (end + alarm.suppress, 0)
            suppressed = suppressed if end < until + alarm.suppress else 0
            counts = [alarm.missing == "breaching" if b is None else b for b in bad]
            first = starts[counts.index(True)] if state == "ALARM" and True in counts else starts[0]
            matches = sum(len(found) for s, found in values.items() if first <= s < end)
            told.append((key, state, first, end, matches, suppressed))
    return sorted(told)
