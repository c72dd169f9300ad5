"""What each part of the grammar becomes: parse actions, which take (text, start, tokens) and return nodes.

They raise `PatternError` for what is well formed and yet means nothing, such as `null` as a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol

from trailsieve.pattern import mistakes, nodes
from trailsieve.pattern.operators import OPERATORS, Operator
from trailsieve.pattern.regex import check_regex
from trailsieve.pattern.tokens import SELECTOR_STEP

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_STEP = re.compile(SELECTOR_STEP)
_ESCAPE = re.compile(r'\\(["\\])')
_ROLES: dict[str, nodes.TermRole] = {"-": "excluded", "?": "optional"}
_MAX_EXPONENT = 2**31 - 1  # rule 38: 2147483648 is refused


class Tokens(Protocol):
    """What the parts of an element became: pyparsing's `ParseResults`, or a tuple."""

    def __getitem__(self, index: int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


def quoted(text: str, start: int, tokens: Tokens) -> nodes.String:
    """`"text"` without its quotes and escapes (rules 15 and 42)."""
    token = tokens[0]
    return nodes.String(_ESCAPE.sub(r"\1", token[1:-1]), True, nodes.Span(start, start + len(token)))


def bare(text: str, start: int, tokens: Tokens) -> nodes.Number | nodes.String:
    """A bare value: a number, if the text spells one (rules 33 and 41)."""
    token = tokens[0]
    span = nodes.Span(start, start + len(token))
    number = _NUMBER.fullmatch(token)
    if number:
        return nodes.Number(token, _number(text, start, token, number[1]), span)
    if token == "null":
        raise mistakes.located(text, start, "`null` is not a value", mistakes.null_hint(text))
    if "+" in token:
        at = start + token.index("+")
        raise mistakes.located(text, at, "`+` is only allowed in a number", mistakes.plus_hint(token))
    return nodes.String(token, False, span)


def _number(text: str, start: int, token: str, exponent: str | None) -> int | Decimal:
    if exponent is not None and abs(int(exponent[:12])) > _MAX_EXPONENT:
        raise mistakes.located(text, start, "the exponent of this number is too big")
    if token.lstrip("+-").isdigit() and len(token) < 400:
        return int(token)
    return Decimal(token)


def regex(text: str, start: int, tokens: Tokens) -> nodes.Regex:
    """`%source%` (rules 18 and 20)."""
    token = tokens[0]
    problem = check_regex(token[1:-1])
    if problem:
        raise mistakes.located(text, start + 1 + problem.offset, problem.message, problem.hint)
    return nodes.Regex(token[1:-1], nodes.Span(start, start + len(token)))


def selector(text: str, start: int, tokens: Tokens) -> nodes.Selector:
    """`$.a[0]` as its steps (rule 24)."""
    token = tokens[0]
    return nodes.Selector(_steps(token), nodes.Span(start, start + len(token)))


@lru_cache(maxsize=1024)
def _steps(token: str) -> tuple[nodes.Step, ...]:
    return tuple(_step(match[0]) for match in _STEP.finditer(token, 1))


def _step(text: str) -> nodes.Step:
    if text in ("[*]", ".*"):
        return nodes.Wildcard.ALL
    if text.startswith("["):
        return int(text[1:-1][:18])  # beyond any array that fits in memory
    return text[3:-2] if text.startswith(".[") else text[1:]


def _comparison(
    text: str, target: nodes.Selector | nodes.Field, operator: Operator, value: nodes.Value
) -> nodes.Comparison:
    if OPERATORS[operator].is_ordering and not isinstance(value, nodes.Number):
        raise mistakes.located(
            text,
            value.span.start,
            f"`{operator}` compares with a bare number only",
            mistakes.order_hint(operator, value),
        )
    return nodes.Comparison(target, operator, value, nodes.Span(target.span.start, value.span.end))


def term(text: str, start: int, tokens: Tokens) -> nodes.Expression:
    """A selector and the test on it."""
    selector, test, *rest = tokens
    if test == "NOT":
        return nodes.NotExists(selector, nodes.Span(selector.span.start, rest[-1]))
    if test in ("NULL", "TRUE", "FALSE"):
        return nodes.IsType(selector, test, nodes.Span(selector.span.start, rest[-1]))
    return _comparison(text, selector, test, rest[0])


def field_term(text: str, start: int, tokens: Tokens) -> nodes.Comparison:
    """A comparison of a field of a space-delimited pattern."""
    field, operator, value = tokens
    return _comparison(text, field, operator, value)


def keyword_end(text: str, start: int, tokens: Tokens) -> list[Any]:
    """A keyword and the offset where it ends."""
    return [tokens[0], start + len(tokens[0])]


def joined(node: type[nodes.Group]) -> Callable[[str, int, Tokens], nodes.Expression]:
    """An action that joins terms by && or ||; one term stays as it is."""

    def action(text: str, start: int, tokens: Tokens) -> nodes.Expression:
        if len(tokens) == 1:
            return tokens[0]  # type: ignore[no-any-return]
        terms: list[nodes.Expression] = []
        for token in tokens:
            terms.extend(token.terms if isinstance(token, node) else (token,))
        return node(tuple(terms), nodes.Span(terms[0].span.start, terms[-1].span.end))

    return action


def field_name(text: str, start: int, tokens: Tokens) -> nodes.Field:
    """The name of a field."""
    return nodes.Field(tokens[0], nodes.Span(start, start + len(tokens[0])))


def column(text: str, start: int, tokens: Tokens) -> nodes.Column | nodes.Ellipsis:
    """One position of a space-delimited pattern; its terms are about one field (rule 56)."""
    if not tokens:
        return nodes.Column("", span=nodes.Span(start, start))
    token = tokens[0]
    if token == "...":
        return nodes.Ellipsis(nodes.Span(start, start + 3))
    if isinstance(token, nodes.Field):
        return nodes.Column(token.name, span=token.span)
    fields = [term.target for term in nodes.terms_of(token) if isinstance(term.target, nodes.Field)]
    for field in fields[1:]:
        if field.name != fields[0].name:
            raise mistakes.located(
                text,
                field.span.start,
                f"this field is `{fields[0].name}`, so it cannot test `{field.name}`",
                f"test each field at its own position: [{fields[0].name} = …, {field.name} = …]",
            )
    return nodes.Column(fields[0].name, token, token.span)


def word(text: str, start: int, tokens: Tokens) -> nodes.String:
    """A text term without quotes."""
    return nodes.String(tokens[0], False, nodes.Span(start, start + len(tokens[0])))


def text_term(text: str, start: int, tokens: Tokens) -> nodes.TextTerm:
    """A text term with its role (rules 11, 12 and 14)."""
    *mark, value = tokens
    if mark and value.span.start != start + 1:
        raise mistakes.located(
            text, start, f"`{mark[0]}` without a term", f"put the term right after `{mark[0]}`"
        )
    if not value.text:
        hint = "remove it, or write the text to search for"
        raise mistakes.located(text, value.span.start, "an empty term", hint)
    role: nodes.TermRole = _ROLES[mark[0]] if mark else "required"
    return nodes.TextTerm(value.text, role, value.quoted, nodes.Span(start, value.span.end))
