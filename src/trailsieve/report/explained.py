"""Why alerts matched: each term of the rule's pattern with its value, the same explanation made only once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from trailsieve import compile, jsontext
from trailsieve.errors import PatternError
from trailsieve.model import Alert
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.explain import tested
from trailsieve.pattern.explanation import Step


class Line(Struct, frozen=True):
    """One term: its depth in the tree, whether it is true, its text, and whether it has a value."""

    depth: int
    holds: bool
    text: str
    valued: bool


class Why(Struct, frozen=True):
    """The terms of a pattern with their truth, and the values that one record has for them, in order."""

    lines: tuple[Line, ...]
    values: tuple[str, ...]


def explained(alerts: Sequence[Alert], patterns: Mapping[str, str]) -> list[Why | None]:
    """Why each alert's first record matches its rule's pattern; None where there is no pattern or record."""
    compiled = {rule: _compiled(text) for rule, text in patterns.items() if text}
    return [_why(compiled.get(alert.rule), alert) for alert in alerts]


@cache
def _compiled(text: str) -> FilterPattern | None:
    try:
        return compile(text, limits=False)
    except PatternError:
        return None


def _why(pattern: FilterPattern | None, alert: Alert) -> Why | None:
    if pattern is None or not alert.records:
        return None
    root = tested(pattern.tree, alert.records[0]).root
    if root is None or not root.verdict:  # an alarm of a sequence has records of other rules
        return None
    steps = list(_steps(root, 0))
    lines = tuple(Line(depth, step.verdict, step.text, bool(step.state)) for depth, step in steps)
    return Why(lines, tuple(_value(step) for _, step in steps if step.state))


def _value(step: Step) -> str:
    """What a term was tested on, whole: it is shortened when names in it are redacted."""
    return step.state if step.value is None else jsontext.encode(step.value)


def _steps(step: Step, depth: int) -> Iterator[tuple[int, Step]]:
    yield depth, step
    for child in step.children:
        yield from _steps(child, depth + 1)
