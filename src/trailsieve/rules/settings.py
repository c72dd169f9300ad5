"""The tables `alarm`, `metric` and `exceptions` of a rule file into their types, with every mistake told."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Any, get_args

from trailsieve.errors import PatternError
from trailsieve.model import ALARM_STATES
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.nodes import Column, DelimitedPattern, JsonPattern
from trailsieve.pattern.parser import parse_selector
from trailsieve.rules.alarm import (
    MAX_RANGE,
    Alarm,
    Comparison,
    Metric,
    Missing,
    Reference,
    RuleException,
    Statistic,
)
from trailsieve.times import duration_seconds

_SHORT_PERIODS = (10, 20, 30)  # seconds; all others are whole minutes
_MAX_DIMENSIONS = 3  # rule 62
_CHOICES: dict[str, tuple[str, ...]] = {
    "statistic": get_args(Statistic),
    "comparison": get_args(Comparison),
    "missing": get_args(Missing),
}
_ALARM = {
    *("threshold", "period", "statistic", "comparison", "evaluation_periods", "datapoints_to_alarm"),
    *("missing", "by", "allowed_lateness", "notify", "suppress", "max_keys"),
}
_METRIC = {"value", "default", "dimensions", "cloudwatch_exact"}
_EXCEPTION = {"pattern", "reason", "owner", "expires"}

Say = Callable[[str], None]


class Settings:
    """Reads the tables of one rule.

    Args:
        pattern: the rule's own; None when it cannot be read or, for an override, is not known.
        say: told each mistake.
    """

    def __init__(self, pattern: FilterPattern | None, say: Say, *, limits: bool = True) -> None:
        self._tree = pattern.tree if pattern else None
        self._say = say
        self._limits = limits
        self._key = ""

    def alarm(self, table: Any) -> Alarm | None:
        """`alarm = { threshold = 3, period = "5m", … }`."""
        self._key = "alarm"
        if not self._is_table(table, _ALARM, ("threshold", "period")):
            return None
        given: dict[str, Any] = {
            "threshold": self._number(table, "threshold", 0),
            "period": self._duration(table, "period", 60),
            "evaluation_periods": self._count(table, "evaluation_periods", 1),
            "by": self._references(table.get("by", [])),
            "allowed_lateness": self._duration(table, "allowed_lateness", 900),
            "suppress": self._duration(table, "suppress", 0),
            "notify": self._states(table.get("notify", ["ALARM"])),
        }
        given["datapoints_to_alarm"] = self._count(table, "datapoints_to_alarm", given["evaluation_periods"])
        given |= {name: self._choice(name, table[name]) for name in _CHOICES if name in table}
        if "max_keys" in table:
            given["max_keys"] = self._count(table, "max_keys", 1)
        self._check_times(given["period"], given["evaluation_periods"], given["datapoints_to_alarm"])
        return Alarm(**given)

    def metric(self, table: Any) -> Metric:
        """`metric = { value = "$.x", default = 0, dimensions = { Account = "$.recipientAccountId" } }`."""
        self._key = "metric"
        if not self._is_table(table, _METRIC, ()):
            return Metric()
        value, dimensions = table.get("value", 1), table.get("dimensions", {})
        exact = table.get("cloudwatch_exact", True)
        if not isinstance(exact, bool):
            self._say("`metric.cloudwatch_exact` is true or false")
        if not isinstance(dimensions, dict):
            self._say('`metric.dimensions` is a table of names: { Account = "$.recipientAccountId" }')
            dimensions = {}
        found = [
            (name, self._reference(given, f"metric.dimensions.{name}")) for name, given in dimensions.items()
        ]
        metric = Metric(
            value=self._value(value, table),
            default=self._number(table, "default", 0) if "default" in table else None,
            dimensions=tuple((name, reference) for name, reference in found if reference),
            cloudwatch_exact=exact is True,
        )
        self._check_metric(metric, dimensions)
        return metric

    def exceptions(self, tables: Any) -> tuple[RuleException, ...]:
        """`exceptions = [ { pattern = '{ … }', reason = "known scanner", expires = 2027-01-31 } ]`."""
        self._key = "exceptions"
        if not isinstance(tables, list):
            self._say("`exceptions` is a list of tables: [ { pattern = '{ … }', reason = \"…\" } ]")
            return ()
        found = [self._exception(table) for table in tables]
        return tuple(exception for exception in found if exception)

    def _exception(self, table: Any) -> RuleException | None:
        if not self._is_table(table, _EXCEPTION, ("pattern", "reason")):
            return None
        for key in ("pattern", "reason", "owner"):
            if not isinstance(table.get(key, ""), str):
                self._say(f"`exceptions.{key}` is a string")
                return None
        expires = self._expires(table.get("expires"))
        try:
            pattern = compile(table["pattern"].strip(), limits=self._limits)
        except PatternError as error:
            self._say(f"an exception: {error}")
            return None
        return RuleException(pattern, table["reason"], table.get("owner", ""), expires)

    def _expires(self, given: Any) -> int | None:
        """A date is the last day on which the exception applies (UTC); a date and time its end."""
        if given is None:
            return None
        if isinstance(given, datetime):
            return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())
        if isinstance(given, date) and given < date.max:
            return int(datetime.combine(given + timedelta(days=1), time(), UTC).timestamp())
        self._say("`exceptions.expires` is a date without quotes: expires = 2027-01-31")
        return None

    def _is_table(self, table: Any, known: set[str], required: Iterable[str]) -> bool:
        if not isinstance(table, dict):
            self._say(f"`{self._key}` is a table: {self._key} = {{ … }}")
            return False
        for key in table:
            if key not in known:
                close = get_close_matches(key, known, 1)
                meant = f"did you mean `{close[0]}`?" if close else f"known are {', '.join(sorted(known))}"
                self._say(f"unknown key `{self._key}.{key}`; {meant}")
        missing = [key for key in required if key not in table]
        for key in missing:
            self._say(f"`{self._key}.{key}` is missing")
        return not missing

    def _number(self, table: dict[str, Any], key: str, otherwise: int | float) -> int | float:
        value = table.get(key, otherwise)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
        self._say(f"`{self._key}.{key}` is a number")
        return otherwise

    def _count(self, table: dict[str, Any], key: str, otherwise: int) -> int:
        value = table.get(key, otherwise)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        self._say(f"`{self._key}.{key}` is a whole number from 1 on")
        return otherwise

    def _duration(self, table: dict[str, Any], key: str, otherwise: int) -> int:
        if key not in table:
            return otherwise
        try:
            return duration_seconds(table[key], f"{self._key}.{key}", least=0)
        except ValueError as error:
            self._say(str(error))
            return otherwise

    def _choice(self, key: str, value: Any) -> Any:
        if value not in _CHOICES[key]:
            self._say(f"`{self._key}.{key}` is one of {', '.join(_CHOICES[key])}")
        return value

    def _states(self, given: Any) -> tuple[Any, ...]:
        if not isinstance(given, list) or not given or any(state not in ALARM_STATES for state in given):
            self._say(f"`{self._key}.notify` is a list of the states {', '.join(ALARM_STATES)}")
            return ("ALARM",)
        return tuple(given)

    def _check_times(self, period: int, evaluation_periods: int, datapoints: int) -> None:
        """Rule 66."""
        if period not in _SHORT_PERIODS and (period < 60 or period % 60):
            self._say("`alarm.period` is 10s, 20s, 30s or whole minutes")
        elif period * evaluation_periods > MAX_RANGE:
            self._say("`alarm.period` times `alarm.evaluation_periods` is at most 7 days")
        if datapoints > evaluation_periods:
            self._say("`alarm.datapoints_to_alarm` is at most `alarm.evaluation_periods`")

    def _references(self, given: Any) -> tuple[Reference, ...]:
        if not isinstance(given, list):
            self._say('`alarm.by` is a list of selectors: by = ["$.userIdentity.arn"]')
            return ()
        found = [self._reference(item, "alarm.by") for item in given]
        return tuple(dict.fromkeys(reference for reference in found if reference))

    def _value(self, given: Any, table: dict[str, Any]) -> int | float | Reference:
        if isinstance(given, str):
            return self._reference(given, "metric.value") or 1
        return self._number(table, "value", 1)

    def _reference(self, given: Any, key: str) -> Reference | None:
        """`$.field`, or `$name` of a space-delimited pattern."""
        if not isinstance(given, str):
            self._say(f"`{key}` is a selector such as $.userIdentity.arn")
            return None
        if given.startswith("$.") or not isinstance(self._tree, DelimitedPattern | None):
            return self._selector(given, key)
        names = (
            [f"${c.name}" for c in self._tree.columns if isinstance(c, Column) and c.name]
            if self._tree
            else []
        )
        if self._tree and given not in names:
            self._say(
                f"`{key}`: {given} is no field of the pattern; it has {', '.join(names) or 'no named ones'}"
            )
            return None
        return Reference(given, None)

    def _selector(self, given: str, key: str) -> Reference | None:
        try:
            selector = parse_selector(given)
        except PatternError as error:
            self._say(f"`{key}`: {str(error).replace('filter pattern', 'selector', 1)}")
            return None
        if selector.wildcards:
            self._say(f"`{key}`: {given} has a wildcard, but one value is needed (rule 60)")
            return None
        return Reference(given, selector)

    def _check_metric(self, metric: Metric, dimensions: dict[str, Any]) -> None:
        """What CloudWatch refuses (rule 62)."""
        if dimensions and metric.default is not None:
            self._say("`metric.default` and `metric.dimensions` exclude each other (rule 62)")
        if not metric.cloudwatch_exact:
            return
        if len(dimensions) > _MAX_DIMENSIONS:
            self._say("`metric.dimensions` are at most three (rule 62); `alarm.by` takes more")
        if dimensions and self._tree and not isinstance(self._tree, JsonPattern | DelimitedPattern):
            self._say("`metric.dimensions` need a JSON or space-delimited pattern (rule 62)")
