"""What is known of one period of one metric: the numbers of its datapoint, and the context of its events.

Everything here comes out the same in whatever order the samples are added. What a period costs is bounded:
some 1.5 kB and the original records that it keeps, with at most `MAX_CONTEXTS` combinations of callers and
calls, `MAX_DISTINCT` different values and `MAX_RECORD_BYTES` of records. `make bench-alarms` measures it.
"""

from __future__ import annotations

from bisect import insort
from fractions import Fraction
from typing import Any

from msgspec import Struct

from trailsieve.alarms.states import Exact
from trailsieve.rules.alarm import MAX_DISTINCT, Counted, Metric

MAX_CONTEXTS = 1000  # different combinations of caller, address, call … in a period; more are one
MAX_RECORDS = 10
MAX_RECORD_BYTES = 64 * 2**10  # of a period's original records; one is kept in any case

Dimensions = tuple[tuple[str, str], ...]
# principal, source_ip, event_name, error_code, account, region, event_source, user_agent
Facts = tuple[str | None, ...]
OTHERS: Facts = ("others",) * 8
_interned: dict[Facts, Facts] = {}


class Sample(Struct, frozen=True, array_like=True, gc=False):
    """What one match adds to the metric of its rule.

    Attributes:
        id: the id of the alert that the match would raise without an alarm.
        time: event time as it is written.
        seconds: event time.
        value: None when the event has no number there (rule 60); a text where different values are counted.
        record: the original record; None when no period keeps it.
    """

    rule: str
    id: str
    time: str | None
    seconds: int
    value: int | float | str | None
    dimensions: Dimensions
    facts: tuple[str | None, ...]
    record: bytes | None

    @property
    def principal(self) -> str | None:
        """Who did it."""
        return self.facts[0]

    @property
    def source_ip(self) -> str | None:
        """From where."""
        return self.facts[1]


class Period:
    """One period. `matches` are events, `samples` those of them that have a value."""

    __slots__ = (
        *("matches", "samples", "total", "low", "high", "misses", "values", "breached"),
        *("facts", "first", "last", "records", "size", "cut"),
    )

    def __init__(self) -> None:
        self.matches = self.samples = self.misses = self.size = 0
        self.total: Exact = 0
        self.low: Exact | None = None
        self.high: Exact | None = None
        self.values: set[str] = set()
        self.breached = False  # whether its datapoint breaches for certain, whatever comes later
        self.facts: dict[Facts, int] = {}
        self.first: tuple[Any, ...] = ()  # seconds, id, time as written, event name, principal, address
        self.last: tuple[Any, ...] = ()
        self.records: list[tuple[int, str, bytes]] = []
        self.cut: tuple[int, str] | None = None  # from this record on they are left out

    def add(self, sample: Sample) -> bool:
        """Counts one match; returns whether its record is kept."""
        self.matches += 1
        value = sample.value
        if isinstance(value, str):
            self._add_text(value)
        elif value is not None:
            self._add_number(exact(value))
        facts = _interned.get(sample.facts) or interned(sample.facts)
        if facts not in self.facts and len(self.facts) >= MAX_CONTEXTS:
            facts = OTHERS
        self.facts[facts] = self.facts.get(facts, 0) + 1
        order = (sample.seconds, sample.id)
        if not self.first or order < self.first:
            self.first = _moment(sample)
        if not self.last or order > self.last:
            self.last = _moment(sample)
        if sample.record is None or (self.cut is not None and order >= self.cut):
            return False
        return self._keep((*order, sample.record))

    def _add_number(self, value: Exact) -> None:
        self.samples += 1
        self.total += value
        if self.low is None or value < self.low:
            self.low = value
        if self.high is None or value > self.high:
            self.high = value

    def _add_text(self, value: str) -> None:
        self.samples += 1
        if len(self.values) < MAX_DISTINCT:
            self.values.add(value)

    def _keep(self, record: tuple[int, str, bytes]) -> bool:
        insort(self.records, record)
        self.size += len(record[2])
        while len(self.records) > MAX_RECORDS or (self.size > MAX_RECORD_BYTES and len(self.records) > 1):
            seconds, identity, text = self.records.pop()
            self.cut = (seconds, identity)
            self.size -= len(text)
        return self.cut is None or record[:2] < self.cut

    def value(self, statistic: Counted, metric: Metric) -> Exact | None:
        """The period's datapoint; None when it has no sample (rules 60, 61 and 68)."""
        if statistic == "DistinctCount":
            return len(self.values) or None
        if statistic == "Sum" and not self.misses:  # nearly all alarms
            return self.total if self.samples else None
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


def interned(facts: Facts) -> Facts:
    """The same facts, as one object for all equal ones: they are many."""
    if len(_interned) > 100_000:
        _interned.clear()
    return _interned.setdefault(facts, facts)


def _moment(sample: Sample) -> tuple[Any, ...]:
    facts = sample.facts
    return (sample.seconds, sample.id, sample.time, facts[2], facts[0], facts[1])
