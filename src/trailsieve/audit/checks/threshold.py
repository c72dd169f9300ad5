"""Whether an alarm goes into ALARM when events match: threshold, statistic, missing data, M out of N."""

from __future__ import annotations

import math
from dataclasses import replace

from trailsieve.audit import remediation
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.cloudwatch import alarms
from trailsieve.errors import counted
from trailsieve.rules.alarm import Alarm

MOST = 100_000  # matching events a minute; no account has so many denied calls
_CONDITION = ("Metrics", "Statistic", "ExtendedStatistic", "ComparisonOperator")


def check_alarm_threshold(target: AuditTarget) -> Link:
    """Whether matches of the metric filter reach the threshold of the CloudWatch alarm."""
    alarm, metric, fix = alarms.plain(target.alarm), target.metric, remediation.put_alarm(target)
    assert metric
    condition = alarms.condition(alarm) if alarm else None
    if condition is None:
        message = f"{target.alarm.get('AlarmName')} has a condition that the audit does not judge"
        shown = tuple(f"{key}: {target.alarm[key]}" for key in _CONDITION if target.alarm.get(key))
        return Link("unknown", message, shown, remediation=fix)
    link = threshold(condition, metric.value, metric.default)
    return link if link.verdict == "pass" else replace(link, remediation=fix)


def check_rule_threshold(target: AuditTarget) -> Link:
    """Whether matches of the trailsieve rule reach the threshold of its alarm, if it has one."""
    rule = target.rule
    assert rule
    if rule.alarm is None:
        return Link("pass", "each match raises an alert")
    if "ALARM" not in rule.alarm.notify:
        return Link("fail", f"rule {rule.id} raises no alert when it goes into ALARM")
    value = rule.metric.value if isinstance(rule.metric.value, int | float) else None
    return threshold(rule.alarm, value, rule.metric.default)


def threshold(alarm: Alarm, value: float | None, default: float | None) -> Link:
    """Whether matching events reach the threshold of an alarm.

    Args:
        value: the metric value of a match; None if it is taken from the event.
        default: the metric value of any other event; None if it has none.
    """
    asked = f"{alarm.statistic} {alarm.comparison} {alarm.threshold:g} over {_span(alarm.period)}"
    wrong = _wrong(alarm, value, default)
    if wrong:
        return Link("fail", f"{asked} does not detect a match: {wrong}")
    if value is None and alarm.statistic != "SampleCount":
        return Link("unknown", f"{asked}: the metric value is taken from each event")
    return Link("pass", f"{asked} is reached {_when(alarm, value or 1)}", _remarks(alarm))


def _wrong(alarm: Alarm, value: float | None, default: float | None) -> str:
    """Why it never goes into ALARM, or is always in it; "" if neither is the case."""
    if alarm.comparison in ("<", "<="):
        return "it is met by few matches, not by many"
    if alarm.missing == "breaching" and default is None:
        return "missing data counts as breaching, so it is in ALARM before any match and stays there"
    if default is not None and _holds(alarm, default):
        return f"the default value {default:g} is enough, so it is always in ALARM"
    if default and default > 0 and alarm.statistic == "Sum":
        return f"the default value {default:g} of events that do not match adds up"
    if default is not None and alarm.statistic in ("SampleCount", "Average", "Minimum"):
        return f"{alarm.statistic} also counts the default value {default:g} of events that do not match"
    if value is None:
        return ""
    return _unreachable(alarm, value)


def _unreachable(alarm: Alarm, value: float) -> str:
    if alarm.statistic == "Sum" and value <= 0 and not _holds(alarm, 0):
        return f"the metric value of a match is {value:g}, so the sum never rises"
    if alarm.statistic in ("Average", "Minimum", "Maximum") and not _holds(alarm, value):
        return f"the metric value of a match is {value:g}, and {alarm.statistic} never exceeds that"
    if alarm.statistic in ("Sum", "SampleCount") and _needed(alarm, value) > MOST * max(1, alarm.period / 60):
        return f"it takes {counted(_needed(alarm, value), 'match', 'matches')} in one period"
    return ""


def _holds(alarm: Alarm, value: float) -> bool:
    return value >= alarm.threshold if alarm.comparison == ">=" else value > alarm.threshold


def _needed(alarm: Alarm, value: float) -> int:
    """The number of matches in one period that make a datapoint breach."""
    if alarm.statistic not in ("Sum", "SampleCount"):
        return 1
    step = 1 if alarm.statistic == "SampleCount" else value
    if step <= 0:
        return 1
    exact = alarm.threshold / step
    return max(1, math.ceil(exact) if alarm.comparison == ">=" else math.floor(exact) + 1)


def _when(alarm: Alarm, value: float) -> str:
    needed = _needed(alarm, value)
    events = "by the first match" if needed == 1 else f"by {needed} matches in one period"
    if alarm.datapoints_to_alarm == 1:
        return events
    return f"{events}, in {alarm.datapoints_to_alarm} of {alarm.evaluation_periods} periods"


def _span(seconds: int) -> str:
    size, unit = next(((s, u) for s, u in ((3600, "h"), (60, "m")) if seconds % s == 0), (1, "s"))
    return f"{seconds // size}{unit}"


def _remarks(alarm: Alarm) -> tuple[str, ...]:
    if alarm.missing == "ignore":
        return ("missing data is ignored: after the first match it stays in ALARM and does not notify again",)
    if alarm.missing == "breaching":
        return ("missing data counts as breaching: it also goes into ALARM when no events arrive at all",)
    return ()
