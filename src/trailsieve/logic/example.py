"""An event that a pattern matches, and near misses: events that fail it in one point only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from trailsieve import jsontext
from trailsieve.logic.implication import satisfiable
from trailsieve.logic.witness import find
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import And, Column, DelimitedPattern, JsonPattern, Pattern, TextPattern
from trailsieve.pattern.render import render

_MOST = 5  # near misses that are shown


@dataclass(frozen=True, slots=True)
class NearMiss:
    """An event that does not match, and why it does not."""

    event: str
    why: str


@dataclass(frozen=True, slots=True)
class Example:
    """A matching event with its near misses.

    Attributes:
        event: an event that matches, or None.
        reason: why there is none: the pattern can never match, or the answer is unknown.
    """

    event: str | None
    near_misses: tuple[NearMiss, ...] = ()
    reason: str = ""


def example(pattern: FilterPattern) -> Example:
    """An event that matches and up to five that nearly do; all are tried out on the predicate."""
    found = satisfiable(pattern)
    if found.witness is None:
        return Example(None, (), found.reason or "no event can ever match")
    misses: dict[str, NearMiss] = {}
    for miss in (*_one_part_false(pattern), *_one_value_changed(found.witness)):
        if not pattern.matches(miss.event):
            misses.setdefault(miss.event, miss)
    return Example(found.witness, tuple(islice(misses.values(), _MOST)))


def _one_part_false(pattern: FilterPattern) -> Iterator[NearMiss]:
    """Events for which all parts of a pattern are true but one."""
    parts = [FilterPattern(render(tree), tree, limits=False) for tree in _parts(pattern.tree)]
    if len(parts) == 1 and pattern.reads_records:
        return  # `{}` would be no near miss
    for number, part in enumerate(parts):
        found = find([(other, place != number) for place, other in enumerate(parts)])
        if found.witness is not None:
            yield NearMiss(found.witness, f"fails {part.text}")


def _parts(tree: Pattern) -> list[Pattern]:
    """Patterns that must all match for the whole to match."""
    match tree:
        case JsonPattern(And(terms)):
            return [JsonPattern(term) for term in terms]
        case TextPattern(terms) if any(term.role != "optional" for term in terms):
            return [TextPattern((term,)) for term in terms if term.role != "optional"]
        case DelimitedPattern(columns):
            tested = [n for n, c in enumerate(columns) if isinstance(c, Column) and c.condition is not None]
            return [_only(tree, number) for number in tested]
        case _:
            return [tree]


def _only(tree: DelimitedPattern, number: int) -> DelimitedPattern:
    """The pattern with the condition of one column alone."""
    columns = [
        replace(column, condition=None) if isinstance(column, Column) and place != number else column
        for place, column in enumerate(tree.columns)
    ]
    return DelimitedPattern(tuple(columns))


def _one_value_changed(event: str) -> Iterator[NearMiss]:
    """Events that differ from a JSON event in one top-level field."""
    record = jsontext.decode_object(event) or {}
    for name, value in record.items():
        for other, why in _others(value):
            yield NearMiss(jsontext.readable({**record, name: other}), f"{name} is {why}")
            break
        yield NearMiss(jsontext.readable({n: v for n, v in record.items() if n != name}), f"{name} is absent")


def _others(value: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(value, str):
        if value != value.lower():
            yield value.lower(), "written in lower case"
        yield f"not-{value}", "another string"
    elif isinstance(value, bool):
        yield str(value).lower(), "a string"
    elif isinstance(value, int | Decimal):
        yield value + 1, "another number"
    yield None, "null"
