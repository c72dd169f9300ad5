"""Whether a metric filter of the trail's log group matches what the control requires."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial

from trailsieve.audit import coverage, remediation
from trailsieve.audit.checks.trails import no_response
from trailsieve.audit.coverage import Control, Kind
from trailsieve.audit.model import Link, Verdict
from trailsieve.audit.target import AuditTarget, MetricFilter
from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.snapshot import Json
from trailsieve.errors import PatternError
from trailsieve.pattern.compiler import FilterPattern, compile

_compiled = lru_cache(4096)(partial(compile, limits=False))  # each control looks at each filter


def metric_filters(target: AuditTarget) -> Iterator[AuditTarget | tuple[AuditTarget, ...]]:
    """A target for each filter that seems meant for the control, and those that only together cover it."""
    found = _meant(target.control, _of_log_group(target))
    for one in found:
        yield replace(target, metric_filter=one)
    control = target.control
    parts = [one for one in found if one.pattern and coverage.relate(control, one.pattern).kind == "misses"]
    whole = coverage.joined(one.pattern for one in parts if one.pattern) if len(parts) > 1 else None
    if whole and coverage.relate(control, whole).covers:
        names = tuple(one.name for one in parts)
        yield tuple(replace(target, metric_filter=one, combined=names) for one in parts)


def no_filter(target: AuditTarget) -> Link:
    """The link if no filter of the log group seems meant for the control."""
    group, owner = target.log_group_name, target.log_group.account
    if not target.snapshot.has(owner):
        message = f"log group {group} is in account {owner}, which was not audited: audit that account too"
        return Link("unknown", message)
    response = target.of_log_group("describe-metric-filters")
    if not response.ok:
        return no_response("describe-metric-filters", response)
    fix = remediation.put_filter(target)
    for other in _meant(target.control, _of_log_group(target, elsewhere=True)):
        if other.pattern:
            there = other.json.get("logGroupName")
            message = f"metric filter {other.name} is on {there}, but the trail delivers to {group}"
            return Link("fail", message, remediation=fix)
    checked = len(_of_log_group(target))
    message = f"no metric filter on {group} is for this control ({checked} checked)"
    return Link("fail", message, remediation=fix)


def check_filter(target: AuditTarget) -> Link:
    """Whether the filter emits a metric and sees every event of the log group."""
    found = target.metric_filter
    assert found
    emitted = tuple(f"emits {'/'.join(metric.key)}" for metric in alarms.metrics(found.json))
    evidence = (f"filterPattern: {found.json.get('filterPattern', '')}", *emitted)
    fix = remediation.put_filter(target)
    if not emitted:
        return Link("fail", f"{found.name} emits no metric", evidence, remediation=fix)
    if criteria := found.json.get("fieldSelectionCriteria"):
        message = f"{found.name} has field selection criteria: it only sees events with {criteria}"
        return Link("unknown", message, evidence, remediation=fix)
    if found.json.get("applyOnTransformedLogs"):
        message = f"{found.name} sees events as the log group's transformer rewrites them"
        return Link("unknown", message, evidence, remediation=fix)
    return Link("pass", f"{found.name} on {target.log_group_name}", evidence)


def check_pattern(target: AuditTarget) -> Link:
    """Whether the filter's pattern matches everything the control requires."""
    found = target.metric_filter
    assert found
    if target.combined:
        names = " and ".join(target.combined)
        return Link("pass", f"{names} together match everything the control requires (proved)")
    fix = remediation.put_filter(target)
    if found.pattern is None:
        message = f"the pattern of {found.name} is invalid: {found.problem}"
        return Link("unknown", message, remediation=fix)
    link = judge(found.name, target.control, found.pattern)
    return link if link.verdict == "pass" else replace(link, remediation=fix)


def judge(name: str, control: Control, pattern: FilterPattern) -> Link:
    """Whether a pattern matches everything a control requires."""
    found = coverage.relate(control, pattern)
    reading = found.reading
    wanted, unwanted = (
        f"{sum(map(pattern.matches, events))} of {len(events)}" for events in (reading.match, reading.ignore)
    )
    tried = f"matches {wanted} events that it must match, and {unwanted} that it must not match"
    evidence = (pattern.text, tried, f"compared with {reading.name}")
    verdict, message = _JUDGED[found.kind]
    return Link(verdict, message.format(name=name, reason=found.reason), evidence, found.witness)


_JUDGED: dict[Kind, tuple[Verdict, str]] = {
    "equivalent": ("pass", "{name} matches the same events as the control (proved)"),
    "broader": ("pass", "{name} matches everything the control requires (proved), and more"),
    "narrower": ("unknown", "{name} leaves out some events that the control requires: is that intended?"),
    "misses": ("fail", "{name} misses events that it must match"),
    "never": ("fail", "{name} can never match any event"),
    "everything": ("fail", "{name} matches nearly every event, so its alarm says nothing"),
    "unknown": ("unknown", "no proof that {name} matches everything the control requires: {reason}"),
}


def _of_log_group(target: AuditTarget, *, elsewhere: bool = False) -> list[Json]:
    """The metric filters of the trail's log group, or of all other log groups in its region."""
    items = target.of_log_group("describe-metric-filters").items("metricFilters")
    return [item for item in items if (item.get("logGroupName") != target.log_group_name) is elsewhere]


def _meant(control: Control, items: list[Json]) -> list[MetricFilter]:
    """The filters that seem meant for a control; if there are none, those that match nearly everything."""
    found = [_read(item) for item in items]
    meant = [one for one in found if one.pattern is None or coverage.concerns(control, one.pattern)]
    return meant or [one for one in found if one.pattern and coverage.drowns(one.pattern)]


def _read(item: Json) -> MetricFilter:
    try:
        return MetricFilter(item, _compiled(str(item.get("filterPattern", ""))))
    except PatternError as error:
        return MetricFilter(item, None, f"{error.message}, column {error.column}")
