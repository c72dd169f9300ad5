"""A pattern without one of its parts, for every part that could be removed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trailsieve import jsontext
from trailsieve.logic.witness import find
from trailsieve.pattern import nodes, runtime
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.interpret import matches_record
from trailsieve.pattern.rewrite import exchanged, joined, of_tree
from trailsieve.rules.lint.target import groups_of

Siblings = tuple[nodes.Expression, ...]


@dataclass(frozen=True, slots=True)
class Reduction:
    """A pattern without one part.

    Attributes:
        part: the removed part; None for a term of a text pattern.
        span: its place in the pattern.
        tree: the rest of the pattern.
        weaker: True if the rest may match more (the part was joined by &&), False if it may match less (it
            was joined by ||).
        alone: the pattern with only this part of its group; None for text patterns.
        siblings: the other parts of the group.
    """

    part: nodes.Expression | None
    span: nodes.Span
    tree: nodes.Pattern
    weaker: bool
    alone: nodes.Pattern | None = None
    siblings: Siblings = ()

    def is_needless(self, pattern: FilterPattern, example: str | None) -> bool:
        """Whether the pattern provably matches the same events without the part.

        Args:
            example: an event that matches the pattern.
        """
        if self.part is not None and example and self._is_needed(pattern.tree, self.part, example):
            return False
        rest = of_tree(self.tree)
        wanted = [(rest, True), (pattern, False)] if self.weaker else [(pattern, True), (rest, False)]
        return find(wanted).holds is False

    def _is_needed(self, tree: nodes.Pattern, part: nodes.Expression, example: str) -> bool:
        """Whether a small change of an event shows the difference, which is much faster than a proof."""
        record = jsontext.decode_object(example)
        if (
            not isinstance(tree, nodes.JsonPattern)
            or not isinstance(self.tree, nodes.JsonPattern)
            or record is None
        ):
            return False
        changed = _falsified(record, part) if self.weaker else _fulfilled(record, part)
        return any(
            matches_record(tree, event) != matches_record(self.tree, event) for event in changed if event
        )


def reductions(tree: nodes.Pattern) -> Iterator[Reduction]:
    """Each way to remove one part, the last part first: of two equal parts the first one stays."""
    if isinstance(tree, nodes.TextPattern):
        yield from _of_text(tree)
    elif isinstance(tree, nodes.JsonPattern | nodes.DelimitedPattern):
        for group in groups_of(tree):
            for place in reversed(range(len(group.terms))):
                yield _of_group(tree, group, place)
    if isinstance(tree, nodes.DelimitedPattern):
        yield from _of_columns(tree)


def _of_group(tree: nodes.Pattern, group: nodes.Group, place: int) -> Reduction:
    part, siblings = group.terms[place], (*group.terms[:place], *group.terms[place + 1 :])
    rest = exchanged(tree, group, joined(type(group), siblings, group.span))
    alone = exchanged(tree, group, part)
    return Reduction(part, part.span, rest, isinstance(group, nodes.And), alone, siblings)


def _of_text(tree: nodes.TextPattern) -> Iterator[Reduction]:
    for place in reversed(range(len(tree.terms) if len(tree.terms) > 1 else 0)):
        term = tree.terms[place]
        rest = nodes.TextPattern((*tree.terms[:place], *tree.terms[place + 1 :]))
        yield Reduction(None, term.span, rest, weaker=not tree.is_any)


def _of_columns(tree: nodes.DelimitedPattern) -> Iterator[Reduction]:
    for place, column in enumerate(tree.columns):
        if isinstance(column, nodes.Column) and column.condition is not None:
            columns = (*tree.columns[:place], replace(column, condition=None), *tree.columns[place + 1 :])
            yield Reduction(column.condition, column.span, nodes.DelimitedPattern(columns), weaker=True)


# --- small changes to an event ---


def _fulfilled(record: dict[str, Any], part: nodes.Expression) -> Iterator[dict[str, Any]]:
    """The event, changed to fulfil the part."""
    if isinstance(part, nodes.Comparison) and isinstance(part.target, nodes.Selector) and _is_literal(part):
        assert isinstance(part.value, nodes.String)
        yield _with(record, part.target.steps, part.value.text)
        return
    wanted = find([(of_tree(nodes.JsonPattern(part)), True)]).witness
    if wanted:
        yield _merged(record, jsontext.decode_object(wanted) or {})


def _is_literal(part: nodes.Comparison) -> bool:
    return part.operator == "=" and isinstance(part.value, nodes.String) and "*" not in part.value.text


def _falsified(record: dict[str, Any], part: nodes.Expression) -> Iterator[dict[str, Any]]:
    """The event with another value, or no value, in the fields that the part reads."""
    for term in nodes.terms_of(part):
        if isinstance(term.target, nodes.Selector) and not term.target.wildcards:
            yield _with(record, term.target.steps, "other")
            yield _with(record, term.target.steps, runtime.ABSENT)


def _with(record: dict[str, Any], steps: Sequence[Any], value: Any) -> dict[str, Any]:
    """The record with a value at a path of names; empty if the path leads through an array or a scalar."""
    name, *inner = steps
    if not isinstance(name, str):
        return {}
    if inner:
        child = record.get(name, {})
        value = _with(child, inner, value) if isinstance(child, dict) else None
    if value is runtime.ABSENT:
        return {key: kept for key, kept in record.items() if key != name}
    return {**record, name: value} if value is not None else {}


def _merged(record: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The record with the fields of another, objects merged."""
    merged = dict(record)
    for name, value in other.items():
        kept = merged.get(name)
        merged[name] = _merged(kept, value) if isinstance(kept, dict) and isinstance(value, dict) else value
    return merged
