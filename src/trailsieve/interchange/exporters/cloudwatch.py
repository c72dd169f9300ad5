"""Rules as CloudWatch metric filters and alarms, with the parameter names of AWS's API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trailsieve.cloudwatch.alarms import ACTIONS, COMPARISONS
from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.model import NO_SEQUENCE, Export, ExportTarget, Placeholder
from trailsieve.interchange.text import unique_name
from trailsieve.rules.alarm import Alarm, Reference
from trailsieve.rules.rule import Rule

MAX_DESCRIPTION = 1024  # characters of AlarmDescription in PutMetricAlarm
EACH_MATCH = Alarm(threshold=1, period=60, missing="notBreaching")  # closest to one alert for each match
_COMPARISONS = {sign: name for name, sign in COMPARISONS.items()}


@dataclass(frozen=True, slots=True)
class Pair:
    """The metric filter and alarm of one rule."""

    rule: Rule
    filter: Json
    alarm: Json
    losses: list[str]


def pairs(rules: Sequence[Rule], target: ExportTarget) -> tuple[list[Pair], Export]:
    """The metric filter and alarm of each rule, under a name of its own, and an export without text."""
    taken: set[str] = set()
    found = []
    for rule in rules:
        if rule.sequence:
            continue
        name = unique_name(re.sub(r"[:*\x00-\x1f\x7f]", "-", rule.id)[:200], taken)
        taken.add(name)
        metric_filter, alarm = _filter(rule, name, target), _alarm(rule, name, target)
        found.append(Pair(rule, metric_filter, alarm, [*_losses_of_alarm(rule), *_losses_of_rule(rule)]))
    unsupported = {rule.id: NO_SEQUENCE for rule in rules if rule.sequence}
    return found, Export("", {pair.rule.id: pair.losses for pair in found}, unsupported)


def _filter(rule: Rule, name: str, target: ExportTarget) -> Json:
    metric = rule.metric
    transformation: Json = {
        "metricName": name,
        "metricNamespace": target.namespace,
        "metricValue": metric.value.text if isinstance(metric.value, Reference) else str(metric.value),
    }
    if metric.default is not None:
        transformation["defaultValue"] = _number(metric.default)
    if metric.dimensions:
        transformation["dimensions"] = {key: reference.text for key, reference in metric.dimensions}
    return {
        "logGroupName": target.log_group,
        "filterName": name,
        "filterPattern": rule.pattern.text,
        "metricTransformations": [transformation],
    }


def _alarm(rule: Rule, name: str, target: ExportTarget) -> Json:
    alarm = rule.alarm or EACH_MATCH
    described: Json = {
        "AlarmName": name,
        "AlarmDescription": (rule.description or rule.title)[:MAX_DESCRIPTION],
        "ActionsEnabled": rule.enabled,
        "Namespace": target.namespace,
        "MetricName": name,
        "Statistic": alarm.statistic,
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "Threshold": _number(alarm.threshold),
        "ComparisonOperator": _COMPARISONS[alarm.comparison],
        "TreatMissingData": alarm.missing,
    }
    if rule.metric.dimensions:
        described["Dimensions"] = [
            {"Name": key, "Value": Placeholder("Dimension" + re.sub(r"[^A-Za-z0-9]", "", key))}
            for key, _ in rule.metric.dimensions
        ]
    return described | {ACTIONS[state]: [target.topic] for state in alarm.notify}


def _number(value: int | float) -> int | float:
    """The number, as a double if it has more than 64 bits."""
    return value if abs(value) < 2**63 else float(value)


def _losses_of_alarm(rule: Rule) -> Iterator[str]:
    alarm = rule.alarm
    if alarm is None:
        yield "each match raises an alert; CloudWatch raises an alarm for each run of minutes with matches"
        return
    if alarm.count_distinct:
        field = alarm.count_distinct.text
        yield f"count_distinct: CloudWatch counts the matches, not the different values of {field}"
    if alarm.absent_for:
        yield "absent_for: CloudWatch is in ALARM from the creation of the alarm until the first match"
    if alarm.by:
        by = ", ".join(reference.text for reference in alarm.by)
        yield f"each {by} has its own alarm; CloudWatch counts all of them in one alarm"
    if alarm.suppress:
        yield "suppress: CloudWatch notifies of every state change"
    if rule.metric.dimensions:
        yield "each value of the dimensions has its own alarm; CloudWatch watches the one value that you give"


def _losses_of_rule(rule: Rule) -> Iterator[str]:
    if rule.exceptions:
        yield "exceptions: CloudWatch counts the events that they exclude"
    if not rule.metric.cloudwatch_exact:
        yield "cloudwatch_exact = false: CloudWatch counts its own way (rules 61 and 62)"
    if len(rule.description) > MAX_DESCRIPTION:
        yield f"the description is cut to the {MAX_DESCRIPTION} characters that an alarm takes"
    kept = [name for name in ("tags", "references") if getattr(rule, name)]
    yield f"severity {rule.severity}{''.join(f', {name}' for name in kept)}: CloudWatch has no such field"
