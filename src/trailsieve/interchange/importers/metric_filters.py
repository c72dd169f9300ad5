"""Metric filters and alarms as rule drafts: one draft for each filter and alarm that share a metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from trailsieve.cloudwatch import alarms
from trailsieve.cloudwatch.alarms import Key, Transformation
from trailsieve.cloudwatch.snapshot import Json
from trailsieve.errors import PatternError
from trailsieve.interchange.importers.alarm_table import alarm_table, notes_of_alarm
from trailsieve.interchange.importers.model import ImportResult, Item, Unresolved
from trailsieve.interchange.importers.rule_draft import RuleDraft, number_duplicates, without_surrogates
from trailsieve.interchange.text import whole
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.rules.rule_table import RuleTable

_READ = {"filterName", "filterPattern", "metricTransformations", "logGroupName", "creationTime"}
_OF_METRIC = {"metricName", "metricNamespace", "metricValue", "defaultValue", "dimensions", "unit"}
_MEANS = {
    "applyOnTransformedLogs": "the filter read transformed events; the rule reads the original ones",
    "fieldSelectionCriteria": "the filter took only log events of these accounts or regions",
    "emitSystemFieldDimensions": "the metric had these dimensions; in a rule, use `alarm.by`",
}


def rule_drafts(result: ImportResult) -> list[RuleDraft]:
    """The drafts in the order of their filters; `result.unsupported` gains the alarms without a filter."""
    made = [draft for item in result.filters for draft in _of_filter(item, result)]
    result.unsupported += _lonely(result)
    number_duplicates(made)
    return made


def _of_filter(item: Item, result: ImportResult) -> Iterator[RuleDraft]:
    content = item.content
    name = str(content.get("filterName") or "unnamed filter")
    draft = RuleDraft(name, "", item.origin, title=name)
    pattern = _read_pattern(draft, content.get("filterPattern"))
    draft.facts.append(f"filter {name} of log group {content.get('logGroupName') or 'unknown'}")
    draft.losses += _others(content, _READ)
    metrics = list(zip(alarms.metrics(content), content.get("metricTransformations") or [], strict=True))
    if not metrics:
        draft.losses.append("the filter has no metric")
        yield draft
    pairs = [
        (metric, given, alarm)
        for metric, given in metrics
        for alarm in _watching(metric.key, result.alarms) or [None]
    ]
    for metric, given, alarm in pairs:
        one = _with_metric(draft, metric, given, pattern)
        one.losses += _shared(metric.key, result)
        if len(pairs) > 1:
            one.id = str(alarm["AlarmName"]) if alarm else metric.key[1]
        yield _with_alarm(one, metric, alarm, pattern)


def _read_pattern(draft: RuleDraft, given: object) -> FilterPattern | None:
    """The compiled pattern; sets the draft's text, and the reason if the pattern is broken."""
    if given is None or given == "":
        draft.losses.append("the filter's empty pattern matches every event, and so does this one")
    draft.pattern = without_surrogates(str(given or "").strip())
    if isinstance(given, Unresolved):
        draft.broken = "parts of the pattern are known only after deployment"
        return None
    try:
        return compile(draft.pattern)
    except PatternError as error:
        draft.broken = f"CloudWatch does not accept the pattern: column {error.column}: {error.message}"
        return None


def _with_metric(
    draft: RuleDraft, metric: Transformation, given: Json, pattern: FilterPattern | None
) -> RuleDraft:
    table: dict[str, Any] = {}
    value = given.get("metricValue")
    if metric.value != 1 and value is not None:
        table["value"] = whole(metric.value) if metric.value is not None else str(value)
    if metric.default is not None:
        table["default"] = whole(metric.default)
    if given.get("dimensions"):
        table["dimensions"] = {str(name): str(place) for name, place in given["dimensions"].items()}
    problems: list[str] = []
    RuleTable(lambda _, text: problems.append(text), pattern=pattern).metric(table)
    losses = [*draft.losses, *_others(given, _OF_METRIC)]
    if problems:
        losses.append(f"the metric's settings {table} are not carried over: {'; '.join(problems)}")
        table = {}
    facts = [*draft.facts, f"metric {'/'.join(metric.key)}"]
    if metric.unit != "None":
        facts[-1] += f" in {metric.unit}"
    return replace(draft, metric=table, facts=facts, losses=losses)


def _with_alarm(
    draft: RuleDraft, metric: Transformation, alarm: Json | None, pattern: FilterPattern | None
) -> RuleDraft:
    if alarm is None:
        draft.losses.append("no alarm watches the metric; the rule raises an alert for each match")
        return draft
    facts, losses = notes_of_alarm(alarm, metric)
    draft.facts += facts
    draft.description = str(alarm.get("AlarmDescription") or "")
    draft.enabled = alarm.get("ActionsEnabled") in (None, True, "true")
    if not draft.enabled:
        losses.append("the alarm's actions are disabled, and so is the rule")
    table, problem = alarm_table(alarm, pattern)
    if problem:
        losses.append(f"alarm {alarm.get('AlarmName')} is not carried over: {problem}")
        draft.broken = draft.broken or "without its alarm the rule would have a different meaning"
    draft.alarm = table
    draft.losses += losses
    return draft


def _watching(key: Key, items: list[Item]) -> list[Json | None]:
    return [item.content for item in items if key in alarms.watched(item.content)]


def _shared(key: Key, result: ImportResult) -> Iterator[str]:
    """The loss if several filters add to one metric."""
    feeding = [
        str(item.content.get("filterName"))
        for item in result.filters
        if any(metric.key == key for metric in alarms.metrics(item.content))
    ]
    if len(feeding) > 1 and _watching(key, result.alarms):
        yield f"{', '.join(feeding)} add to one metric, which the alarm counts together; rules do not"


def _lonely(result: ImportResult) -> Iterator[str]:
    """Alarms on metrics of no imported filter; those on metrics of AWS services only as a count."""
    made = {metric.key for item in result.filters for metric in alarms.metrics(item.content)}
    services: Counter[str] = Counter()
    for item in result.alarms:
        keys = alarms.watched(item.content)
        if not made.isdisjoint(keys):
            continue
        if keys and all(namespace.startswith("AWS/") for namespace, _ in keys):
            services[min(keys)[0]] += 1
            continue
        watched = ", ".join(sorted("/".join(key) for key in keys)) or "no metric"
        name = item.content.get("AlarmName")
        yield f"{item.origin}: alarm {name} watches {watched}, to which no imported metric filter publishes"
    if services:
        kinds = ", ".join(f"{count} on {name}" for name, count in sorted(services.items()))
        yield f"alarms on metrics of AWS services, which do not come from log events: {kinds}"


def _others(content: Json, known: set[str]) -> Iterator[str]:
    for key, value in content.items():
        if key not in known and value not in (None, "", [], {}, False):
            yield f"{key} = {value} is not carried over{': ' + _MEANS[key] if key in _MEANS else ''}"
