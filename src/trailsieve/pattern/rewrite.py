"""Patterns made of other patterns: terms joined, and parts replaced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from trailsieve.pattern import nodes
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.render import render


def of_tree(tree: nodes.Pattern) -> FilterPattern:
    """A pattern for a tree that has no text yet."""
    return FilterPattern(render(tree), tree, limits=False)


def joined(
    kind: type[nodes.Group], terms: Iterable[nodes.Expression], span: nodes.Span = nodes.NOWHERE
) -> nodes.Expression:
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
