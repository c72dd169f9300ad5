"""A rule as the metric filter and alarm that it would be in CloudWatch, in the shape of AWS's API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trailsieve.cloudwatch.alarms import COMPARISONS
from trailsieve.cloudwatch.snapshot import Json
from trailsieve.pattern.nodes import JsonPattern, String, terms_of
from trailsieve.rules.alarm import Alarm, Reference
from trailsieve.rules.rule import Rule

ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
MAX_DESCRIPTION = 1024  # characters that PutMetricAlarm takes
EACH_MATCH = Alarm(threshold=1, period=60, missing="notBreaching")  # nearest to "one alert a match"
_COMPARISONS = {sign: name for name, sign in COMPARISONS.items()}


class Placeholder(str):
    """A name for what whoever deploys knows: log group, topic, the value of a dimension."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rules go.

    Attributes:
        topic: the ARN of what the alarms tell.
    """

    log_group: str = Placeholder("LogGroup")
    topic: str = Placeholder("Topic")
    namespace: str = "trailsieve"


@dataclass(slots=True)
class Export:
    """What a format made of rules.

    Attributes:
        losses: by rule id, what the other side does not do.
        left: by rule id, why there is nothing of it.
    """

    text: str
    losses: dict[str, list[str]] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pair:
    """The metric filter and alarm of one rule."""

    rule: Rule
    filter: Json
    alarm: Json
    losses: list[str]


def pairs(rules: Sequence[Rule], place: Place) -> list[Pair]:
    """All rules, each under a name of its own."""
    taken: Counter[str] = Counter()
    found = []
    for rule in rules:
        name = re.sub(r"[:*\x00-\x1f\x7f]", "-", rule.id)[:200]
        taken[name] += 1
        name += f"-{taken[name]}" if taken[name] > 1 else ""
        alarm = rule.alarm or EACH_MATCH
        found.append(Pair(rule, _filter(rule, name, place), _alarm(rule, alarm, name, place), _losses(rule)))
    return found


def _filter(rule: Rule, name: str, place: Place) -> Json:
    metric = rule.metric
    transformation: Json = {
        "metricName": name,
        "metricNamespace": place.namespace,
        "metricValue": metric.value.text if isinstance(metric.value, Reference) else str(metric.value),
    }
    if metric.default is not None:
        transformation["defaultValue"] = metric.default
    if metric.dimensions:
        transformation["dimensions"] = {key: reference.text for key, reference in metric.dimensions}
    return {
        "logGroupName": place.log_group,
        "filterName": name,
        "filterPattern": rule.pattern.text,
        "metricTransformations": [transformation],
    }


def _alarm(rule: Rule, alarm: Alarm, name: str, place: Place) -> Json:
    described: Json = {
        "AlarmName": name,
        "AlarmDescription": (rule.description or rule.title)[:MAX_DESCRIPTION],
        "ActionsEnabled": rule.enabled,
        "Namespace": place.namespace,
        "MetricName": name,
        "Statistic": alarm.statistic,
        "Period": alarm.period,
        "EvaluationPeriods": alarm.evaluation_periods,
        "DatapointsToAlarm": alarm.datapoints_to_alarm,
        "Threshold": alarm.threshold,
        "ComparisonOperator": _COMPARISONS[alarm.comparison],
        "TreatMissingData": alarm.missing,
    }
    if rule.metric.dimensions:
        described["Dimensions"] = [
            {"Name": key, "Value": Placeholder("Dimension" + re.sub(r"[^A-Za-z0-9]", "", key))}
            for key, _ in rule.metric.dimensions
        ]
    return described | {ACTIONS[state]: [place.topic] for state in alarm.notify}


def wildcard_loss(tree: JsonPattern) -> list[str]:
    """What services with ordinary wildcards do otherwise: they also find text that occurs twice (rule 40)."""
    values = [getattr(term, "value", None) for term in terms_of(tree.expression)]
    parts = [value.parts for value in values if isinstance(value, String)]
    odd = any(len(pieces) > 1 and pieces[-1] for pieces in parts)
    return ["`*y` takes `yy` there; CloudWatch looks for y at its first place only (rule 40)"] * odd


def _losses(rule: Rule) -> list[str]:
    return [*_of_alarm(rule), *_of_rule(rule)]


def _of_alarm(rule: Rule) -> Iterator[str]:
    alarm = rule.alarm
    if alarm is None:
        yield "each match raises an alert; in CloudWatch an alarm for each run of minutes with matches"
        return
    if alarm.by:
        by = ", ".join(reference.text for reference in alarm.by)
        yield f"an alarm for each {by}: in CloudWatch one alarm counts all of them together"
    if alarm.suppress:
        yield "suppress: CloudWatch tells of every change"
    if rule.metric.dimensions:
        yield "an alarm for each value of the dimensions: in CloudWatch for the one value that is given"


def _of_rule(rule: Rule) -> Iterator[str]:
    if rule.exceptions:
        yield f"{len(rule.exceptions)} exceptions: CloudWatch counts what they hide"
    if not rule.metric.cloudwatch_exact:
        yield "cloudwatch_exact = false: CloudWatch does it its own way (rules 61 and 62)"
    if len(rule.description) > MAX_DESCRIPTION:
        yield f"the description: cut to the {MAX_DESCRIPTION} characters that an alarm takes"
    kept = [name for name in ("tags", "references") if getattr(rule, name)]
    yield f"severity {rule.severity}{''.join(f', {name}' for name in kept)}: CloudWatch has none"
