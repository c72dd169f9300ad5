"""The table `tests` of a rule: which events it must match, what it must extract, which alerts it must raise.

    [rule.tests]
    match = ["events/root-login.json", { eventName = "ConsoleLogin" }]   # files beside this one, or records
    ignore = [{ eventName = "ListUsers" }]
    extract = [{ text = "10.0.0.1 mia GET", values = { "$ip" = "10.0.0.1" } }]      # space-delimited patterns
    alerts = [{ events = ["events/night.json"], expect = [{ kind = "alarm", count = 3 }] }]    # or expect = 1

For a pattern that is no JSON pattern, an event may be `{ text = "a line" }`, and a file that is not JSON is
one of lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import DelimitedPattern

TestEvent = str | dict[str, Any]
_KEYS = ("match", "ignore", "extract", "alerts")


@dataclass(frozen=True, slots=True)
class ExtractTest:
    """What a space-delimited pattern takes from a line: values by `$name` or `$N`."""

    text: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class AlertTest:
    """What events raise: so many alerts, or alerts that have these fields, in the order of their times."""

    events: tuple[TestEvent, ...]
    expect: int | tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RuleTests:
    """Events that a rule must and must not match: paths beside the rule file, or inline records."""

    match: tuple[TestEvent, ...] = ()
    ignore: tuple[TestEvent, ...] = ()
    extract: tuple[ExtractTest, ...] = ()
    alerts: tuple[AlertTest, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.match or self.ignore or self.extract or self.alerts)


NO_TESTS = RuleTests()


def read_tests(table: dict[str, Any]) -> RuleTests:
    """The tests of a table without mistakes."""
    extract = (ExtractTest(row["text"], row["values"]) for row in table.get("extract", ()))
    alerts = (
        AlertTest(
            tuple(row["events"]), row["expect"] if isinstance(row["expect"], int) else tuple(row["expect"])
        )
        for row in table.get("alerts", ())
    )
    return RuleTests(
        tuple(table.get("match", ())), tuple(table.get("ignore", ())), tuple(extract), tuple(alerts)
    )


def mistakes(table: Any, pattern: FilterPattern | None) -> Iterator[str]:
    """What is wrong with the table.

    Args:
        pattern: the rule's own; None when it cannot be read.
    """
    if not isinstance(table, dict):
        return
    for key, value in table.items():
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, 1)
            meant = f"did you mean `{close[0]}`?" if close else f"known are {', '.join(_KEYS)}"
            yield f"unknown key `tests.{key}`; {meant}"
        elif key == "extract":
            yield from _extract_mistakes(value, pattern)
        elif key == "alerts":
            yield from _alert_mistakes(value)
        elif not _are_events(value):
            yield f"`tests.{key}` is a list of file names and inline records"


def _are_events(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str | dict) for item in value)


def _extract_mistakes(value: Any, pattern: FilterPattern | None) -> Iterator[str]:
    if not isinstance(value, list) or not all(_is_extract(row) for row in value):
        yield '`tests.extract` is a list of { text = "a line", values = { "$name" = "token" } }'
    elif pattern and not isinstance(pattern.tree, DelimitedPattern):
        yield "`tests.extract` is for space-delimited patterns; others extract nothing"


def _is_extract(row: Any) -> bool:
    if not isinstance(row, dict) or row.keys() != {"text", "values"} or not isinstance(row["text"], str):
        return False
    values = row["values"]
    return isinstance(values, dict) and all(isinstance(value, str) for value in values.values())


def _alert_mistakes(value: Any) -> Iterator[str]:
    if not isinstance(value, list) or not all(_is_alert(row) for row in value):
        yield "`tests.alerts` is a list of { events = [files and records], expect = number or tables }"


def _is_alert(row: Any) -> bool:
    if not isinstance(row, dict) or row.keys() != {"events", "expect"} or not _are_events(row["events"]):
        return False
    expect = row["expect"]
    if isinstance(expect, list):
        return all(isinstance(item, dict) for item in expect)
    return isinstance(expect, int) and not isinstance(expect, bool) and expect >= 0
