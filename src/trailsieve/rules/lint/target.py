"""The pattern that checks look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from trailsieve.logic.witness import Verdict, find
from trailsieve.pattern import nodes
from trailsieve.pattern.compiler import FilterPattern
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
