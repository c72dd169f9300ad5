"""The reference interpreter of filter patterns: simple rather than fast.

The compiled predicate must agree with it on every input. `explain` uses it.
"""

from __future__ import annotations

from typing import Any

from trailsieve.pattern import nodes, runtime
from trailsieve.pattern.delimited import columns, layout_of, values_of
from trailsieve.pattern.operators import OPERATORS
from trailsieve.pattern.regex import searcher


def matches_record(pattern: nodes.JsonPattern, record: Any) -> bool:
    """Whether a JSON pattern matches a decoded event; only an object ever does (rule 23)."""
    return record.__class__ is dict and holds(pattern.expression, record)


def matches_text(pattern: nodes.Pattern, text: str) -> bool:
    """Whether a pattern of another language than JSON matches an event's text."""
    match pattern:
        case nodes.RegexPattern(regex):
            return searcher(regex.source)(text)
        case nodes.TextPattern():
            return _text_matches(pattern, text)
        case nodes.DelimitedPattern():
            return _delimited_matches(pattern, text)
        case nodes.JsonPattern():
            raise TypeError("a JSON pattern needs a decoded event")


def holds(expression: nodes.Expression, scope: Any) -> bool:
    """Whether an expression is true of a decoded event, or of a dict of field values."""
    match expression:
        case nodes.And(terms):
            return all(holds(term, scope) for term in terms)
        case nodes.Or(terms):
            return any(holds(term, scope) for term in terms)
        case _:
            return term_holds(expression, scope)


def term_holds(term: nodes.Term, scope: Any) -> bool:
    """Whether one term is true."""
    if isinstance(term.target, nodes.Field):
        assert isinstance(term, nodes.Comparison)
        return _field_holds(term, scope[term.target.name])
    if term.target.wildcards:
        return _wildcard_holds(term, term.target, scope)
    return value_holds(term, runtime.follow(scope, term.target.steps))  # type: ignore[arg-type]


def value_holds(term: nodes.Term, value: Any) -> bool:
    """Whether a term is true of the value that its selector leads to; it may be `ABSENT` (rules 26 to 39)."""
    match term:
        case nodes.NotExists():
            return value is runtime.ABSENT
        case nodes.IsType(type="NULL"):
            return runtime.is_null(value)
        case nodes.IsType(type=name):
            return value is (name == "TRUE")
        case nodes.Comparison():
            return _compare(term, value)


def _compare(term: nodes.Comparison, value: Any) -> bool:
    if isinstance(term.value, nodes.Number) and term.is_ordering:
        number = runtime.number_of(value)
        return number is not None and OPERATORS[term.operator].compare(number, term.value.value)
    if term.is_negative:
        return _is_comparable(value, term.value) and not _is_equal(value, term.value)
    return _is_equal(value, term.value)


def _is_comparable(value: Any, operand: nodes.Value) -> bool:
    """Rules 26 to 29: absent, null, booleans, arrays and objects fail `!=` too; so do huge numbers (38)."""
    if isinstance(operand, nodes.Number) and not isinstance(value, str):
        return runtime.number_of(value) is not None
    return runtime.text_of(value) is not None


def _is_equal(value: Any, operand: nodes.Value) -> bool:
    text = runtime.text_of(value)
    if text is None:
        return False
    match operand:
        case nodes.Number(literal, number):
            return text == literal if isinstance(value, str) else runtime.number_of(value) == number
        case nodes.String():
            return (
                text == operand.text
                if len(operand.parts) == 1
                else runtime.match_wildcards(text, operand.parts)
            )
        case _:
            return searcher(operand.source)(text)


def _wildcard_holds(term: nodes.Term, selector: nodes.Selector, record: Any) -> bool:
    """Rules 45 to 47; ordering and IS TRUE/FALSE over a wildcard: any value, INFERRED."""
    values = list(runtime.selected(record, selector.steps))
    match term:
        case nodes.NotExists():
            return not values
        case nodes.IsType(type="NULL"):
            return any(value is None for value in values)
        case nodes.Comparison(value=operand) if term.is_negative:
            exists = runtime.before_wildcard(record, selector.steps) is not runtime.ABSENT
            return exists and not any(_is_equal(value, operand) for value in values)
        case _:
            return any(value_holds(term, value) for value in values)


def _text_matches(pattern: nodes.TextPattern, text: str) -> bool:
    """Rules 8, 11 and 12."""
    if pattern.is_any:
        return any(term in text for term in pattern.texts("optional"))
    required, excluded = pattern.texts("required"), pattern.texts("excluded")
    return all(term in text for term in required) and not any(term in text for term in excluded)


def _delimited_matches(pattern: nodes.DelimitedPattern, text: str) -> bool:
    values = columns(text, layout_of(pattern))
    if values is None:
        return False
    return all(
        column is None or column.condition is None or holds(column.condition, {column.name: value})
        for column, value in values_of(pattern, values)
    )


def _field_holds(term: nodes.Comparison, token: str) -> bool:
    """Rule 55: a bare number compares by value, anything else as text; `!=` is the opposite of `=`."""
    value: Any = runtime.number_in(token) if isinstance(term.value, nodes.Number) else token
    return not _is_equal(value, term.value) if term.is_negative else _compare(term, value)
