"""What is known of one period of one metric: the numbers of its datapoint, and the context of its events.

Everything here comes out the same in whatever order the samples are added. What a period costs is bounded:
some 1.5 kB and the original records that it keeps, with at most `MAX_CONTEXTS` combinations of callers and
calls and `MAX_RECORD_BYTES` of records. `make bench-alarms` measures it.
"""

from __future__ import annotations

from bisect import insort
from fractions import Fraction
from typing import Any

import msgspec

from trailsieve.alarms.states import Exact
from trailsieve.model import Alert
from trailsieve.rules.alarm import Metric, Statistic

MAX_CONTEXTS = 1000  # different combinations of caller, address, call … in a period; more are one
MAX_RECORDS = 10
MAX_RECORD_BYTES = 64 * 2**10  # of a period's original records; one is kept in any case

Dimensions = tuple[tuple[str, str], ...]
# principal, source_ip, event_name, error_code, account, region, event_source, user_agent
Facts = tuple[str | None, ...]
OTHERS: Facts = ("others",) * 8
_interned: dict[Facts, Facts] = {}


class Sample(msgspec.Struct, frozen=True):
    """What one match adds to the metric of its rule.

    Attributes:
        alert: the alert that the match would raise without an alarm.
        time: event time, seconds.
        value: None when the event has no number there (rule 60).
    """

    alert: Alert
    time: int
    value: int | float | None
    dimensions: Dimensions = ()


class Period:
    """One period. `matches` are events, `samples` those of them that have a value."""

    __slots__ = (
        *("matches", "samples", "total", "low", "high", "misses"),
        *("facts", "first", "last", "records", "size", "cut"),
    )

    def __init__(self) -> None:
        self.matches = self.samples = self.misses = self.size = 0
        self.total: Exact = 0
        self.low: Exact | None = None
        self.high: Exact | None = None
        self.facts: dict[Facts, int] = {}
        self.first: tuple[Any, ...] = ()  # time, id, time as written, event name, principal, address
        self.last: tuple[Any, ...] = ()
        self.records: list[tuple[int, str, bytes]] = []
        self.cut: tuple[int, str] | None = None  # from this record on they are left out

    def add(self, sample: Sample) -> None:
        """Counts one match."""
        alert = sample.alert
        self.matches += 1
        if sample.value is not None:
            value = exact(sample.value)
            self.samples += 1
            self.total += value
            self.low = value if self.low is None or value < self.low else self.low
            self.high = value if self.high is None or value > self.high else self.high
        facts = facts_of(alert)
        if facts not in self.facts and len(self.facts) >= MAX_CONTEXTS:
            facts = OTHERS
        self.facts[facts] = self.facts.get(facts, 0) + 1
        order = (sample.time, alert.id)
        if not self.first or order < self.first[:2]:
            self.first = _moment(sample)
        if not self.last or order > self.last[:2]:
            self.last = _moment(sample)
        if self.cut is None or order < self.cut:
            self._keep((*order, alert.records[0] if alert.records else b""))

    def _keep(self, record: tuple[int, str, bytes]) -> None:
        insort(self.records, record)
        self.size += len(record[2])
        while len(self.records) > MAX_RECORDS or (self.size > MAX_RECORD_BYTES and len(self.records) > 1):
            time, identity, text = self.records.pop()
            self.cut = (time, identity)
            self.size -= len(text)

    def value(self, statistic: Statistic, metric: Metric) -> Exact | None:
        """The period's datapoint; None when it has no sample (rules 60, 61 and 68)."""
        samples, total, low, high = self.samples, self.total, self.low, self.high
        misses = self.misses if metric.cloudwatch_exact else min(1, self.misses) * (self.matches == 0)
        if misses and metric.default is not None:
            default = exact(metric.default)
            samples += misses
            total += misses * default
            low = default if low is None else min(low, default)
            high = default if high is None else max(high, default)
        if not samples:
            return None
        if statistic == "Sum":
            return total
        if statistic == "SampleCount":
            return samples
        if statistic == "Average":
            return Fraction(total) / samples
        return low if statistic == "Minimum" else high


def exact(value: int | float) -> Exact:
    """A number whose sums are exact."""
    if value.__class__ is int:
        return value
    return int(value) if float(value).is_integer() else Fraction(value)


def facts_of(alert: Alert) -> Facts:
    """What the context counts of an event; equal ones are one object, for they are many."""
    facts = (
        *(alert.principal, alert.source_ip, alert.event_name, alert.error_code),
        *(alert.account, alert.region, alert.event_source, alert.user_agent),
    )
    if len(_interned) > 100_000:
        _interned.clear()
    return _interned.setdefault(facts, facts)


def _moment(sample: Sample) -> tuple[Any, ...]:
    alert = sample.alert
    return (sample.time, alert.id, alert.time, alert.event_name, alert.principal, alert.source_ip)


def encode_period(period: Period) -> bytes:
    """A period for the checkpoint."""
    numbers = [_text(period.total), _text(period.low), _text(period.high)]
    counts = [period.matches, period.samples, period.misses]
    return msgspec.msgpack.encode(
        [counts, numbers, list(period.facts.items()), period.first, period.last, period.records, period.cut]
    )


def decode_period(data: bytes) -> Period:
    """What `encode_period` wrote."""
    counts, numbers, facts, first, last, records, cut = msgspec.msgpack.decode(data)
    period = Period()
    period.matches, period.samples, period.misses = counts
    period.total = _number(numbers[0]) or 0
    period.low, period.high = _number(numbers[1]), _number(numbers[2])
    period.facts = {tuple(fact): count for fact, count in facts}
    period.first, period.last = tuple(first), tuple(last)
    period.records = [(time, identity, text) for time, identity, text in records]
    period.size = sum(len(text) for _, _, text in period.records)
    period.cut = tuple(cut) if cut else None
    return period


def _text(number: Exact | None) -> str | None:
    return None if number is None else str(number)


def _number(text: str | None) -> Exact | None:
    if text is None:
        return None
    return Fraction(text) if "/" in text else int(text)
