"""Whether an alarm watches the metric of the filter: the same namespace, name, dimensions and unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trailsieve.audit import remediation
from trailsieve.audit.checks.trails import no_response
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.alarms import Transformation


def watching_alarms(target: AuditTarget) -> Iterator[AuditTarget]:
    """A target for each alarm on a metric that the filter emits."""
    found = target.of_log_group("describe-alarms").items("MetricAlarms")
    for metric in _metrics(target):
        for alarm in found:
            if metric.key in alarms.watched(alarm):
                yield replace(target, metric=metric, alarm=alarm)


def no_alarm(target: AuditTarget) -> Link:
    """The link without an alarm; it names one on the same metric name in another namespace."""
    response = target.of_log_group("describe-alarms")
    if not response.ok:
        return no_response("describe-alarms", response)
    metric = _metrics(target)[0]
    message = f"no alarm watches {'/'.join(metric.key)}"
    found = response.items("MetricAlarms")
    near = next((alarm for alarm in found if alarm.get("MetricName") == metric.key[1]), {})
    if near:
        message += f"; {near.get('AlarmName')} watches that metric name in namespace {near.get('Namespace')}"
    fix = remediation.put_alarm(replace(target, metric=metric), near)
    return Link("fail", message, remediation=fix)


def check_alarm(target: AuditTarget) -> Link:
    """Whether an alarm on the metric's name also sees its datapoints."""
    metric, name, fix = target.metric, target.alarm.get("AlarmName"), remediation.put_alarm(target)
    assert metric
    alarm, key = alarms.plain(target.alarm), "/".join(metric.key)
    if alarm is None:
        return Link("unknown", f"{name} watches a metric math expression", remediation=fix)
    dimensions = alarms.dimensions(alarm)
    if dimensions != metric.dimensions:
        there = f"but the filter emits it with {_listed(metric.dimensions)}"
        message = f"{name} watches {key} with {_listed(dimensions)}, {there}"
        return Link("fail", message, remediation=fix)
    unit = str(alarm.get("Unit") or metric.unit)
    if unit != metric.unit:
        message = f"{name} only sees datapoints of {key} in {unit}, but the filter emits {metric.unit}"
        return Link("fail", message, remediation=fix)
    if dimensions:
        message = f"{name} watches {key} for one value of {', '.join(sorted(dimensions))} only"
        return Link("unknown", message, remediation=fix)
    return Link("pass", f"{name} watches {key}", (f"state: {alarm.get('StateValue')}",))


def _metrics(target: AuditTarget) -> list[Transformation]:
    assert target.metric_filter
    return list(alarms.metrics(target.metric_filter.json))


def _listed(dimensions: frozenset[str]) -> str:
    if not dimensions:
        return "no dimensions"
    return f"dimension{'s' if len(dimensions) > 1 else ''} {', '.join(sorted(dimensions))}"
