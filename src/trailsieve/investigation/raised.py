"""Which matches count: those of a rule with an alarm only while the alarm was raised, and for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from trailsieve.investigation.model import Call
from trailsieve.model import Alert
from trailsieve.rules.rule import Rule


def counting(calls: Iterable[Call], rules: Mapping[str, Rule], alerts: Iterable[Alert]) -> list[Call]:
    """Returns the calls without the rules whose alarm was not raised for who called, when they called."""
    alarms = {rule.id for rule in rules.values() if rule.alarm}
    raised: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if alert.kind == "alarm" and alert.state == "ALARM":
            raised[alert.rule].append(alert)
    return [_counting(call, alarms, raised) if alarms.intersection(call.rules) else call for call in calls]


def _counting(call: Call, alarms: set[str], raised: Mapping[str, Sequence[Alert]]) -> Call:
    kept = (
        name
        for name in call.rules
        if name not in alarms or any(_is_about(alert, call) for alert in raised.get(name, ()))
    )
    return replace(call, rules=tuple(kept))


def _is_about(alert: Alert, call: Call) -> bool:
    """Whether an alarm's alert counts a call: by its principal, or among the most frequent, in its window."""
    names = {alert.principal} if alert.principal else set()
    if alert.context:
        names |= {named.name for named in alert.context.principals.top}
    if call.actor.principal not in names:
        return False
    return alert.window is None or (call.first < alert.window.end and call.last >= alert.window.start)
