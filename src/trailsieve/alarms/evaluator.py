"""The alarm step of an epoch: samples into the series of their rules, changes of state into alerts.

Event time drives everything. The watermark of the source (see `watermarks`), less a rule's
`allowed_lateness`, is how far its periods are closed and evaluated: what comes later than that is counted and
reported, and no longer changes anything. An archive has no order at all, so in a replay nothing is closed
before its end. In this way the alerts depend on the events alone: not on their order within the lateness, nor
on epochs, workers, outages or restarts.

A stream does not wait for the close where an alarm is certain before it: the alert is raised at once, marked
as provisional, and confirmed or replaced once its periods are closed.

Memory: one `Series` a combination of dimension values, one `Period` for each of its periods with events
that is not closed or still looked back at (see `datapoint`). Samples wait in compressed blocks (see
`packed_samples`), and when there are many series, those with few samples are packed (see `RuleAlarm`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import orjson

from trailsieve.alarms.datapoint import Dimensions, Sample
from trailsieve.alarms.rule_alarm import RuleAlarm
from trailsieve.alarms.sample_log import Misses, SampleRow, sample_rows, samples_of
from trailsieve.alarms.watermarks import Watermarks
from trailsieve.model import Alert, Watermark
from trailsieve.rules.rule import Rule

WATERMARK = "watermark"
_SERIES = "series/"
_ANNOUNCED = "announced/"  # provisional alerts of which it is not known whether they were delivered


@dataclass(frozen=True, slots=True)
class Live:
    """What the alarms of a stream need to know of it; see `Watermarks`.

    Attributes:
        ordered: whether the events of a shard come in the order of time, but for their lateness.
        now: seconds since 1970; None while the clock cannot be trusted.
        monotonic: seconds of a clock that no one sets.
        max_wait: seconds after which alarms continue without a shard that is behind; 0 for never.
        report: is called with one line that an operator ought to read.
    """

    ordered: bool = True
    now: Callable[[], float | None] = time.time
    monotonic: Callable[[], float] = time.monotonic
    max_wait: float = 0
    report: Callable[[str], None] = lambda text: None


@dataclass(frozen=True, slots=True)
class Changes:
    """What of the alarms' state changed, for the checkpoint.

    Attributes:
        state: by key; None forgets a key.
        samples: to be counted again after a restart, until they expire.
        expired: samples whose expiry is at or before it are needed no more; None when none are.
    """

    state: dict[str, bytes | None]
    samples: Sequence[SampleRow] = ()
    expired: int | None = None

    def __bool__(self) -> bool:
        return bool(self.state or self.samples or self.expired is not None)


class Alarms:
    """All alarms of a rule set.

    Args:
        rules: those that are enabled and have an alarm are evaluated.
        live: a stream, which is evaluated while it goes on and whose state survives; None for an archive.
        until: the end of the selected time of a replay: later silence says nothing.

    Attributes:
        oldest, newest: the oldest and the newest event time of all, in seconds since 1970.
    """

    def __init__(self, rules: Iterable[Rule], *, live: Live | None = None, until: int | None = None) -> None:
        self.by_rule = {rule.id: RuleAlarm(rule, rule.alarm) for rule in rules if rule.enabled and rule.alarm}
        self._alarms = {rule: alarm.alarm for rule, alarm in self.by_rule.items()}
        self._from_the_start = [
            alarm for alarm in self.by_rule.values() if alarm.alarm.absent_for and not alarm.alarm.by
        ]
        self._live = live
        self._until = until
        self.oldest: int | None = None
        self.newest: int | None = None
        self._watermarks = (
            Watermarks(
                ordered=live.ordered,
                now=live.now,
                monotonic=live.monotonic,
                max_wait=live.max_wait,
                report=live.report,
            )
            if live
            else None
        )
        self._samples: dict[str, list[Sample]] = {}
        self._misses: list[Misses] = []
        self._forgotten: list[str] = []
        self._saved: int | None = None

    def add(self, samples: Iterable[Sample]) -> None:
        """Counts matches."""
        for sample in samples:
            kept = self.by_rule[sample.rule].add(sample)
            if kept and self._live:
                self._samples.setdefault(sample.rule, []).append(kept)

    def add_misses(self, misses: Mapping[str, Mapping[int, bytes]]) -> None:
        """Counts events that did not match, for `metric.default`; see `Tally.misses`."""
        for rule, starts in misses.items():
            for start, ids in starts.items():
                if self.by_rule[rule].add_misses(start, ids) and self._live:
                    self._misses.append((rule, start, ids))

    def observe(self, newest: Mapping[str, int], oldest: Mapping[str, int] | None = None) -> None:
        """Takes the newest and oldest event time of each shard that an epoch read from."""
        if oldest:
            first = min(oldest.values())
            self.oldest = first if self.oldest is None else min(first, self.oldest)
            for alarm in self._from_the_start:
                alarm.begin(first)
        if newest:
            self.newest = max(*newest.values(), self.newest or 0)
        if self._watermarks:
            self._watermarks.observe(newest)

    def mark(self, mark: Watermark) -> None:
        """Takes what the source says of a shard."""
        if self._watermarks:
            self._watermarks.mark(mark)

    def advance(self, *, early: bool = True) -> list[Alert]:
        """Closes what can be closed; returns final alerts, and provisional ones of what is certain.

        Args:
            early: whether to raise provisional alerts now; the next call that may raises them else.
        """
        if not self._watermarks or not self.by_rule:
            return []
        before = self._watermarks.value
        watermark = self._watermarks.advance()
        if before is not None and (watermark is None or watermark < before):
            for alarm in self.by_rule.values():
                alarm.reopen()
        alerts: list[Alert] = []
        for alarm in self.by_rule.values():
            if watermark is not None and watermark != before:
                alerts += alarm.close_until(watermark)
            if early:
                alerts += alarm.early()
        return alerts

    def evaluated(self, until: float) -> bool:
        """Whether all that had reached the source by a time, in seconds since 1970, was evaluated."""
        return not self.by_rule or self._watermarks is None or self._watermarks.passed(until)

    def close(self) -> list[Alert]:
        """The end of all input: closes every period that has begun."""
        known = [self.newest, self._watermarks.value if self._watermarks else None]
        newest = max((seconds for seconds in known if seconds is not None), default=None)
        if newest is None:
            return []
        newest = newest if self._until is None else min(newest, self._until - 1)
        alerts: list[Alert] = []
        for alarm in self.by_rule.values():
            alerts += alarm.close(alarm.end(newest))
        return sorted(alerts, key=lambda alert: alert.window.end if alert.window else "")

    def announce(self) -> dict[str, bytes | None]:
        """What must be kept before the provisional alerts of `advance` are delivered, by key.

        A crash in between must not leave a provisional alert that nothing confirms or replaces.
        """
        return {
            _name(_ANNOUNCED, rule, key): msgspec.msgpack.encode(alarm.series[key].provisional)
            for rule, alarm in self.by_rule.items()
            for key in alarm.announced
        }

    def delivered(self) -> None:
        """Notes that every required sink took the provisional alerts that were announced."""
        for rule, alarm in self.by_rule.items():
            self._forgotten += [_name(_ANNOUNCED, rule, key) for key in alarm.announced]
            alarm.delivered()

    def changes(self) -> Changes:
        """What of the state changed since the last call."""
        if not self._live:
            return Changes({})
        state: dict[str, bytes | None] = dict.fromkeys(self._forgotten)
        for rule, alarm in self.by_rule.items():
            state |= {_name(_SERIES, rule, key): data for key, data in alarm.changes()}
        watermark = self._watermarks.value if self._watermarks else None
        rows = sample_rows(self._samples, self._misses, self._alarms, watermark)
        self._forgotten.clear()
        self._samples.clear()
        self._misses.clear()
        expired = None
        if watermark is not None and (self._saved is None or watermark > self._saved):
            self._saved = expired = watermark
            state[WATERMARK] = msgspec.msgpack.encode(watermark)
        return Changes(state, rows, expired)

    def restore(self, state: Mapping[str, bytes], rows: Iterable[SampleRow]) -> None:
        """Goes on from a checkpoint. A rule with another definition keeps its states (rule 65)."""
        for row in rows:
            self._restore_row(row)
        for prefix in (_SERIES, _ANNOUNCED):  # what was announced is added to the series
            for name, data in state.items():
                if name.startswith(prefix):
                    self._restore_series(name, data)
        if self._watermarks and WATERMARK in state:
            self._watermarks.value = self._saved = msgspec.msgpack.decode(state[WATERMARK])
        for alarm in self.by_rule.values():
            alarm.resume(self._saved)

    def _restore_row(self, row: SampleRow) -> None:
        samples, misses = samples_of(row)
        for sample in samples:
            if sample.rule in self.by_rule:
                self.by_rule[sample.rule].restore(sample)
        for rule, start, ids in misses:
            if rule in self.by_rule:
                self.by_rule[rule].add_misses(start, ids)

    def _restore_series(self, name: str, data: bytes) -> None:
        rule, pairs = orjson.loads(name.partition("/")[2])
        key = tuple((dimension, value) for dimension, value in pairs)
        alarm = self.by_rule.get(rule)
        if alarm is None or not alarm.restore_series(key, data, announced=name.startswith(_ANNOUNCED)):
            self._forgotten.append(name)

    @property
    def late(self) -> Counter[str]:
        """By rule, events that came after their period was closed."""
        return Counter({rule: alarm.late for rule, alarm in self.by_rule.items() if alarm.late})

    @property
    def over_max_keys(self) -> Counter[str]:
        """By rule, events that were counted together because there were too many dimension values."""
        counts = {rule: alarm.over_max_keys for rule, alarm in self.by_rule.items()}
        return Counter({rule: count for rule, count in counts.items() if count})


def _name(prefix: str, rule: str, key: Dimensions) -> str:
    return prefix + orjson.dumps([rule, key]).decode()
