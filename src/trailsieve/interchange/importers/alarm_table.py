"""A CloudWatch alarm as the table `alarm` of a rule file, and what that table does not carry over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trailsieve import arn
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.alarms import Transformation
from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.importers.model import Unresolved
from trailsieve.interchange.text import whole
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.rules.rule_table import RuleTable

_NEEDED = (
    *("Threshold", "Period", "EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Statistic"),
    "TreatMissingData",
)
_TREATMENTS = (None, "missing", "notBreaching", "breaching", "ignore")
_READ = {
    *_NEEDED,
    *alarms.ACTIONS.values(),
    *("AlarmName", "AlarmDescription", "ActionsEnabled", "MetricName", "Namespace", "Dimensions", "Metrics"),
    *("Unit", "ExtendedStatistic", "ThresholdMetricId"),
    *("AlarmArn", "AlarmConfigurationUpdatedTimestamp", "StateValue", "StateReason", "StateReasonData"),
    *("StateUpdatedTimestamp", "StateTransitionedTimestamp", "EvaluationState"),
}
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def alarm_table(alarm: Json, pattern: FilterPattern | None) -> tuple[dict[str, Any], str]:
    """The table, or an empty one and the reason."""
    plain = alarms.plain(alarm)
    if plain is None:
        return {}, "it evaluates a metric math expression"
    late = [key for key in _NEEDED if isinstance(plain.get(key), Unresolved)]
    if late:
        return {}, f"{', '.join(late)} known only after deployment: {', '.join(plain[k] for k in late)}"
    if plain.get("TreatMissingData") not in _TREATMENTS:
        return {}, f"TreatMissingData = {plain['TreatMissingData']} is unknown"
    if not plain.get("Period"):
        return {}, "it has no period"
    try:
        condition = alarms.condition(plain)
    except (ValueError, TypeError):
        return {}, "one of its numbers cannot be read"
    if condition is None:
        how = plain.get("ExtendedStatistic") or plain.get("Statistic")
        return {}, f"rules do not support {how} {plain.get('ComparisonOperator')} {plain.get('Threshold')}"
    threshold = condition.threshold
    table: dict[str, Any] = {
        "threshold": whole(float(threshold)),
        "period": duration(condition.period),
        "statistic": condition.statistic,
        "comparison": condition.comparison,
        "evaluation_periods": condition.evaluation_periods,
        "datapoints_to_alarm": condition.datapoints_to_alarm,
        "missing": condition.missing,
        "notify": _notify(alarm),
    }
    problems: list[str] = []
    RuleTable(lambda _, text: problems.append(text), pattern=pattern).alarm(table)
    return (table, "") if not problems else ({}, "; ".join(problems))


def notes_of_alarm(alarm: Json, metric: Transformation) -> tuple[list[str], list[str]]:
    """Facts about an alarm for the reader of the rule, and what the rule does not carry over."""
    facts = [f"alarm {alarm.get('AlarmName')}"]
    losses = list(_losses(alarm, metric))
    for state, key in alarms.ACTIONS.items():
        for action in listed(alarm.get(key)):
            facts.append(f"notified on {state}: {action}")
            if not isinstance(action, Unresolved) and arn.parse(action).service not in ("sns", ""):
                losses.append(f"the action {action} is not carried over; sinks receive the alerts instead")
    return facts, losses


def _losses(alarm: Json, metric: Transformation) -> Iterator[str]:
    if not any(alarm.get(key) for key in alarms.ACTIONS.values()):
        yield "the alarm has no actions; the rule raises an alert when it enters ALARM"
    plain = alarms.plain(alarm) or alarm
    unit = str(plain.get("Unit") or metric.unit)
    if unit != metric.unit:
        yield f"the alarm reads datapoints in {unit}, but the filter counts in {metric.unit}: it never alarms"
    named = {str(item.get("Name")): item.get("Value") for item in plain.get("Dimensions") or []}
    if named and named.keys() == metric.dimensions:
        only = ", ".join(f"{name} = {value}" for name, value in named.items())
        yield f"the alarm watches {only} only; the rule has an alarm for each value"
    elif named.keys() != metric.dimensions:
        watched, counted = (
            ", ".join(sorted(names)) or "no dimension" for names in (named, metric.dimensions)
        )
        yield f"the alarm watches {watched}, but the filter counts by {counted}: it reads other datapoints"
    for key, value in alarm.items():
        if key not in _READ and value not in (None, "", [], {}, False):
            yield f"{key} = {value} of the alarm is not carried over"


def _notify(alarm: Json) -> list[str]:
    return [state for state, key in alarms.ACTIONS.items() if alarm.get(key)] or ["ALARM"]


def listed(value: Any) -> list[Any]:
    """The value as a list; a single value is a list of one."""
    return value if isinstance(value, list) else [value] if value else []


def duration(seconds: int) -> str:
    """A duration in seconds as a rule file writes it: "5m"."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"
