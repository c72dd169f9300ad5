"""What is known of one period of one metric: the numbers of its datapoint, and the context of its events.

Everything here comes out the same in whatever order the samples are added. What a period costs is bounded:
some 1.5 kB and the original records that it keeps, with at most `MAX_CONTEXTS` combinations of callers and
calls, `MAX_DISTINCT` different values and `MAX_RECORD_BYTES` of records. `make bench-alarms` measures it.
"""

from __future__ import annotations

from fractions import Fraction

from msgspec import Struct

from trailsieve.alarms.context import MAX_RECORD_BYTES, MAX_RECORDS, Context, Facts
from trailsieve.alarms.states import Exact
from trailsieve.rules.alarm import MAX_DISTINCT, Counted, Metric

MAX_MISSED = 100_000  # events of a period without a match that are told apart
ID_BYTES = 8  # of the id of such an event

Dimensions = tuple[tuple[str, str], ...]


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
    facts: Facts
    record: bytes | None

    @property
    def principal(self) -> str | None:
        """Who did it."""
        return self.facts.principal

    @property
    def source_ip(self) -> str | None:
        """From where."""
        return self.facts.source_ip


class Period:
    """One period. `matches` are events, `samples` those of them that have a value."""

    __slots__ = (
        *("matches", "samples", "total", "low", "high", "misses", "missed", "values", "breached"),
        *("_waiting", "_size", "_context"),
    )

    def __init__(self) -> None:
        self.matches = self.samples = self.misses = 0
        self.total: Exact = 0
        self.low: Exact | None = None
        self.high: Exact | None = None
        self.missed: set[bytes] | None = None  # ids of `misses`
        self.values: set[str] | None = None
        self.breached = False  # whether its datapoint breaches for certain, whatever comes later
        self._waiting: list[Sample] = []  # not yet part of the context: most periods never need one
        self._size = 0  # bytes of the records that wait
        self._context: Context | None = None

    def add(self, sample: Sample) -> bool:
        """Counts one match; returns whether its record may be needed."""
        self.matches += 1
        value = sample.value
        if value is not None:
            self._count(value)
        self._waiting.append(sample)
        if sample.record is None:
            kept = False
        else:
            self._size += len(sample.record)
            kept = self._context is None or self._context.keeps((sample.seconds, sample.id))
        if len(self._waiting) > MAX_RECORDS or self._size > MAX_RECORD_BYTES:
            self._fold()
        return kept

    def add_misses(self, ids: bytes) -> bool:
        """Counts events that did not match, those with the same id once; returns whether any is new.

        Args:
            ids: one after the other; empty where it does not matter how many they are.
        """
        before = self.misses
        self.misses = max(1, before)
        if not ids:
            return not before
        if self.missed is None:
            self.missed, self.misses = set(), 0
        for place in range(0, len(ids), ID_BYTES):
            identity = ids[place : place + ID_BYTES]
            if identity not in self.missed:
                self.misses += 1
                if len(self.missed) < MAX_MISSED:
                    self.missed.add(identity)
        return self.misses > before

    @property
    def context(self) -> Context:
        """Who did what from where."""
        return self._fold()

    def _fold(self) -> Context:
        context = self._context
        if context is None:
            context = self._context = Context()
        for sample in self._waiting:
            context.add((sample.seconds, sample.id), sample.time, sample.facts, sample.record)
        self._waiting.clear()
        self._size = 0
        return context

    def _count(self, found: int | float | str) -> None:
        if isinstance(found, str):
            self._add_text(found)
            return
        value = found if found.__class__ is int else exact(found)
        self.samples += 1
        self.total += value
        if self.low is None or value < self.low:
            self.low = value
        if self.high is None or value > self.high:
            self.high = value

    def _add_text(self, value: str) -> None:
        self.samples += 1
        if self.values is None:
            self.values = {value}
        elif len(self.values) < MAX_DISTINCT:
            self.values.add(value)

    def value(self, statistic: Counted, metric: Metric) -> Exact | None:
        """The period's datapoint; None when it has no sample (rules 60, 61 and 68)."""
        if statistic == "DistinctCount":
            return len(self.values) if self.values else None
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
