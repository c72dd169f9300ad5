"""Which matches count: those of a rule with an alarm only while the alarm was raised, and for whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from trailsieve.investigation.model import Call
from trailsieve.model import Alert, Window
from trailsieve.rules.rule import Rule

_ALWAYS = Window("", "~")
_Windows = Mapping[tuple[str, str], Sequence[Window]]


def counting(calls: Iterable[Call], rules: Mapping[str, Rule], alerts: Iterable[Alert]) -> list[Call]:
    """Returns the calls without the rules whose alarm was not raised for who called, when they called."""
    alarms = {rule.id for rule in rules.values() if rule.alarm}
    windows = _windows(alerts)
    return [_counting(call, alarms, windows) if alarms.intersection(call.rules) else call for call in calls]


def _windows(alerts: Iterable[Alert]) -> _Windows:
    """The windows of alarms by rule and principal: that of the alert, and the most frequent in it."""
    found: dict[tuple[str, str], list[Window]] = defaultdict(list)
    for alert in alerts:
        if alert.kind == "alarm" and alert.state == "ALARM":
            names = {alert.principal or ""}
            names |= {named.name for named in alert.context.principals.top} if alert.context else set()
            for name in names:
                found[alert.rule, name].append(alert.window or _ALWAYS)
    return found


def _counting(call: Call, alarms: set[str], windows: _Windows) -> Call:
    def counts(name: str) -> bool:
        return name not in alarms or any(
            call.first < window.end and call.last >= window.start
            for window in windows.get((name, call.actor.principal), ())
        )

    return replace(call, rules=tuple(filter(counts, call.rules)))
