"""Metric filters and alarms as AWS describes them, and the metrics between them.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html and
docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.rules.alarm import Alarm, Comparison, Missing, Statistic

Key = tuple[str, str]  # namespace and name of a metric
COMPARISONS: dict[str, Comparison] = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
ACTIONS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
_STATISTICS: dict[str, Statistic] = {name: name for name in get_args(Statistic)}
_MISSING: dict[str, Missing] = {name: name for name in get_args(Missing)}
_OF_RULE = re.compile(r'(?:ALARM|OK|INSUFFICIENT_DATA)\(\s*"?([^"()]+)"?\s*\)')
_ANY_OF = re.compile(r'\s*ALARM\(\s*"?([^"()]+)"?\s*\)(?:\s+OR(?=\s)|\s*$)')


@dataclass(frozen=True, slots=True)
class Transformation:
    """A metric transformation of a metric filter.

    Attributes:
        key: the namespace and name of the metric.
        value: the metric value of a match; None if it is taken from the event.
        default: the metric value of any other event, or None.
        dimensions: their names; if there are any, each combination of values is a metric of its own.
    """

    key: Key
    value: float | None
    default: float | None
    dimensions: frozenset[str]
    unit: str


def metrics(metric_filter: Json) -> Iterator[Transformation]:
    """The metric transformations of a filter."""
    system = re.findall(r"@[\w.]+", str(metric_filter.get("emitSystemFieldDimensions") or ""))
    for given in metric_filter.get("metricTransformations") or []:
        yield Transformation(
            (str(given.get("metricNamespace", "")), str(given.get("metricName", ""))),
            number(given.get("metricValue")),
            number(given.get("defaultValue")),
            frozenset([*(given.get("dimensions") or {}), *system]),
            str(given.get("unit") or "None"),
        )


def number(text: object) -> float | None:
    """The number in a text; None for a field of the event, such as `$.size`."""
    try:
        return float(str(text))
    except ValueError:
        return None


def watched(alarm: Json) -> set[Key]:
    """The metrics that an alarm watches, directly or in a metric math expression."""
    found = [alarm, *(_metric_of(query) for query in alarm.get("Metrics") or [])]
    return {(str(one["Namespace"]), str(one["MetricName"])) for one in found if one.get("MetricName")}


def plain(alarm: Json) -> Json | None:
    """An alarm on one metric, with metric, statistic and period at the top level; None for metric math."""
    if alarm.get("MetricName"):
        return alarm
    queries = alarm.get("Metrics") or []
    if len(queries) != 1 or "MetricStat" not in queries[0]:
        return None
    stat = queries[0]["MetricStat"]
    own = {"Period": stat.get("Period"), "Statistic": stat.get("Stat"), "Unit": stat.get("Unit")}
    return {**alarm, **_metric_of(queries[0]), **own}


def _metric_of(query: Json) -> Json:
    metric: Json = (query.get("MetricStat") or {}).get("Metric") or {}
    return metric


def dimensions(alarm: Json) -> frozenset[str]:
    """The names of the dimensions of a plain alarm."""
    return frozenset(str(item.get("Name")) for item in alarm.get("Dimensions") or [])


def condition(alarm: Json) -> Alarm | None:
    """The condition of a plain alarm; None if rules have no such statistic or comparison."""
    statistic = _STATISTICS.get(str(alarm.get("Statistic")))
    comparison = COMPARISONS.get(str(alarm.get("ComparisonOperator")))
    threshold = number(alarm.get("Threshold"))
    if statistic is None or comparison is None or threshold is None:
        return None
    periods = int(alarm.get("EvaluationPeriods") or 1)
    return Alarm(
        threshold=threshold,
        period=int(alarm.get("Period") or 300),
        statistic=statistic,
        comparison=comparison,
        evaluation_periods=periods,
        datapoints_to_alarm=int(alarm.get("DatapointsToAlarm") or periods),
        missing=_MISSING.get(str(alarm.get("TreatMissingData")), "missing"),
    )


def actions(alarm: Json) -> list[str]:
    """The ARNs of what an alarm notifies or invokes when it goes into ALARM."""
    return [str(action) for action in alarm.get("AlarmActions") or []]


def any_of(rule: str) -> list[str]:
    """The names in a composite alarm's rule `ALARM("a") OR ALARM("b") …`; empty if it is any other rule."""
    names, place = [], 0
    while place < len(rule) and (found := _ANY_OF.match(rule, place)):
        names.append(_name(found[1]))
        place = found.end()
    return names if place == len(rule) else []


def mentioned(rule: str) -> list[str]:
    """The names of all alarms in a composite alarm's rule, whatever its operators."""
    return [_name(found) for found in _OF_RULE.findall(rule)]


def _name(text: str) -> str:
    return text.strip().partition(":alarm:")[2] or text.strip()
