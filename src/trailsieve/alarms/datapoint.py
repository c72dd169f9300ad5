"""What is known of one period of one metric: the numbers of its datapoint, and the context of its events.

Everything here comes out the same in whatever order the samples are added. Most periods have few samples and
never need a context: those samples wait in compressed blocks (see `packed_samples`). A period with more has a
context of the rest, with at most `MAX_CONTEXTS` combinations of callers and calls, `MAX_DISTINCT` different
values and `MAX_RECORD_BYTES` of records. `make bench-alarms` measures what it costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from msgspec import Struct

from trailsieve.alarms.context import MAX_CONTEXTS, MAX_RECORD_BYTES, MAX_RECORDS, Context, Facts
from trailsieve.alarms.packed_samples import PLACE_BYTES, PackedSamples, Place, places
from trailsieve.alarms.states import Exact
from trailsieve.rules.alarm import MAX_DISTINCT, Counted, Metric

MAX_MISSED = 100_000  # events of a period without a match that are told apart
ID_BYTES = 8  # of the id of such an event

_FULL = MAX_RECORDS * PLACE_BYTES  # from which on no more samples wait
_NEVER = 2**62  # a second that does not come

Dimensions = tuple[tuple[str, str], ...]

PackedPeriod = tuple[int, int, int, int | None, int | None, list[str] | None, bytes, int, int]


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
        *("_waiting", "_size", "_newest", "_context"),
    )

    def __init__(self) -> None:
        self.matches = self.samples = self.misses = 0
        self.total: Exact = 0
        self.low: Exact | None = None
        self.high: Exact | None = None
        self.missed: set[bytes] | None = None  # ids of `misses`
        self.values: set[str] | None = None
        self.breached = False  # whether its datapoint breaches for certain, whatever comes later
        self._waiting = b""  # places of the first samples, which are not part of the context
        self._size = 0  # bytes of their records
        self._newest = 0  # their newest second; `_NEVER` if one has no record
        self._context: Context | None = None

    def add(self, sample: Sample, packed: PackedSamples | None = None) -> bool:
        """Counts one match; returns whether its record may be needed.

        Args:
            packed: where the first samples wait until somebody asks for the context.
        """
        self.matches += 1
        value = sample.value
        if value is not None:
            self._count(value)
        seconds, record, context = sample.seconds, sample.record, self._context
        if context is None:
            if packed is not None and len(self._waiting) < _FULL and self._size <= MAX_RECORD_BYTES:
                self._wait(sample, packed)
                return record is not None
            # The records of those that wait are enough: of later events none is among the first.
            context = self._context = Context((self._newest + 1, "") if self._waiting else None)
        elif packed is not None and self._waiting and len(context.facts) >= MAX_CONTEXTS:
            # From now on it matters which combinations came first.
            [context] = contexts_of([self], packed)
            self._context, self._waiting = context, b""
        order = (seconds, sample.id)
        kept = record is not None and context.keeps(order)
        context.add(order, sample.time, sample.facts, record)
        return kept

    def _wait(self, sample: Sample, packed: PackedSamples) -> None:
        seconds, record = sample.seconds, sample.record
        self._waiting += packed.put((seconds, sample.id, sample.time, sample.facts, record))
        if record is None:
            self._newest = _NEVER
        else:
            self._size += len(record)
            self._newest = max(self._newest, seconds)

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

    def pack(self) -> PackedPeriod | None:
        """All that is known, as values that can be encoded; None when it is more than a few samples."""
        if self._context or self.misses or self.breached or self.total.__class__ is not int:
            return None
        numbers = (self.matches, self.samples, self.total, self.low, self.high)
        if abs(self.total) >= 2**63:
            return None
        values = sorted(self.values) if self.values else None
        return *numbers, values, self._waiting, self._size, self._newest  # type: ignore[return-value]

    @classmethod
    def unpack(cls, packed: PackedPeriod) -> Period:
        """The period that `pack` was called on."""
        period = cls()
        period.matches, period.samples, period.total, period.low, period.high = packed[:5]
        values, period._waiting, period._size, period._newest = packed[5:]
        period.values = set(values) if values else None
        return period

    def waiting(self) -> Iterator[Place]:
        """Where the samples are that are not part of the context, in the order in which they came."""
        return places(self._waiting)

    @property
    def context(self) -> Context | None:
        """Who did what from where, but for the events that wait; None when that are all."""
        return self._context

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


def contexts_of(periods: Sequence[Period], packed: PackedSamples) -> list[Context]:
    """Who did what from where in each of the periods."""
    found = [Context() for _ in periods]
    waiting = sorted((place, number) for number, period in enumerate(periods) for place in period.waiting())
    samples = packed.read(place for place, _ in waiting)
    for (_, number), (seconds, identity, time, facts, record) in zip(waiting, samples, strict=True):
        found[number].add((seconds, identity), time, facts, record)
    for context, period in zip(found, periods, strict=True):
        if period.context:
            context.merge(period.context)
    return found


def exact(value: int | float) -> Exact:
    """A number whose sums are exact."""
    if value.__class__ is int:
        return value
    return int(value) if float(value).is_integer() else Fraction(value)
