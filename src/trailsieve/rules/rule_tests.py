"""The `tests` of a rule: which events it must match, what it must extract, which alerts it must raise.

    [rule.tests]
    match = ["events/root-login.json", { eventName = "ConsoleLogin" }]   # files beside this one, or records
    ignore = [{ eventName = "ListUsers" }]
    extract = [{ text = "10.0.0.1 mia GET", values = { "$ip" = "10.0.0.1" } }]      # space-delimited patterns
    alerts = [{ events = ["events/night.json"], expect = [{ kind = "alarm", count = 3 }] }]    # or expect = 1

Unless the rule has a JSON pattern, an event may be `{ text = "a line" }`, and a file that is not JSON holds
one event a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from msgspec import Meta

TestEvent = str | dict[str, Any]
_Events = Annotated[tuple[TestEvent, ...], Meta(description="a list of file names and inline records")]
_Expected = Annotated[int, Meta(ge=0)] | tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ExtractTest:
    """What a space-delimited pattern extracts from a line: values by `$name` or `$N`."""

    text: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class AlertTest:
    """The alerts that events raise: how many, or the fields of each one in the order of their times."""

    events: _Events
    expect: Annotated[_Expected, Meta(description="a number of alerts, or a list of tables")]


@dataclass(frozen=True, slots=True)
class RuleTests:
    """Events that a rule must and must not match: paths relative to the rule file, or inline records."""

    match: _Events = ()
    ignore: _Events = ()
    extract: tuple[ExtractTest, ...] = ()
    alerts: tuple[AlertTest, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.match or self.ignore or self.extract or self.alerts)


NO_TESTS = RuleTests()
