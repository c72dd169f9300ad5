"""The alarm step of an epoch: samples into the series of their rules, changes of state into alerts.

Event time drives everything. The newest event time that was seen, less a rule's `allowed_lateness`, is how
far its periods are closed and evaluated: what comes later than that is counted and reported, and no longer
changes anything. A stream that is quiet for a minute goes on with the clock. What is read after an outage is
old and comes shard by shard or region by region, so new event times are held for a while before they close
anything, unless a poll brings nothing: then all there is has been read. An archive has no order at all, so in
a replay nothing is closed before its end. In this way the alerts depend on the events alone: not on their
order within the lateness, nor on epochs, workers or restarts.

Memory: one `Series` a combination of dimension values, one `Period` for each of its periods with events
that is not closed or still looked back at (see `window`).
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping

import msgspec

from trailsieve.alarms.alerts import alert_of_change
from trailsieve.alarms.datapoint import Dimensions, Sample, decode_period, encode_period
from trailsieve.alarms.series import Series, encode_series, restore_series
from trailsieve.model import Alert
from trailsieve.rules.alarm import Alarm
from trailsieve.rules.rule import Rule

OTHERS: Dimensions = (("others", "more than max_keys"),)
_QUIET = 60.0  # seconds without a message after which event time goes on with the clock
_AHEAD = 86_400  # seconds that an event may lie in the future of a live stream
_PREFIX = "alarm/"
_NEWEST = "alarm/newest"
_HELD = "alarm/held"


class Watched:
    """The series of one rule."""

    def __init__(self, rule: Rule, alarm: Alarm) -> None:
        self.rule = rule
        self.alarm = alarm
        self.series: dict[Dimensions, Series] = {}
        self.closed: int | None = None  # every period that ends by then is evaluated
        self.late = self.crowded = 0

    def find(self, dimensions: Dimensions) -> Dimensions:
        """The key to count under; the common one when there are too many."""
        if dimensions in self.series:
            return dimensions
        if len(self.series) >= self.alarm.max_keys:
            self.crowded += 1
            dimensions = OTHERS
        if dimensions not in self.series:
            self.series[dimensions] = Series.new(self.alarm, self.rule.metric)
        return dimensions

    def is_late(self, seconds: int) -> bool:
        """Whether the period of that time is closed."""
        period = self.alarm.period
        return self.closed is not None and seconds - seconds % period + period <= self.closed

    def knows(self, dimensions: Dimensions) -> bool:
        """Whether the rule, as it is now, can have a series of these dimensions."""
        names = {item.text for item in self.alarm.by} | {name for name, _ in self.rule.metric.dimensions}
        return dimensions == OTHERS or {name for name, _ in dimensions} <= names


class Alarms:
    """All alarms of a rule set.

    Args:
        rules: those that are enabled and have an alarm are watched.
        live: a stream, which is evaluated while it goes on and whose state survives; False for an archive.
        hold: seconds of the clock for which a newer event time of a stream is held, see above.
        clock: the time of day, for streams; it also bounds what an event may claim.
        upto: the end of the selected time of a replay: later silence says nothing.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        *,
        live: bool = False,
        hold: float = 0,
        clock: Callable[[], float] = time.time,
        upto: int | None = None,
    ) -> None:
        self.watched = {rule.id: Watched(rule, rule.alarm) for rule in rules if rule.enabled and rule.alarm}
        self.newest: int | None = None
        self._live = live
        self._clock = clock
        self._upto = upto
        self._hold = hold
        self._held: deque[tuple[float, int]] = deque()  # when a newer event time came, and that time
        self._heard = clock()
        self._changed: set[tuple[str, Dimensions]] = set()
        self._changed_periods: set[tuple[str, Dimensions, int]] = set()
        self._forgotten: list[str] = []
        self._saved: int | None = None
        self._saved_held: int | None = None

    def add(self, samples: Iterable[Sample]) -> None:
        """Counts matches."""
        ahead = self._clock() + _AHEAD if self._live else None
        for sample in samples:
            watched = self.watched[sample.alert.rule]
            if watched.is_late(sample.time) or (ahead and sample.time > ahead):
                watched.late += 1
                continue
            key = watched.find(sample.dimensions)
            start = watched.series[key].add(sample)
            if self._live:
                self._changed_periods.add((sample.alert.rule, key, start))

    def add_misses(self, misses: Mapping[str, Mapping[int, int]]) -> None:
        """Counts events that did not match, by rule and start of the period, for `metric.default`."""
        for rule, starts in misses.items():
            watched = self.watched[rule]
            for start, count in starts.items():
                if not watched.is_late(start):
                    key = watched.find(())
                    watched.series[key].period(start).misses += count
                    if self._live:
                        self._changed_periods.add((rule, key, start))

    def advance(self, newest: int | None, *, heard: bool = True) -> list[Alert]:
        """Closes what can be closed.

        Args:
            newest: the newest event time of the epoch.
            heard: whether the epoch had any message.
        """
        if not self.watched:
            return []
        if self._live:
            newest = self._released(newest, heard)
        if newest is not None and (self.newest is None or newest > self.newest):
            self.newest = newest
            if self._live:
                return [alert for watched in self.watched.values() for alert in self._closed(watched)]
        return []

    def _released(self, newest: int | None, heard: bool) -> int | None:
        """How far event time has gone on, for all that is known now."""
        now = self._clock()
        if newest is not None and (not self._held or newest > self._held[-1][1]):
            self._held.append((now, min(newest, int(now))))
        if heard:
            self._heard = now
        elif now - self._heard >= _QUIET:
            self._held.append((now, int(now)))
        released = None
        while self._held and (not heard or now - self._held[0][0] >= self._hold):
            released = self._held.popleft()[1]
        return released

    def close(self) -> list[Alert]:
        """The end of all input: closes every period that has begun."""
        alerts: list[Alert] = []
        self.newest = max(
            (time for time in (self.newest, *(held for _, held in self._held)) if time is not None),
            default=None,
        )
        self._held.clear()
        for watched in self.watched.values():
            if self.newest is not None:
                newest = self.newest if self._upto is None else min(self.newest, self._upto - 1)
                alerts += self._close(watched, newest - newest % watched.alarm.period + watched.alarm.period)
        return sorted(alerts, key=lambda alert: alert.window.end if alert.window else "")

    def _closed(self, watched: Watched) -> list[Alert]:
        assert self.newest is not None
        upto = self.newest - watched.alarm.allowed_lateness
        upto -= upto % watched.alarm.period
        if watched.closed is not None and upto <= watched.closed:
            return []
        return self._close(watched, upto)

    def _close(self, watched: Watched, upto: int) -> list[Alert]:
        watched.closed = upto
        found = []
        for key, series in list(watched.series.items()):
            before = series.periods
            due = series.is_due(upto)
            if due:
                found += [(change.end, key, change) for change in series.close(upto)]
            spent = series.is_spent(upto)
            if spent:
                del watched.series[key]
            if self._live and (due or spent):
                rule = watched.rule.id
                self._changed.add((rule, key))
                self._changed_periods.update((rule, key, n) for n in before if n not in series.periods)
        found.sort(key=lambda item: item[:2])
        return [alert_of_change(watched.rule, key, change) for _, key, change in found]

    def changes(self) -> dict[str, bytes | None]:
        """What of the state changed since the last call, for the checkpoint."""
        state: dict[str, bytes | None] = dict.fromkeys(self._forgotten)
        for rule, key in self._changed:
            series = self.watched[rule].series.get(key)
            state[self._name(rule, key)] = encode_series(series) if series else None
        for rule, key, start in self._changed_periods:
            series = self.watched[rule].series.get(key)
            period = series.periods.get(start) if series else None
            state[self._name(rule, key, start)] = encode_period(period) if period else None
        if self._live and self.newest != self._saved:
            state[_NEWEST] = msgspec.msgpack.encode(self.newest)
            self._saved = self.newest
        if self._held and self._held[-1][1] != self._saved_held:
            self._saved_held = self._held[-1][1]
            state[_HELD] = msgspec.msgpack.encode(self._saved_held)
        self._changed.clear()
        self._changed_periods.clear()
        self._forgotten.clear()
        return state

    def restore(self, state: Mapping[str, bytes]) -> None:
        """Goes on from a checkpoint. A rule with another definition keeps its states (rule 65)."""
        for name, data in state.items():
            if name == _NEWEST:
                self.newest = self._saved = msgspec.msgpack.decode(data)
            elif name == _HELD:
                self._saved_held = msgspec.msgpack.decode(data)
                self._held.append((self._clock(), msgspec.msgpack.decode(data)))
            elif name.startswith(_PREFIX):
                rule, length, pairs, start = msgspec.json.decode(name.removeprefix(_PREFIX))
                self._restore(
                    name, rule, length, tuple((dimension, value) for dimension, value in pairs), start, data
                )
        for watched in self.watched.values():
            if self.newest is not None:
                closed = self.newest - watched.alarm.allowed_lateness
                watched.closed = closed - closed % watched.alarm.period

    def _restore(
        self, name: str, rule: str, length: int, key: Dimensions, start: int | None, data: bytes
    ) -> None:
        watched = self.watched.get(rule)
        if watched is None or not watched.knows(key):
            self._forgotten.append(name)
            return
        series = watched.series.setdefault(key, Series.new(watched.alarm, watched.rule.metric))
        if length != watched.alarm.period:
            self._forgotten.append(name)
        if start is None:
            restore_series(series, data)
            if length != watched.alarm.period:
                series.next = None
                self._changed.add((rule, key))
        elif length == watched.alarm.period:
            series.periods[start] = decode_period(data)

    def _name(self, rule: str, key: Dimensions, start: int | None = None) -> str:
        return _PREFIX + msgspec.json.encode([rule, self.watched[rule].alarm.period, key, start]).decode()

    @property
    def late(self) -> Counter[str]:
        """By rule, events that came after their period was closed."""
        return Counter({rule: watched.late for rule, watched in self.watched.items() if watched.late})

    @property
    def crowded(self) -> Counter[str]:
        """By rule, events that were counted together because there were too many keys."""
        return Counter({rule: w.crowded for rule, w in self.watched.items() if w.crowded})
