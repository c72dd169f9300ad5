"""The opposite of a condition: filter patterns have no NOT, and an absent field fails every comparison."""

from __future__ import annotations

from dataclasses import replace

from trailsieve.pattern import nodes
from trailsieve.pattern.operators import OPERATORS


def excluded(expression: nodes.Expression) -> nodes.Expression:
    """The opposite: an absent field is not equal to anything, but every comparison with it is false."""
    opposite = negated(expression)
    terms = list(nodes.terms_of(opposite))
    same = len({term.target for term in terms}) == 1
    if isinstance(opposite, nodes.Group) and not (same and isinstance(opposite, nodes.And)):
        return replace(opposite, terms=tuple(map(_or_absent, opposite.terms)))
    return _or_absent(opposite)


def absent_too(expression: nodes.Expression) -> nodes.Expression:
    """The expression where null stands for an absent field too, as in SQL."""
    if isinstance(expression, nodes.Group):
        absent = {term.target for term in expression.terms if isinstance(term, nodes.NotExists)}
        return replace(
            expression,
            terms=tuple(
                term if getattr(term, "target", None) in absent else absent_too(term)
                for term in expression.terms
            ),
        )
    if isinstance(expression, nodes.IsType) and expression.type == "NULL":
        return nodes.Or((nodes.NotExists(expression.target), expression))
    return expression


def _or_absent(expression: nodes.Expression) -> nodes.Expression:
    terms = list(nodes.terms_of(expression))
    absent = [nodes.NotExists(t.target) for t in terms if isinstance(t, nodes.Comparison) and t.is_negative]  # type: ignore[arg-type]
    if not absent or len({term.target for term in terms}) > 1:
        return expression
    return nodes.Or((expression, absent[0]))


def negated(expression: nodes.Expression) -> nodes.Expression:
    """The opposite, for fields that are there: there is no NOT before a condition."""
    match expression:
        case nodes.And(terms):
            return nodes.Or(tuple(map(negated, terms)))
        case nodes.Or(terms):
            return nodes.And(tuple(map(negated, terms)))
        case nodes.NotExists(target):
            return nodes.Comparison(target, "=", nodes.String("*"))
        case nodes.IsType(target, name):
            return _not_of_type(target, name)
        case nodes.Comparison(target, operator, value):
            if is_any(expression):
                return nodes.NotExists(target)  # type: ignore[arg-type]
            return nodes.Comparison(target, OPERATORS[operator].opposite, value)


def _not_of_type(target: nodes.Selector, name: nodes.TypeName) -> nodes.Expression:
    if name == "NULL":
        return nodes.Comparison(target, "=", nodes.String("*"))
    return nodes.IsType(target, "FALSE" if name == "TRUE" else "TRUE")


def is_any(term: nodes.Expression) -> bool:
    """Whether a condition is true of any text and number."""
    return (
        isinstance(term, nodes.Comparison)
        and term.operator == "="
        and isinstance(term.value, nodes.String)
        and term.value.text == "*"
    )
