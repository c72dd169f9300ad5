"""The alarm of one rule and one combination of dimension values, through event time."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from trailsieve.alarms.certainty import can_be_certain, starts_to_breach
from trailsieve.alarms.datapoint import PackedPeriod, Period, Sample
from trailsieve.alarms.packed_samples import PackedSamples
from trailsieve.alarms.provisional import Provisional, interrupted
from trailsieve.alarms.states import Exact, alarm_state, breaches, first_state
from trailsieve.model import AlarmState
from trailsieve.rules.alarm import Alarm, Metric

MAX_PACKED = 4  # periods of a series that is packed


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
        certain: how many periods of the evaluation range have a datapoint that breaches.
        steps: of a sequence, each rule with the time of its match.
    """

    state: AlarmState
    start: int
    end: int
    periods: list[Period]
    value: Exact | None
    breaching: int
    suppressed: int
    certain: int
    steps: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Series:
    """Periods that are open or may still be looked back at, and the state.

    Attributes:
        packed: where the samples of periods wait.
        initial: the state of an alarm that never had any data.
        next: start of the next period to evaluate; None while there is no data to evaluate.
        held: by state, until when its alerts are held back, and how many were.
        provisional: by id, the alerts that were raised before their period was closed.
        first: start of the stream's first whole period, from which on periods without a match count; 0 once
            it is evaluated, None where they count from the first match on.
        saved: what the checkpoint has of it.
        is_early: whether its alarm may be certain before its period is closed.
    """

    alarm: Alarm
    metric: Metric
    packed: PackedSamples
    initial: AlarmState
    state: AlarmState
    next: int | None = None
    periods: dict[int, Period] = field(default_factory=dict)
    held: dict[AlarmState, tuple[int, int]] = field(default_factory=dict)
    provisional: dict[str, Provisional] = field(default_factory=dict)
    first: int | None = None
    saved: bytes | None = None
    is_early: bool = False

    @classmethod
    def new(cls, alarm: Alarm, metric: Metric, packed: PackedSamples) -> Series:
        """A series without any data yet."""
        is_early = "ALARM" in alarm.notify and can_be_certain(alarm, metric)
        initial = first_state(alarm)
        return cls(alarm, metric, packed, initial, initial, is_early=is_early)

    def fresh(self) -> Series:
        """A series of the same alarm without any data, for a series without any data."""
        shared = (self.alarm, self.metric, self.packed, self.initial)
        return Series(*shared, self.initial, is_early=self.is_early)

    def pack(self) -> bytes | None:
        """All that is known; None when it is more than a few samples in a few periods."""
        if self.saved is not None or self.first is not None or self.held or self.provisional:
            return None
        if len(self.periods) > MAX_PACKED:
            return None
        periods = []
        for start, period in self.periods.items():
            packed = period.pack()
            if packed is None:
                return None
            periods.append((start, packed))
        return _pack((self.state, self.next, periods))

    def unpack(self, packed: bytes) -> Series:
        """The series of the same alarm that `pack` was called on."""
        state, following, periods = _unpack(packed)
        unpacked = {start: Period.unpack(period) for start, period in periods}
        shared = (self.alarm, self.metric, self.packed, self.initial)
        return Series(*shared, state, following, unpacked, is_early=self.is_early)

    def period(self, start: int) -> Period:
        """The period that begins there."""
        found = self.periods.get(start)
        if found is None:
            found = self.periods[start] = Period()
        return found

    def opens(self, seconds: int) -> int | None:
        """When the period of that time can be closed, if no event of it came before."""
        start = seconds - seconds % self.alarm.period
        return None if start in self.periods else start + self.alarm.period

    def add(self, sample: Sample) -> tuple[bool, bool]:
        """Counts a sample in its period.

        Returns:
            Whether the period keeps its original record, and whether the datapoint breaches for certain now
            and did not before.
        """
        period = self.period(sample.seconds - sample.seconds % self.alarm.period)
        kept = period.add(sample, self.packed)
        if period.breached or not self.is_early:
            return kept, False
        return kept, starts_to_breach(period, self.alarm, self.metric)

    def close(self, upto: int) -> list[Change]:
        """Evaluates every period that ends by `upto`; returns the changes of state that are to be raised."""
        changes = []
        while self.is_due(upto):
            change = self._evaluate(self._next())
            if change:
                changes.append(change)
        return changes

    def certain_alarms(self, closed: int | None) -> list[Change]:
        """The change to ALARM that is certain before its period is closed, as a list of one or none."""
        change = self._certain_alarm(closed)
        return [change] if change else []

    def provisional_of(self, change: Change) -> Provisional:
        """What is to be remembered of a provisional alert."""
        return Provisional(change.end)

    def _certain_alarm(self, closed: int | None) -> Change | None:
        """The change to ALARM that the open periods lead to, whatever comes later; None when there is none.

        It may turn out to be earlier, or to be about more periods, once they are closed.

        Args:
            closed: until when every period is closed.
        """
        if not self.is_early or self.state == "ALARM" or not self.periods:
            return None
        if len(interrupted(self.provisional)) < len(self.provisional):
            return None
        if "ALARM" in self.held:  # an earlier change might still be held back, and this one never be raised
            first = self._next() if closed is None else closed
            if self.held["ALARM"][0] > first + self.alarm.period:
                return None
        shared = (self.alarm, self.metric, self.packed, self.initial)
        trial = Series(*shared, self.state, self.next, dict(self.periods), dict(self.held))
        upto = max(self.periods) + self.alarm.period
        while trial.is_due(upto):
            change = trial._evaluate(trial._next())
            if trial.state == "ALARM":
                return change if change and change.certain >= self.alarm.datapoints_to_alarm else None
        return None

    def begin(self, start: int) -> None:
        """Takes the start of the stream's first whole period, which counts without a match too."""
        if self.first is None or start < self.first:
            self.first = start
            self.next = start if self.next is None else min(start, self.next)

    def encode(self) -> bytes | None:
        """What cannot be found again from the samples, for the checkpoint; None when all can.

        A state other than ALARM follows from the datapoints of the evaluation range (rule 66), unless missing
        data keeps it.
        """
        is_known = self.state == self.initial or (self.state != "ALARM" and self.alarm.missing != "ignore")
        if is_known and not self.held and not self.provisional and self.first is None:
            return None
        return msgspec.msgpack.encode([self.state, self.held, self.provisional, self.first])

    def restore(self, data: bytes) -> None:
        """Takes what `encode` returned."""
        self.state, self.held, self.provisional, self.first = _decode(data)
        self.next, self.saved = self.first or None, data

    def resume(self, closed: int | None) -> None:
        """Finds the state once the periods are restored: all that end by `closed` were evaluated."""
        alarm = self.alarm
        self.next = self.first or None
        if closed is None or (self.next is not None and self.next >= closed):
            return
        self.next = None
        starts = range(closed - alarm.evaluation_periods * alarm.period, closed, alarm.period)
        if any(start in self.periods for start in starts):
            self.next = closed
            if self.saved is None and alarm.missing != "ignore":
                self.state = self._state([breaches(alarm, self._value(start)) for start in starts])
        self.periods = {s: p for s, p in self.periods.items() if s > starts[0]}

    def is_due(self, upto: int) -> bool:
        """Whether there is a period to evaluate that ends by then."""
        return (self.next is not None or bool(self.periods)) and self._next() + self.alarm.period <= upto

    def wake(self) -> int | None:
        """The earliest `upto` at which there is something to close, or all to forget; None for never."""
        if self.next is not None or self.periods:
            return self._next() + self.alarm.period
        if self.provisional or self.state != self.initial:
            return None
        return max((until + self.alarm.suppress for until, _ in self.held.values()), default=0)

    def is_spent(self, upto: int) -> bool:
        """Whether nothing is known here that a new series would not know as well."""
        if self.periods or self.provisional or self.next is not None:
            return False
        if self.state != self.initial:
            return False
        return all(until + self.alarm.suppress <= upto for until, _ in self.held.values())

    def _next(self) -> int:
        return self.next if self.next is not None else min(self.periods)

    def _evaluate(self, start: int) -> Change | None:
        alarm = self.alarm
        if self.first is not None:
            self.first = 0
        oldest = start - (alarm.evaluation_periods - 1) * alarm.period
        starts = range(oldest, start + 1, alarm.period)
        values = [self._value(place) for place in starts]
        breaching = [breaches(alarm, value) for value in values]
        before = self.state
        self.state = self._state(breaching)
        change = self._change(starts, values, breaching) if self.state != before else None
        self._forget(start, quiet=not any(place in self.periods for place in starts))
        return change

    def _state(self, breaching: list[bool | None]) -> AlarmState:
        alarm = self.alarm
        return alarm_state(
            breaching, alarm.evaluation_periods, alarm.datapoints_to_alarm, alarm.missing, self.state
        )

    def _value(self, start: int) -> Exact | None:
        period = self.periods.get(start)
        return period.value(self.alarm.counted, self.metric) if period else None

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
        certain = breaching.count(True)
        return Change(self.state, start, end, periods, values[-1], sum(bad), suppressed, certain)

    def _forget(self, start: int, *, quiet: bool) -> None:
        """Drops what the next evaluation does not look at; after nothing but silence waits for data."""
        oldest = start - (self.alarm.evaluation_periods - 2) * self.alarm.period
        for place in [place for place in self.periods if place < oldest]:
            del self.periods[place]
        self.next = None if quiet else start + self.alarm.period


_decode = msgspec.msgpack.Decoder(
    tuple[AlarmState, dict[AlarmState, tuple[int, int]], dict[str, Provisional], int | None]
).decode
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[AlarmState, int | None, list[tuple[int, PackedPeriod]]]).decode
