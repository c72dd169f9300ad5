"""The tables `[[rule]]` and `[[override]]` of a rule file as rules and overrides."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from trailsieve.errors import PatternError
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.nodes import Column, DelimitedPattern, JsonPattern, Pattern
from trailsieve.pattern.parser import parse_selector
from trailsieve.rules.alarm import Alarm, Expires, Metric, Number, Reference, Seconds
from trailsieve.rules.alarm_checks import completed, mistakes_between, mistakes_in_alarm
from trailsieve.rules.rule import Override, Rule
from trailsieve.times import duration_seconds
from trailsieve.toml_file import Place, Report, TableReader

_MAX_DIMENSIONS = 3  # rule 62

Table = dict[str, Any]


class RuleTable:
    """Reads the table of one rule or override, or a part of it, and reports all mistakes.

    Args:
        limits: whether to refuse patterns that CloudWatch refuses for their size.
        pattern: the rule's pattern, if only its `metric` or `alarm` is read.
    """

    def __init__(self, report: Report, *, limits: bool = True, pattern: FilterPattern | None = None) -> None:
        self._tree: Pattern | None = pattern.tree if pattern else None
        self._limits = limits
        parsers = {
            FilterPattern: self._pattern,
            Reference: self._reference,
            Number: _number,
            Number | Reference: lambda value: (self._reference if isinstance(value, str) else _number)(value),
            Seconds: _seconds,
            Expires: _expires,
        }
        checks: dict[type, Any] = {
            Alarm: self._check_alarm,
            Metric: self._check_metric,
            Rule: self._check_rule,
            Override: self._check_rule,
        }
        self._reader = TableReader(report, parsers, checks)

    def rule(self, table: Table, place: Place = ("rule",), file: Path = Path(), line: int = 0) -> Rule | None:
        """The rule, None if there is a mistake in its table."""
        given: Table = {"file": file, "line": line}
        name = table.get("id")
        table = {"title": name if isinstance(name, str) else "", "severity": "medium", **table}
        if "pattern" not in table and _has_sequence(table):
            given["pattern"] = _nothing()
        elif "pattern" in table:  # first, because metric and alarm may name its fields
            pattern = self._reader.convert(FilterPattern, table["pattern"], (*place, "pattern"))
            self._tree = pattern.tree if pattern else None
            given["pattern"] = pattern
        return self._reader.read(Rule, table, place, ("pattern",), given)

    def override(self, table: Table, place: Place, where: str) -> Override | None:
        """The override, None if there is a mistake in its table."""
        return self._reader.read(Override, table, place, given={"place": where})

    def alarm(self, table: Table) -> Alarm | None:
        """The table `alarm` of a rule, None if there is a mistake in it."""
        return self._reader.read(Alarm, table, ("rule", "alarm"))

    def metric(self, table: Table) -> Metric | None:
        """The table `metric` of a rule, None if there is a mistake in it."""
        return self._reader.read(Metric, table, ("rule", "metric"))

    # --- values ---

    def _pattern(self, value: object) -> FilterPattern:
        return compile(_text(value).strip(), limits=self._limits)

    def _reference(self, value: object) -> Reference:
        """`$.field`, or `$name` of a space-delimited pattern."""
        text = _text(value)
        if text.startswith("$.") or not isinstance(self._tree, DelimitedPattern | None):
            return _selector(text)
        columns = self._tree.columns if self._tree else ()
        names = [f"${column.name}" for column in columns if isinstance(column, Column) and column.name]
        if self._tree and text not in names:
            raise ValueError(
                f"the pattern has no field {text}; it has {', '.join(names) or 'no named field'}"
            )
        return Reference(text, None)

    # --- what must hold between values ---

    def _check_alarm(self, alarm: Alarm, table: Table, place: Place) -> Alarm:
        alarm = completed(alarm, table)
        for key, text in mistakes_in_alarm(alarm, table):
            self._reader.mistake((*place, key), text)
        return alarm

    def _check_metric(self, metric: Metric, _: Table, place: Place) -> Metric:
        """What CloudWatch refuses (rule 62)."""
        if metric.dimensions and metric.default is not None:
            text = "`metric.default` cannot be combined with `metric.dimensions` (rule 62)"
            self._reader.mistake((*place, "default"), text)
        if not metric.dimensions or not metric.cloudwatch_exact:
            return metric
        place = (*place, "dimensions")
        if len(metric.dimensions) > _MAX_DIMENSIONS:
            text = "`metric.dimensions` can have at most three entries (rule 62); `alarm.by` takes more"
            self._reader.mistake(place, text)
        if self._tree and not isinstance(self._tree, JsonPattern | DelimitedPattern):
            text = "`metric.dimensions` needs a JSON or space-delimited pattern (rule 62)"
            self._reader.mistake(place, text)
        return metric

    def _check_rule(self, rule: Any, table: Table, place: Place) -> Any:
        if rule.metric and rule.alarm:
            for text in mistakes_between(rule.metric, rule.alarm):
                self._reader.mistake((*place, "metric"), text)
        if isinstance(rule, Override):
            return rule
        if rule.sequence:
            self._check_sequence(rule, table, place)
        if rule.tests.extract and not isinstance(self._tree, DelimitedPattern):
            text = "`tests.extract` needs a space-delimited pattern; other patterns extract nothing"
            self._reader.mistake((*place, "tests", "extract"), text)
        description = rule.description.strip()
        if rule.title and rule.description == description:
            return rule
        return replace(rule, title=rule.title or rule.id, description=description)

    def _check_sequence(self, rule: Rule, table: Table, place: Place) -> None:
        why = "cannot be combined with `alarm.sequence`: the patterns of the rules that it names are matched"
        if "pattern" in table:
            self._reader.mistake((*place, "pattern"), f"`pattern` {why}")
        for name in ("match", "ignore", "extract"):
            if getattr(rule.tests, name):
                self._reader.mistake((*place, "tests", name), f"`tests.{name}` {why}; use `tests.alerts`")
        if rule.id in rule.sequence:
            text = "`alarm.sequence` must name other rules, not the one that it belongs to"
            self._reader.mistake((*place, "alarm", "sequence"), text)


def _has_sequence(table: Table) -> bool:
    alarm = table.get("alarm")
    return isinstance(alarm, dict) and "sequence" in alarm


@cache
def _nothing() -> FilterPattern:
    """A pattern that matches nothing, for rules that wait for matches of others."""
    return compile('{ ($.eventID = "none") && ($.eventID != "none") }')


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected a string")
    return value


def _number(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return value
    raise ValueError("expected a number")


def _seconds(value: object) -> int:
    return duration_seconds(value, least=0)


def _expires(value: object) -> int:
    """A date is the last day on which the exception applies (UTC); a date and time is its end."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date) and value < date.max:
        return int(datetime.combine(value + timedelta(days=1), time(), UTC).timestamp())
    raise ValueError("expected a date without quotes, such as 2027-01-31")


def _selector(text: str) -> Reference:
    try:
        selector = parse_selector(text)
    except PatternError as error:
        raise ValueError(str(error).replace("filter pattern", "selector", 1)) from None
    if selector.wildcards:
        raise ValueError(f"{text} has a wildcard, but one value is needed (rule 60)")
    return Reference(text, selector)
