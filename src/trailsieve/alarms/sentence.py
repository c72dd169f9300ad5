"""What an alert says in one sentence: who did what, how often, from where."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from trailsieve import arn
from trailsieve.alarms.context import Facts
from trailsieve.errors import counted, shorten, with_and
from trailsieve.model import AlarmState, AlertContext, Distinct, Named, Target
from trailsieve.rules.alarm import Alarm

_WIDTH = 80  # characters of one name
_NAMED = 3  # calls that are named
_TOUCHED = 3  # targets that are named
_DENIED = ("AccessDenied", "Unauthorized")  # parts of the codes of refused calls
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def of_match(facts: Facts, targets: Sequence[Target] = (), effect: str | None = None) -> str:
    """`user/mia called GetUser of iam.amazonaws.com on user bob from 192.0.2.7 in us-east-1: AccessDenied`.

    A call that succeeded ends with its effect, where that is known.
    """
    event_name, error_code = facts.event_name, facts.error_code
    parts = [_who(facts.principal), "called", _name(event_name) if event_name else "something"]
    if facts.event_source:
        parts += ("of", _name(facts.event_source))
    if targets:
        parts += ("on", _touched(targets))
    for word, value in (("from", facts.source_ip), ("in", facts.region)):
        if value:
            parts += (word, _name(value))
    outcome = error_code or effect
    return " ".join(parts) + (f": {_name(outcome)}" if outcome else "")


def _touched(targets: Sequence[Target]) -> str:
    """`user bob and policy AdministratorAccess`, or `instance i-1, instance i-2, instance i-3 and 7 more`."""
    names = [_target(target.kind, target.name) for target in targets[:_TOUCHED]]
    more = len(targets) - len(names) + sum(target.more for target in targets)
    return with_and([*names, f"{more:,} more"] if more else names)


@lru_cache(maxsize=4096)
def _target(kind: str, name: str) -> str:
    return _name(f"{kind} {arn.name_in(name)}")


def of_alarm(state: AlarmState, count: int, seconds: int, context: AlertContext) -> str:
    """`3 principals made 41 denied calls from 2 addresses in eu-west-1 in 5 minutes (A, B); 38 of them by …`.

    The counts of its error codes may add up to fewer than `count`: the other calls succeeded.
    """
    if not count:
        quiet = "no matching call" if state != "INSUFFICIENT_DATA" else "no data"
        return f"{_ending(state)}{quiet} in {duration(seconds)}"
    principals, source_ips, regions = context.principals, context.source_ips, context.regions
    who = _who(principals.top[0].name) if principals.distinct == 1 else _several(principals, "principal")
    parts = [who, "made", _calls(count, context.event_names, context.error_codes)]
    if source_ips.distinct:
        parts += ("from", _one_or_several(source_ips, "address", "addresses"))
    if regions.distinct:
        parts += ("in", _one_or_several(regions, "region"))
    parts += ("in", duration(seconds) + _several_calls(context.event_names))
    most = ""
    if principals.distinct > 1 and principals.top[0].count > 1:
        most = f"; {principals.top[0].count:,} of them by {_who(principals.top[0].name)}"
    return f"{_ending(state)}{' '.join(parts)}{most}"


def of_condition(alarm: Alarm) -> str:
    """When an alarm is in ALARM: `Sum >= 5 in 1 of 1 periods of 5 minutes, by $.userIdentity.arn`."""
    by = ", by " * bool(alarm.by) + ", ".join(reference.text for reference in alarm.by)
    if alarm.sequence:
        return f"{', then '.join(alarm.sequence)} within {duration(alarm.within or 0)}{by}"
    if alarm.absent_for:
        return f"no match for {duration(alarm.absent_for)}{by}"
    asked = f"{datapoint_name(alarm)} {alarm.comparison} {alarm.threshold}"
    periods = f"{alarm.datapoints_to_alarm} of {alarm.evaluation_periods} periods of {duration(alarm.period)}"
    return f"{asked} in {periods}{by}"


def datapoint_name(alarm: Alarm) -> str:
    """What a datapoint is: `Sum`, or `distinct $.sourceIPAddress`."""
    return f"distinct {alarm.count_distinct.text}" if alarm.count_distinct else alarm.statistic


@lru_cache(maxsize=1024)
def duration(seconds: int) -> str:
    """`5 minutes`, in the largest unit that fits."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size} {unit}{'s' if seconds != size else ''}"


def _resource(principal: str) -> str:
    """An ARN's resource: `user/mia` of `arn:aws:iam::111122223333:user/mia`."""
    return arn.parse(principal).resource or principal


def _ending(state: AlarmState) -> str:
    return {"ALARM": "", "OK": "OK again: ", "INSUFFICIENT_DATA": "insufficient data: "}[state]


def _calls(count: int, event_names: Distinct, error_codes: Distinct) -> str:
    errors: Sequence[Named] = error_codes.top
    failed = len(errors) == error_codes.distinct and sum(error.count for error in errors) == count
    denied = failed and all(any(part in error.name for part in _DENIED) for error in errors)
    kind = "denied " if denied else "failed " if failed else ""
    name = f"{_name(event_names.top[0].name)} " if event_names.distinct == 1 else ""
    return counted(count, f"{kind}{name}call")


def _several_calls(event_names: Distinct) -> str:
    """Which calls, when there are several: ` (ListKeys, ListUsers, ListRoles and 12 more)`."""
    if event_names.distinct <= 1:
        return ""
    names = [_name(named.name) for named in event_names.top[:_NAMED]]
    more = f" and {event_names.distinct - len(names):,} more" if event_names.distinct > len(names) else ""
    return f" ({', '.join(names)}{more})"


def _several(distinct: Distinct, word: str, plural: str = "") -> str:
    return counted(distinct.distinct, word, plural) if distinct.distinct else f"an unknown {word}"


def _one_or_several(distinct: Distinct, word: str, plural: str = "") -> str:
    return _name(distinct.top[0].name) if distinct.distinct == 1 else _several(distinct, word, plural)


@lru_cache(maxsize=4096)
def _who(principal: str | None) -> str:
    return _name(_resource(principal)) if principal else "somebody"


@lru_cache(maxsize=4096)
def _name(text: str) -> str:
    """Attackers choose names: no control characters, and not too long."""
    return shorten(text, _WIDTH)
