"""What a match adds to the metric of its rule: a value, dimensions, a time (rules 60 to 63)."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from trailsieve import jsontext
from trailsieve.alarms.context import Facts
from trailsieve.alarms.datapoint import Dimensions, Sample
from trailsieve.alarms.sequence import part_of
from trailsieve.model import Match, Record
from trailsieve.pattern.runtime import follow, number_in
from trailsieve.rules.alarm import Alarm, Metric, Reference
from trailsieve.rules.rule import Rule
from trailsieve.times import seconds_of
from trailsieve.trail.event import Event, value_of

_LONG = 1024  # characters of a dimension's value, as in CloudWatch; longer ones are cut and hashed
EARLIEST = 1_136_073_600  # 2006-01-01T00:00:00Z: no AWS service is older
_places: dict[str, tuple[str, tuple[str | int, ...]]] = {}
_FIELDS = {field.encode_name: field.name for field in msgspec.structs.fields(Event)}


def sample_of(
    rule: Rule, match: Match, identity: str, time: str | None, seconds: int, facts: Facts
) -> Sample:
    """The sample that a match is for the alarm of a rule: its own, or one with a sequence that names it.

    Args:
        identity: that of the alert that the event would raise alone.
    """
    alarm = rule.alarm
    assert alarm is not None
    value: int | float | str | None
    if alarm.sequence:
        value, identity = match.rule.id, identity + part_of(alarm.sequence, match.rule.id)
    elif alarm.count_distinct:
        value = _text(_look_up(alarm.count_distinct, match))
    else:
        value = _value(rule.metric, match)
    return Sample(
        rule=rule.id,
        id=identity,
        time=time,
        seconds=seconds,
        value=value,
        dimensions=_dimensions(rule.metric, alarm, match),
        facts=facts,
        record=match.record.text,
    )


def _value(metric: Metric, match: Match) -> int | float | None:
    """Rule 60: an absent or null field gives the default, text that is not a number gives none."""
    if not isinstance(metric.value, Reference):
        return metric.value
    found = _look_up(metric.value, match)
    return metric.default if found is None else _number(found)


def _number(value: Any) -> int | float | None:
    if value.__class__ is str:
        value = number_in(value)
    if value.__class__ is int and abs(value) < 2**63:
        return int(value)
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None  # rule 38


def _dimensions(metric: Metric, alarm: Alarm, match: Match) -> Dimensions:
    """Rule 62: when a dimension of the metric is absent, CloudWatch leaves out all of them."""
    if len(alarm.by) == 1 and not metric.dimensions:  # nearly all alarms that have any
        return _dimension(alarm.by[0].text, _text(_look_up(alarm.by[0], match)))
    named = [(name, _text(_look_up(reference, match))) for name, reference in metric.dimensions]
    if metric.cloudwatch_exact and any(text is None for _, text in named):
        named = []
    named += [(reference.text, _text(_look_up(reference, match))) for reference in alarm.by]
    return tuple((name, text) for name, text in named if text is not None)


@lru_cache(maxsize=2**16)
def _dimension(name: str, text: str | None) -> Dimensions:
    """The same object for equal ones: they are kept for as long as their period is."""
    return () if text is None else ((name, text),)


def _look_up(reference: Reference, match: Match) -> Any:
    """The value in the event; None when it is absent or null."""
    record: Record = match.record
    if reference.selector is None:
        return match.rule.pattern.extract(record.text).get(reference.text)
    field, rest = _places.get(reference.text) or _place(reference)
    if field:
        value = value_of(getattr(record.event, field))
        if rest:
            value = follow(value, rest)
    else:
        value = follow(jsontext.decode_object(record.text), rest)
    return None if value is msgspec.UNSET else value


def _place(reference: Reference) -> tuple[str, tuple[str | int, ...]]:
    """The field of `Event` in which a selector begins and the steps from there, or "" and all its steps."""
    assert reference.selector
    first, *rest = steps = reference.selector.steps
    place = (_FIELDS[first], tuple(rest)) if first in _FIELDS else ("", steps)
    _places[reference.text] = place  # type: ignore[assignment]
    return place  # type: ignore[return-value]


def _text(value: Any) -> str | None:
    """A dimension's value; None for what cannot be one."""
    if value.__class__ is str and len(value) <= _LONG and value.isascii():
        return value or None
    if value.__class__ is not str:
        if value is None or isinstance(value, dict | list):
            return None
        value = jsontext.encode(value)
    value = jsontext.encodable(value)
    if len(value) > _LONG:
        value = f"{value[: _LONG - 20]}…{hashlib.sha256(value.encode()).hexdigest()[:16]}"
    return value or None


def event_seconds(time: str | None) -> int | None:
    """The seconds since 1970 of an event's time; None when it is not a time that an AWS call can have."""
    seconds = seconds_of(time)
    return None if seconds is None or seconds < EARLIEST else seconds


def counts_misses(rule: Rule) -> bool:
    """Whether it matters to a rule's alarm how many events do not match, and not only if there are any."""
    metric, alarm = rule.metric, rule.alarm
    if alarm is None or metric.default is None or not metric.cloudwatch_exact:
        return False
    return alarm.counted in ("SampleCount", "Average") or (alarm.counted == "Sum" and metric.default != 0)


class Tally:
    """The times of a message's records: the newest, and those that no match of a rule accounts for."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._times: Counter[str] = Counter()
        self._ids: list[tuple[str, bytes]] = []
        self._hits: dict[str, Counter[str]] = {rule.id: Counter() for rule in rules}
        self._hit_ids: dict[str, set[bytes]] = {rule.id: set() for rule in rules if counts_misses(rule)}

    def saw(self, times: Sequence[Any], ids: Sequence[bytes]) -> None:
        """Notes the times of records, as they are written, and their ids if any rule counts misses."""
        self._times.update([time for time in times if time.__class__ is str])
        if ids:
            pairs = zip(times, ids, strict=True)
            self._ids += [(time, identity) for time, identity in pairs if time.__class__ is str]

    def needs_id(self, rule: str) -> bool:
        """Whether `hit` needs the id of the event."""
        return rule in self._hit_ids

    def hit(self, rule: str, time: str | None, identity: bytes = b"") -> None:
        """Notes a match."""
        if time and rule in self._hits:
            self._hits[rule][time] += 1
        if identity:
            self._hit_ids[rule].add(identity)

    @property
    def span(self) -> tuple[int, int] | None:
        """The oldest and the newest event time in seconds; None without any."""
        times = list(_known(self._times))
        return (min(times), max(times)) if times else None

    def misses(self, rule: str, period: int) -> dict[int, bytes]:
        """The ids of records that did not match by start of the period, empty where their number is equal."""
        if rule not in self._hit_ids:
            times = self._times - self._hits[rule]
            return dict.fromkeys((seconds - seconds % period for seconds in _known(times)), b"")
        found: dict[int, list[bytes]] = {}
        hits = self._hit_ids[rule]
        for time, identity in self._ids:
            seconds = event_seconds(time)
            if seconds is not None and identity not in hits:
                found.setdefault(seconds - seconds % period, []).append(identity)
        return {start: b"".join(ids) for start, ids in found.items()}


def _known(times: Iterable[str]) -> Iterator[int]:
    return (seconds for text in times if (seconds := event_seconds(text)) is not None)
