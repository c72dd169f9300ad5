"""The alarms of one rule: a series for each combination of dimension values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from trailsieve.alarms.agenda import Agenda, ShortKey
from trailsieve.alarms.alerts import alarm_id, alert_of_change
from trailsieve.alarms.datapoint import Dimensions, Sample, contexts_of
from trailsieve.alarms.packed_samples import PackedSamples
from trailsieve.alarms.provisional import interrupted, settle, with_announced
from trailsieve.alarms.sequence import SequenceSeries
from trailsieve.alarms.series import Change, Series
from trailsieve.model import Alert
from trailsieve.rules.alarm import Alarm
from trailsieve.rules.rule import Rule

# A change with the id of its alert, the provisional alert that it replaces, and whether it confirms one.
_Raised = tuple[Dimensions, Change, str, str, bool]

MAX_SERIES = 20_000  # from which on those with few samples are packed

OTHERS: Dimensions = (("others", "more than max_keys"),)


class RuleAlarm:
    """The series of one rule.

    Attributes:
        closed: every period that ends by then is evaluated, in seconds since 1970; None before the first.
        late: samples that came after their period was closed.
        over_max_keys: samples that were counted together because there were too many dimension values.
        announced: by dimensions of the series, ids of provisional alerts that were not delivered yet.
    """

    def __init__(self, rule: Rule, alarm: Alarm) -> None:
        self.rule = rule
        self.alarm = alarm
        self.series: dict[Dimensions, Series | SequenceSeries] = {}
        self.closed: int | None = None
        self.late = self.over_max_keys = 0
        self.announced: dict[Dimensions, list[str]] = {}
        self._packed = PackedSamples()
        self._model = Series.new(alarm, rule.metric, self._packed)
        self._rare: dict[ShortKey, bytes] = {}  # packed series, which are not in `series`
        self._pack_at = MAX_SERIES
        self._by = alarm.by[0].text if len(alarm.by) == 1 and not rule.metric.dimensions else None
        self._changed: dict[Dimensions, bytes | None] = {}  # series to keep, with what was kept before
        self._agenda = Agenda()  # when which series has something to close
        self._breaching: dict[Dimensions, None] = {}  # series in which a datapoint began to breach

    @property
    def keys(self) -> int:
        """How many combinations of dimension values are known."""
        return len(self.series) + len(self._rare)

    def every_series(self) -> Iterator[Series | SequenceSeries]:
        """The series as they are now, those that are packed too."""
        yield from self.series.values()
        yield from map(self._model.unpack, self._rare.values())

    def add(self, sample: Sample) -> Sample | None:
        """Counts a sample; returns what of it must be kept to count it again, None when it came too late."""
        if self.closed is not None and self.is_late(sample.seconds):
            self.late += 1
            return None
        key = sample.dimensions
        if key not in self.series:
            key = self._find(key)
        kept, breaches = self._add(key, sample)
        if breaches:
            self._breaching[key] = None
        return sample if kept or sample.record is None else replace(sample, record=None)

    def restore(self, sample: Sample) -> None:
        """Counts a sample again that was kept."""
        if self._knows(sample.dimensions):
            self._add(self._find(sample.dimensions), sample)

    def _add(self, key: Dimensions, sample: Sample) -> tuple[bool, bool]:
        series = self.series[key]
        end = series.opens(sample.seconds)
        if end is not None:
            self._agenda.add(end, self._short(key))
        return series.add(sample)

    def add_misses(self, start: int, ids: bytes) -> bool:
        """Counts events that did not match; returns whether any of them is new and not too late."""
        if self.is_late(start):
            return False
        key = self._find(())
        series = self.series[key]
        assert isinstance(series, Series)
        start -= start % self.alarm.period
        self._agenda.add(start + self.alarm.period, self._short(key))
        return series.period(start).add_misses(ids)

    def begin(self, oldest: int) -> None:
        """Takes the oldest event time of the stream, from which on the absence of matches counts."""
        start = oldest + -oldest % self.alarm.period
        start = start if self.closed is None else max(start, self.closed)
        series = self.series[self._find(())]
        assert isinstance(series, Series)
        if series.first is None or start < series.first:
            self._changed.setdefault((), series.saved)
            series.begin(start)
            self._schedule((), series)

    def end(self, newest: int) -> int:
        """Until when periods are closed once no more events come; a period without a match must be whole."""
        part = newest % self.alarm.period
        return newest - part if self.alarm.absent_for else newest - part + self.alarm.period

    def is_late(self, seconds: int) -> bool:
        """Whether the period of that time is closed."""
        period = self.alarm.period
        return self.closed is not None and seconds - seconds % period + period <= self.closed

    def close_until(self, watermark: int) -> list[Alert]:
        """Closes the periods whose events are complete at that watermark; returns the alerts."""
        upto = self.closed_at(watermark)
        return [] if self.closed is not None and upto <= self.closed else self.close(upto)

    def closed_at(self, watermark: int) -> int:
        """Until when every period is closed at a watermark, in seconds."""
        upto = watermark - self.alarm.allowed_lateness
        return upto - upto % self.alarm.period

    def close(self, upto: int) -> list[Alert]:
        """Closes every period that ends by `upto`; returns the alerts in the order of their periods."""
        self.closed = upto
        found: list[_Raised] = []
        for short in self._agenda.take(upto):
            key = self._long(short)
            series = self._get(key)
            if series is None:
                continue
            if series.is_due(upto):
                found += [self._final(key, series, change) for change in series.close(upto)]
            if series.saved is not None or series.encode() is not None:
                self._changed.setdefault(key, series.saved)
            if series.is_spent(upto):
                del self.series[key]
            else:
                self._schedule(key, series, after=upto)
                self._pack_rare()
        found.sort(key=lambda item: (item[1].end, item[0]))
        alerts = self._alerts([item[:3] for item in found])
        self._packed.forget(upto - self.alarm.evaluation_periods * self.alarm.period)
        return [
            replace(alert, replaces=replaced or None, confirms=confirms) if replaced or confirms else alert
            for alert, (_, _, _, replaced, confirms) in zip(alerts, found, strict=True)
        ]

    def _schedule(self, key: Dimensions, series: Series | SequenceSeries, after: int | None = None) -> None:
        """Notes when a series has something to close or to forget, if that is known."""
        time = series.wake()
        if time is not None:
            self._agenda.add(time if after is None else max(time, after + 1), self._short(key))

    def early(self) -> list[Alert]:
        """The alarms that are certain before their period is closed, and were not raised yet."""
        found = []
        for key in self._breaching:
            series = self._get(key)
            if series is None:
                continue
            again = interrupted(series.provisional)
            for change in series.certain_alarms(self.closed):
                identity = alarm_id(self.rule, key, change)
                if again and identity not in again:
                    continue  # it may be what the interrupted one has become
                series.provisional[identity] = series.provisional_of(change)
                self.announced.setdefault(key, []).append(identity)
                found.append((key, change, identity))
        self._breaching.clear()
        return [replace(alert, provisional=True) for alert in self._alerts(found)]

    def delivered(self) -> None:
        """Notes that the announced alerts were delivered."""
        for key, identities in self.announced.items():
            series = self.series[key]
            self._changed.setdefault(key, series.saved)
            for identity in identities:
                series.provisional[identity].delivered = True
        self.announced.clear()

    def changes(self) -> Iterator[tuple[Dimensions, bytes | None]]:
        """The series whose state is not what was kept; None for those to forget."""
        for key, before in self._changed.items():
            series = self._get(key)
            data = series.encode() if series else None
            if series:
                series.saved = data
            if data != before:
                yield key, data
        self._changed.clear()

    def restore_series(self, key: Dimensions, data: bytes, *, announced: bool) -> bool:
        """Takes what was kept of a series; returns False when the rule has none of these dimensions now."""
        if not self._knows(key):
            return False
        series = self._get(key) or self.series.setdefault(key, self._new())
        if announced:
            series.provisional = with_announced(series.provisional, data)
            self._breaching[key] = None
            self._changed.setdefault(key, series.saved)
        else:
            series.restore(data)
        return True

    def reopen(self) -> None:
        """Lets events count again that only a clock that was wrong made late; what is evaluated stays so."""
        self.closed = None

    def resume(self, watermark: int | None) -> None:
        """Goes on at a watermark: every period that it closes was evaluated before."""
        self.closed = None if watermark is None else self.closed_at(watermark)
        self._agenda = Agenda()
        for key in [*self.series, *map(self._long, self._rare)]:
            series = self._get(key)
            assert series
            series.resume(self.closed)
            self._schedule(key, series)

    def _final(self, key: Dimensions, series: Series | SequenceSeries, change: Change) -> _Raised:
        """A change with the provisional alert that it confirms or replaces."""
        identity = alarm_id(self.rule, key, change)
        if change.state != "ALARM" or not series.provisional:
            return key, change, identity, "", False
        return key, change, identity, *settle(series.provisional, identity, change.end)

    def _alerts(self, changes: Sequence[tuple[Dimensions, Change, str]]) -> list[Alert]:
        """The alerts of changes, which come with their ids. A block is decompressed once for all of them."""
        periods = [period for _, change, _ in changes for period in change.periods]
        contexts = iter(contexts_of(periods, self._packed))
        return [
            alert_of_change(self.rule, key, change, identity, list(islice(contexts, len(change.periods))))
            for key, change, identity in changes
        ]

    def _find(self, dimensions: Dimensions) -> Dimensions:
        """The key to count under; the common one when there are too many."""
        if self._get(dimensions):
            return dimensions
        if self.keys >= self.alarm.max_keys:
            self.over_max_keys += 1
            dimensions = OTHERS
            if self._get(dimensions):
                return dimensions
        self._pack_rare()
        self.series[dimensions] = self._new()
        return dimensions

    def _get(self, key: Dimensions) -> Series | SequenceSeries | None:
        """The series of these dimensions, if there is one."""
        series = self.series.get(key)
        if series is None and self._rare:
            packed = self._rare.pop(self._short(key), None)
            if packed is not None:
                self._pack_rare()
                series = self.series[key] = self._model.unpack(packed)
        return series

    def _short(self, key: Dimensions) -> ShortKey:
        """A smaller key for the same dimensions."""
        return key[0][1] if len(key) == 1 and key[0][0] == self._by else key

    def _long(self, key: ShortKey) -> Dimensions:
        """The dimensions of a smaller key."""
        return ((self._by, key),) if isinstance(key, str) and self._by else key  # type: ignore[return-value]

    def _pack_rare(self) -> None:
        """Packs the series with few samples when there are many; next when the others have doubled."""
        if len(self.series) < self._pack_at or self.alarm.sequence:
            return
        left = {}
        for key, series in self.series.items():
            packed = series.pack() if isinstance(series, Series) else None
            if packed is None:
                left[key] = series
            else:
                self._rare[self._short(key)] = packed
        self.series = left
        self._pack_at = max(MAX_SERIES, 2 * len(left))

    def _new(self) -> Series | SequenceSeries:
        if self.alarm.sequence:
            return SequenceSeries.new(self.alarm)
        return self._model.fresh()

    def _knows(self, dimensions: Dimensions) -> bool:
        """Whether the rule, as it is now, can have a series of these dimensions."""
        names = {item.text for item in self.alarm.by} | {name for name, _ in self.rule.metric.dimensions}
        return dimensions == OTHERS or {name for name, _ in dimensions} <= names
