"""From a change of an alarm's state to its alert: identity, window, context, one sentence."""

from __future__ import annotations

import hashlib
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import astuple

from trailsieve.alarms.context import MAX_RECORDS, Context, Facts
from trailsieve.alarms.datapoint import Dimensions
from trailsieve.alarms.sentence import datapoint_name, duration, of_alarm
from trailsieve.alarms.series import Change
from trailsieve.alarms.states import Exact
from trailsieve.model import Alert, AlertContext, Distinct, Moment, Named, Window
from trailsieve.rules.alarm import Alarm
from trailsieve.rules.rule import Rule
from trailsieve.times import rfc3339

_BIG = 2**63  # whole numbers beyond it are no integers to most readers of JSON
_NONE = Distinct(0, ())
TOP = 10  # names of each kind in an alert's context


def alarm_id(rule: Rule, dimensions: Dimensions, change: Change) -> str:
    """The id of the change's alert: a hash of rule, dimensions, window and state."""
    # Not orjson: ids stay the same only if these bytes do, blanks after commas included.
    known = json.dumps([rule.id, dimensions, change.start, change.end, change.state])
    return hashlib.sha256(b"alarm\0" + known.encode()).hexdigest()[:32]


def alert_of_change(
    rule: Rule, dimensions: Dimensions, change: Change, identity: str, contexts: Sequence[Context]
) -> Alert:
    """The alert; the same events give the same one, in whatever order and epochs they came.

    Args:
        identity: its id (see `alarm_id`).
        contexts: those of the change's periods.
    """
    assert rule.alarm is not None
    window = Window(rfc3339(change.start), rfc3339(change.end))
    principals, addresses, names, errors, accounts, regions, sources, agents = _columns(_facts(contexts))
    count = sum(period.matches for period in change.periods)
    records = sorted(record for context in contexts for record in context.records)[:MAX_RECORDS]
    context = AlertContext(
        reason=_reason(rule.alarm, change),
        value=_shown(change.value),
        suppressed=change.suppressed,
        first=_moment(min((known.first for known in contexts if known.first), default=())),
        last=_moment(max((known.last for known in contexts if known.last), default=())),
        principals=principals,
        source_ips=addresses,
        event_names=names,
        error_codes=errors,
        accounts=accounts,
        regions=regions,
    )
    seconds = max(1, change.end - change.start)
    return Alert(
        id=identity,
        rule=rule.id,
        title=rule.title,
        severity=rule.severity if change.state == "ALARM" else "informational",
        kind="alarm",
        state=change.state,
        time=context.last.time if context.last else window.end,
        account=_agreed(accounts, count),
        region=_agreed(regions, count),
        count=count,
        principal=_agreed(principals, count),
        source_ip=_agreed(addresses, count),
        user_agent=_agreed(agents, count),
        event_name=_agreed(names, count),
        event_source=_agreed(sources, count),
        error_code=_agreed(errors, count),
        dimensions=dict(dimensions),
        window=window,
        summary=of_alarm(change.state, count, seconds, context) + _distinct_values(rule.alarm, change),
        context=context,
        tags=rule.tags,
        references=rule.references,
        records=tuple(text for _, _, text in records),
        position=f"{window.start}/{window.end}",
    )


def _facts(contexts: Sequence[Context]) -> dict[Facts, int]:
    """The facts of all events, each with the count of its events."""
    if len(contexts) == 1:
        return contexts[0].facts
    facts: Counter[Facts] = Counter()
    for context in contexts:
        facts.update(context.facts)
    return facts


def _columns(facts: Mapping[Facts, int]) -> list[Distinct]:
    """The different values of each field, in the order of the fields."""
    if not facts:
        return [_NONE] * len(Facts.__struct_fields__)
    counts = tuple(facts.values())
    return [_distinct(column, counts) for column in zip(*map(astuple, facts), strict=True)]


def _distinct(names: Sequence[str | None], counts: Sequence[int]) -> Distinct:
    """The different names, each with the count of its events."""
    if names.count(names[0]) == len(names):  # as with nearly every field
        return _NONE if names[0] is None else Distinct(1, (Named(names[0], sum(counts)),))
    found: dict[str, int] = {}
    for name, count in zip(names, counts, strict=True):
        if name is not None:
            found[name] = found.get(name, 0) + count
    top = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return Distinct(len(found), tuple(Named(name, count) for name, count in top))


def _agreed(distinct: Distinct, count: int) -> str | None:
    """The value that all events have."""
    return distinct.top[0].name if distinct.distinct == 1 and distinct.top[0].count == count else None


def _moment(found: Iterable[object]) -> Moment | None:
    values = list(found)
    return Moment(*values[2:]) if values else None  # type: ignore[arg-type]


def _reason(alarm: Alarm, change: Change) -> str:
    if alarm.sequence:
        steps = ", ".join(f"{rule} at {rfc3339(seconds)}" for rule, seconds in change.steps)
        return f"{steps}: {len(change.steps)} rules in order within {duration(alarm.within or 0)}"
    if alarm.absent_for:
        found = "no match" if change.state == "ALARM" else "a match"
        return f"{found} in a whole period of {duration(alarm.period)}"
    name = datapoint_name(alarm)
    asked = f"{name} {alarm.comparison} {alarm.threshold}"
    last = _shown(change.value)
    value = "no datapoint" if last is None else f"{name} {last}"
    periods = f"{change.breaching} of {alarm.evaluation_periods} periods of {duration(alarm.period)}"
    return f"{value} in the last period; {periods} had {asked}, {alarm.datapoints_to_alarm} needed"


def _distinct_values(alarm: Alarm, change: Change) -> str:
    """The number that a distinct count came to, as the end of the sentence."""
    if alarm.count_distinct is None or change.value is None or change.state != "ALARM":
        return ""
    return f"; {change.value:,} different {alarm.count_distinct.text.removeprefix('$.')}"


def _shown(value: Exact | None) -> int | float | None:
    if value is None or (isinstance(value, int) and abs(value) < _BIG):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.copysign(sys.float_info.max, value)
