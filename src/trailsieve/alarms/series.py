"""The alarm of one rule and one combination of dimension values, through event time."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from trailsieve.alarms.datapoint import Period, Sample
from trailsieve.alarms.states import Exact, alarm_state, breaches, first_state
from trailsieve.model import AlarmState
from trailsieve.rules.alarm import Alarm, Metric


@dataclass(frozen=True, slots=True)
class Change:
    """A new state of an alarm, and what led to it.

    Attributes:
        start: where the first breaching period begins, or the evaluation range when none breaches.
        end: where the last evaluated period ends.
        periods: the periods between that have events.
        value: the last period's datapoint.
        breaching: how many periods of the evaluation range breach.
        suppressed: alerts of the same state that were held back before.
    """

    state: AlarmState
    start: int
    end: int
    periods: list[Period]
    value: Exact | None
    breaching: int
    suppressed: int


@dataclass(slots=True)
class Series:
    """Periods that are open or may still be looked back at, and the state.

    Attributes:
        next: start of the next period to evaluate; None while there is no data to evaluate.
        held: by state, until when its alerts are held back, and how many were.
    """

    alarm: Alarm
    metric: Metric
    state: AlarmState
    next: int | None = None
    periods: dict[int, Period] = field(default_factory=dict)
    held: dict[AlarmState, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def new(cls, alarm: Alarm, metric: Metric) -> Series:
        """A series without any data yet."""
        return cls(alarm, metric, first_state(alarm))

    def period(self, start: int) -> Period:
        """The period that begins there."""
        found = self.periods.get(start)
        if found is None:
            found = self.periods[start] = Period()
        return found

    def add(self, sample: Sample) -> int:
        """Counts a sample in its period; returns the period's start."""
        start = sample.time - sample.time % self.alarm.period
        self.period(start).add(sample)
        return start

    def close(self, upto: int) -> list[Change]:
        """Evaluates every period that ends by `upto`; returns the changes of state that are to be raised."""
        changes = []
        while self.is_due(upto):
            change = self._evaluate(self._next())
            if change:
                changes.append(change)
        return changes

    def is_due(self, upto: int) -> bool:
        """Whether there is a period to evaluate that ends by then."""
        return (self.next is not None or bool(self.periods)) and self._next() + self.alarm.period <= upto

    def is_spent(self, upto: int) -> bool:
        """Whether nothing is known here that a new series would not know as well."""
        if self.periods or self.next is not None or self.state != first_state(self.alarm):
            return False
        return all(until + self.alarm.suppress <= upto for until, _ in self.held.values())

    def _next(self) -> int:
        return self.next if self.next is not None else min(self.periods)

    def _evaluate(self, start: int) -> Change | None:
        alarm = self.alarm
        oldest = start - (alarm.evaluation_periods - 1) * alarm.period
        starts = range(oldest, start + 1, alarm.period)
        values = [self._value(place) for place in starts]
        breaching = [breaches(alarm, value) for value in values]
        before = self.state
        self.state = alarm_state(
            breaching, alarm.evaluation_periods, alarm.datapoints_to_alarm, alarm.missing, before
        )
        change = self._change(starts, values, breaching) if self.state != before else None
        self._forget(start, quiet=not any(place in self.periods for place in starts))
        return change

    def _value(self, start: int) -> Exact | None:
        period = self.periods.get(start)
        return period.value(self.alarm.statistic, self.metric) if period else None

    def _change(
        self, starts: range, values: list[Exact | None], breaching: list[bool | None]
    ) -> Change | None:
        """What is to be raised; None when nobody asked for this state or it is held back."""
        alarm, end = self.alarm, starts[-1] + self.alarm.period
        if self.state not in alarm.notify:
            return None
        until, suppressed = self.held.get(self.state, (end, 0))
        if alarm.suppress and end < until:
            self.held[self.state] = (until, suppressed + 1)
            return None
        if alarm.suppress:
            suppressed = suppressed if end < until + alarm.suppress else 0
            self.held[self.state] = (end + alarm.suppress, 0)
        bad = [alarm.missing == "breaching" if breach is None else breach for breach in breaching]
        start = starts[bad.index(True)] if self.state == "ALARM" and True in bad else starts[0]
        periods = [found for place in range(start, end, alarm.period) if (found := self.periods.get(place))]
        return Change(self.state, start, end, periods, values[-1], sum(bad), suppressed)

    def _forget(self, start: int, *, quiet: bool) -> None:
        """Drops what the next evaluation does not look at; after nothing but silence waits for data."""
        oldest = start - (self.alarm.evaluation_periods - 2) * self.alarm.period
        if self.periods and min(self.periods) < oldest:
            self.periods = {place: period for place, period in self.periods.items() if place >= oldest}
        self.next = None if quiet else start + self.alarm.period


def encode_series(series: Series) -> bytes:
    """A series without its periods, for the checkpoint."""
    return msgspec.msgpack.encode([series.state, series.next, series.held])


def restore_series(series: Series, data: bytes) -> None:
    """What `encode_series` wrote."""
    series.state, series.next, held = msgspec.msgpack.decode(data)
    series.held = {state: (until, count) for state, (until, count) in held.items()}
