"""The negation of a condition, in a language without "not"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from trailsieve.pattern.nodes import (
    And,
    Comparison,
    Expression,
    IsType,
    NotExists,
    Or,
    Selector,
    String,
    TypeName,
)
from trailsieve.pattern.operators import OPERATORS

EXISTS = String("*")  # `$.a = "*"` is true of every string and number


def truth(target: Selector, value: bool) -> Or:
    """A test for true or false, which CloudTrail sometimes writes as strings (rule 28)."""
    return Or(
        (IsType(target, "TRUE" if value else "FALSE"), Comparison(target, "=", String(str(value).lower())))
    )


def negation(expression: Expression) -> Expression:
    """The expression that is true of an event if the given one is not, even if the event lacks its fields."""
    match expression:
        case Or((IsType(target=target, type=name), Comparison(value=String()) as text)) if name != "NULL":
            return Or((_other(target, name), replace(text, operator="!="), NotExists(target)))
        case Or(terms):
            return _not_any(terms)
        case And(terms):
            return joined(Or, [negation(term) for term in terms])
        case NotExists(target=target):
            return Comparison(target, "=", EXISTS)
        case Comparison(target=Selector() as target, operator="=", value=value) if value == EXISTS:
            return NotExists(target)
        case Comparison(target=Selector() as target, operator=operator):
            opposite = replace(expression, operator=OPERATORS[operator].opposite)
            return joined(Or, [opposite, NotExists(target)])
        case IsType(target=target, type="NULL"):
            return Comparison(target, "=", EXISTS)
        case IsType(target=target, type=name):
            return Or((_other(target, name), Comparison(target, "=", EXISTS), NotExists(target)))
    raise TypeError(f"no negation of {expression}")


def _other(target: Selector, name: TypeName) -> IsType:
    return IsType(target, "FALSE" if name == "TRUE" else "TRUE")


def _not_any(terms: tuple[Expression, ...]) -> Expression:
    """None of the terms; values of one field share a NOT EXISTS."""
    first = terms[0]
    if all(
        isinstance(term, Comparison)
        and isinstance(first, Comparison)
        and isinstance(term.target, Selector)
        and (term.target, term.operator) == (first.target, "=")
        and term.value != EXISTS
        for term in terms
    ):
        different = [replace(term, operator="!=") for term in terms if isinstance(term, Comparison)]
        assert isinstance(first, Comparison)
        assert isinstance(first.target, Selector)
        return joined(Or, [joined(And, [*different]), NotExists(first.target)])
    return joined(And, [negation(term) for term in terms])


def joined(kind: type[And] | type[Or], terms: Iterable[Expression]) -> Expression:
    """The different terms as one expression, && within && and || within || flattened; a single term alone."""
    parts = (part for term in terms for part in (term.terms if isinstance(term, kind) else (term,)))
    flat = tuple(dict.fromkeys(parts))
    return flat[0] if len(flat) == 1 else kind(flat)
