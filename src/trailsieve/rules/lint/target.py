"""The pattern that checks look at, and ways to change a part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from trailsieve.logic.witness import Verdict, find
from trailsieve.pattern import nodes
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.render import render
from trailsieve.trail.catalogue.fields import top_level

_MARKS = re.compile(r"[_-]")


class LintTarget:
    """A pattern to check.

    Attributes:
        pattern: the compiled pattern.
        limits: whether to report what CloudWatch refuses for its size.
    """

    def __init__(self, pattern: FilterPattern, *, limits: bool = True) -> None:
        self.pattern = pattern
        self.limits = limits

    @property
    def text(self) -> str:
        """The pattern as written."""
        return self.pattern.text

    def quote(self, span: nodes.Span) -> str:
        """A part of the pattern as written."""
        return self.text[span.start : span.end]

    @property
    def whole(self) -> nodes.Span:
        """All of the pattern."""
        return nodes.Span(0, len(self.text))

    @cached_property
    def expression(self) -> nodes.Expression | None:
        """The condition of a JSON pattern; None for others."""
        return self.pattern.tree.expression if isinstance(self.pattern.tree, nodes.JsonPattern) else None

    @cached_property
    def terms(self) -> tuple[nodes.Term, ...]:
        """The terms of a JSON pattern in order."""
        return tuple(nodes.terms_of(self.expression)) if self.expression else ()

    @cached_property
    def comparisons(self) -> tuple[tuple[nodes.Comparison, nodes.Selector], ...]:
        """The comparisons of a JSON pattern with their selectors."""
        return tuple(
            (term, term.target)
            for term in self.terms
            if isinstance(term, nodes.Comparison) and isinstance(term.target, nodes.Selector)
        )

    @cached_property
    def of_cloudtrail(self) -> bool:
        """Whether the pattern is for CloudTrail: a selector begins with one of its top-level fields."""
        firsts = {term.target.steps[0] for term in self.terms if isinstance(term.target, nodes.Selector)}
        names = {_MARKS.sub("", step).lower() for step in firsts if isinstance(step, str)}
        return bool(names & {name.lower() for name in top_level()})

    @cached_property
    def example(self) -> Verdict:
        """Whether any event matches, with the smallest one."""
        return find([(self.pattern, True)])

    @cached_property
    def counterexample(self) -> Verdict:
        """Whether any event does not match, with the smallest one; for a JSON pattern, any JSON object."""
        return find([(self.pattern, False)])


def of_tree(tree: nodes.Pattern) -> FilterPattern:
    """A pattern for a tree that has no text yet."""
    return FilterPattern(render(tree), tree, limits=False)


def groups(expression: nodes.Expression) -> Iterator[nodes.Group]:
    """Every group of an expression, from the outside in."""
    if isinstance(expression, nodes.Group):
        yield expression
        for term in expression.terms:
            yield from groups(term)


def groups_of(pattern: nodes.Pattern) -> Iterator[nodes.Group]:
    """Every group of a pattern."""
    for expression in nodes.expressions_of(pattern):
        yield from groups(expression)


def joined(kind: type[nodes.Group], terms: Iterable[nodes.Expression], span: nodes.Span) -> nodes.Expression:
    """Terms as one expression; a single term stays as it is, nested groups of the same kind are merged."""
    flat: list[nodes.Expression] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, nodes.Group) and isinstance(term, kind) else (term,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat), span)


def replaced(expression: nodes.Expression, old: nodes.Expression, new: nodes.Expression) -> nodes.Expression:
    """The expression with one of its nodes, known by identity, exchanged."""
    if expression is old:
        return new
    if isinstance(expression, nodes.Group):
        terms = [replaced(term, old, new) for term in expression.terms]
        if any(now is not before for now, before in zip(terms, expression.terms, strict=True)):
            return joined(type(expression), terms, expression.span)
    return expression


def exchanged(tree: nodes.Pattern, old: nodes.Expression, new: nodes.Expression) -> nodes.Pattern:
    """The pattern with one node of its conditions replaced."""
    if isinstance(tree, nodes.JsonPattern):
        return nodes.JsonPattern(replaced(tree.expression, old, new))
    assert isinstance(tree, nodes.DelimitedPattern)
    return nodes.DelimitedPattern(
        tuple(
            replace(column, condition=replaced(column.condition, old, new))
            if isinstance(column, nodes.Column) and column.condition is not None
            else column
            for column in tree.columns
        )
    )
