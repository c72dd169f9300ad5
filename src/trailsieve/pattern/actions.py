"""What each part of the grammar becomes: parse actions, which take (text, start, tokens) and return nodes.

They raise `PatternError` for what is well formed and yet means nothing, such as `null` as a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trailsieve.pattern import mistakes
from trailsieve.pattern.nodes import (
    And,
    Column,
    Comparison,
    Ellipsis,
    Expression,
    Field,
    IsType,
    NotExists,
    Number,
    Or,
    Regex,
    Selector,
    Span,
    Step,
    String,
    TermRole,
    TextTerm,
    Value,
    Wildcard,
    terms_of,
)
from trailsieve.pattern.operators import OPERATORS, Operator
from trailsieve.pattern.regex import check_regex

if TYPE_CHECKING:
    from pyparsing import ParseResults as Tokens

SELECTOR_STEP = r"\.[\w-]+|\.\*|\.\['[^']+'\]|\[[0-9]+\]|\[\*\]"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_STEP = re.compile(SELECTOR_STEP)
_ESCAPE = re.compile(r'\\(["\\])')
_ROLES: dict[str, TermRole] = {"-": "excluded", "?": "optional"}
_MAX_EXPONENT = 2**31 - 1  # rule 38: 2147483648 is refused


def quoted(text: str, start: int, tokens: Tokens) -> String:
    """`"text"` without its quotes and escapes (rules 15 and 42)."""
    token = tokens[0]
    return String(_ESCAPE.sub(r"\1", token[1:-1]), True, Span(start, start + len(token)))


def bare(text: str, start: int, tokens: Tokens) -> Number | String:
    """A bare value: a number, if the text spells one (rules 33 and 41)."""
    token = tokens[0]
    span = Span(start, start + len(token))
    number = _NUMBER.fullmatch(token)
    if number:
        return Number(token, _number(text, start, token, number[1]), span)
    if token == "null":
        raise mistakes.located(text, start, "`null` is not a value", mistakes.null_hint(text))
    if "+" in token:
        at = start + token.index("+")
        raise mistakes.located(text, at, "`+` is only allowed in a number", mistakes.quote_hint(token))
    return String(token, False, span)


def _number(text: str, start: int, token: str, exponent: str | None) -> int | Decimal:
    if exponent is not None and abs(int(exponent[:12])) > _MAX_EXPONENT:
        raise mistakes.located(text, start, "the exponent of this number is too big")
    if token.lstrip("+-").isdigit() and len(token) < 400:
        return int(token)
    return Decimal(token)


def regex(text: str, start: int, tokens: Tokens) -> Regex:
    """`%source%` (rules 18 and 20)."""
    token = tokens[0]
    problem = check_regex(token[1:-1])
    if problem:
        raise mistakes.located(text, start + 1 + problem.offset, problem.message, problem.hint)
    return Regex(token[1:-1], Span(start, start + len(token)))


def selector(text: str, start: int, tokens: Tokens) -> Selector:
    """`$.a[0]` as its steps (rule 24)."""
    token = tokens[0]
    return Selector(_steps(token), Span(start, start + len(token)))


@lru_cache(maxsize=1024)
def _steps(token: str) -> tuple[Step, ...]:
    return tuple(_step(match[0]) for match in _STEP.finditer(token, 1))


def _step(text: str) -> Step:
    if text in ("[*]", ".*"):
        return Wildcard.ALL
    if text.startswith("["):
        return int(text[1:-1][:18])  # beyond any array that fits in memory
    return text[3:-2] if text.startswith(".[") else text[1:]


def _comparison(text: str, target: Selector | Field, operator: Operator, value: Value) -> Comparison:
    if OPERATORS[operator].is_ordering and not isinstance(value, Number):
        raise mistakes.located(
            text,
            value.span.start,
            f"`{operator}` compares with a bare number only",
            mistakes.order_hint(operator, value),
        )
    return Comparison(target, operator, value, Span(target.span.start, value.span.end))


def term(text: str, start: int, tokens: Tokens) -> Expression:
    """A selector and the test on it."""
    selector, test, *rest = tokens
    if test == "NOT":
        return NotExists(selector, Span(selector.span.start, rest[-1]))
    if test in ("NULL", "TRUE", "FALSE"):
        return IsType(selector, test, Span(selector.span.start, rest[-1]))
    return _comparison(text, selector, test, rest[0])


def field_term(text: str, start: int, tokens: Tokens) -> Comparison:
    """A comparison of a field of a space-delimited pattern."""
    field, operator, value = tokens
    return _comparison(text, field, operator, value)


def keyword_end(text: str, start: int, tokens: Tokens) -> list[Any]:
    """A keyword and the offset where it ends."""
    return [tokens[0], start + len(tokens[0])]


def joined(node: type[And] | type[Or]) -> Callable[[str, int, Tokens], Expression]:
    """An action that joins terms by && or ||; one term stays as it is."""

    def action(text: str, start: int, tokens: Tokens) -> Expression:
        if len(tokens) == 1:
            return tokens[0]  # type: ignore[no-any-return]
        terms: list[Expression] = []
        for token in tokens:
            terms.extend(token.terms if isinstance(token, node) else (token,))
        return node(tuple(terms), Span(terms[0].span.start, terms[-1].span.end))

    return action


def field_name(text: str, start: int, tokens: Tokens) -> Field:
    """The name of a field."""
    return Field(tokens[0], Span(start, start + len(tokens[0])))


def column(text: str, start: int, tokens: Tokens) -> Column | Ellipsis:
    """One position of a space-delimited pattern; its terms are about one field (rule 56)."""
    if not tokens:
        return Column("", span=Span(start, start))
    token = tokens[0]
    if token == "...":
        return Ellipsis(Span(start, start + 3))
    if isinstance(token, Field):
        return Column(token.name, span=token.span)
    fields = [term.target for term in terms_of(token) if isinstance(term.target, Field)]
    for field in fields[1:]:
        if field.name != fields[0].name:
            raise mistakes.located(
                text,
                field.span.start,
                f"this field is `{fields[0].name}`, so it cannot test `{field.name}`",
                f"test each field at its own position: [{fields[0].name} = …, {field.name} = …]",
            )
    return Column(fields[0].name, token, token.span)


def word(text: str, start: int, tokens: Tokens) -> String:
    """A text term without quotes."""
    return String(tokens[0], False, Span(start, start + len(tokens[0])))


def text_term(text: str, start: int, tokens: Tokens) -> TextTerm:
    """A text term with its role (rules 11, 12 and 14)."""
    *mark, value = tokens
    if mark and value.span.start != start + 1:
        raise mistakes.located(
            text, start, f"`{mark[0]}` without a term", f"put the term right after `{mark[0]}`"
        )
    if not value.text:
        hint = "remove it, or write the text to search for"
        raise mistakes.located(text, value.span.start, "an empty term", hint)
    role: TermRole = _ROLES[mark[0]] if mark else "required"
    return TextTerm(value.text, role, value.quoted, Span(start, value.span.end))
