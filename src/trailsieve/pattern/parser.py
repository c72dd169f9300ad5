"""From pattern text to nodes: picks the language, runs its grammar, and turns failures into `PatternError`.

What a failure's message and hint say is `mistakes`' business; what AWS refuses for its size, `limits`'.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

import pyparsing as pp

from trailsieve.errors import PatternError
from trailsieve.pattern import grammar, mistakes
from trailsieve.pattern.limits import MAX_NESTING, check_depth, check_length, check_limits, check_nesting
from trailsieve.pattern.nodes import (
    And,
    Column,
    Comparison,
    DelimitedPattern,
    Ellipsis,
    Expression,
    Field,
    IsType,
    JsonPattern,
    NotExists,
    Number,
    Or,
    Pattern,
    Regex,
    RegexPattern,
    Selector,
    Span,
    Step,
    String,
    TermRole,
    TextPattern,
    TextTerm,
    Value,
    Wildcard,
)
from trailsieve.pattern.operators import OPERATORS, Operator
from trailsieve.pattern.regex import check_regex

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE]([+-]?[0-9]+))?")
_STEP = re.compile(grammar.SELECTOR_STEP)
_ESCAPE = re.compile(r'\\(["\\])')
_ROLES: dict[str, TermRole] = {"-": "excluded", "?": "optional"}
_MAX_EXPONENT = 2**31 - 1  # rule 38: 2147483648 is refused
_FRAMES_PER_BRACKET = 40  # Python frames that the grammar takes for one level of brackets


def parse(text: str, *, limits: bool = True) -> Pattern:
    """The syntax tree of a filter pattern.

    Args:
        text: the pattern; its first character picks the language (rule 1).
        limits: refuse what AWS refuses for its size (rules 2, 21, 25).

    Raises:
        PatternError: the pattern is not one that AWS takes.
    """
    if limits:
        check_length(text)
    pattern = _parse_language(text)
    check_depth(text, pattern)
    if limits:
        check_limits(text, pattern)
    return pattern


def parse_selector(text: str) -> Selector:
    """One selector alone, such as `$.userIdentity.arn`.

    Raises:
        PatternError: it is none.
    """
    try:
        selector: Selector = _run(grammar.selector_alone, text)[0]
    except PatternError as error:
        message = "a selector starts with `$.`" if error.column == 1 else "this cannot stand in a selector"
        raise PatternError(message, error.column, "write it like $.userIdentity.arn", text) from None
    return selector


def _parse_language(text: str) -> Pattern:
    match text[:1]:
        case "{":
            check_nesting(text)
            return JsonPattern(_run(grammar.json_pattern, text)[0])
        case "%":
            return RegexPattern(_run(grammar.regex_pattern, text)[0])
        case "[":
            columns = tuple(_run(grammar.delimited_pattern, text))
            _check_columns(text, columns)
            # Rule 53: `[]` has no column and matches every event.
            return DelimitedPattern(() if columns == (Column(""),) else columns)
        case _:
            return TextPattern(_joined_terms(text, tuple(_run(grammar.text_pattern, text))))


def _run(element: pp.ParserElement, text: str) -> list[Any]:
    try:
        with _deep_recursion():
            return element.parse_string(text).as_list()
    except pp.ParseBaseException as failure:
        raise mistakes.explain(text, failure.loc, failure.msg) from None
    except _MistakeError as mistake:
        raise mistakes.located(text, mistake.start, mistake.message, mistake.hint) from None


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for `MAX_NESTING` brackets. Python frames alone: since 3.11 they take no C stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, MAX_NESTING * _FRAMES_PER_BRACKET + 1000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _MistakeError(Exception):
    """Raised in parse actions; pyparsing lets it through untouched."""

    def __init__(self, start: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.start = start
        self.message = message
        self.hint = hint


# --- parse actions: (text, start, tokens) -> node ---


def _quoted(text: str, start: int, tokens: pp.ParseResults) -> String:
    token = tokens[0]
    return String(_ESCAPE.sub(r"\1", token[1:-1]), True, Span(start, start + len(token)))


def _bare(text: str, start: int, tokens: pp.ParseResults) -> Number | String:
    token = tokens[0]
    span = Span(start, start + len(token))
    number = _NUMBER.fullmatch(token)
    if number:
        return Number(token, _number(token, number[1], start), span)
    if token == "null":
        raise _MistakeError(start, "`null` is no value", mistakes.null_hint(text))
    if "+" in token:
        at = start + token.index("+")
        raise _MistakeError(at, "`+` stands only in a number", mistakes.quote_hint(token))
    return String(token, False, span)


def _number(token: str, exponent: str | None, start: int) -> int | Decimal:
    if exponent is not None and abs(int(exponent[:12])) > _MAX_EXPONENT:
        raise _MistakeError(start, "the exponent of this number is too big")
    if token.lstrip("+-").isdigit() and len(token) < 400:
        return int(token)
    return Decimal(token)


def _regex(text: str, start: int, tokens: pp.ParseResults) -> Regex:
    token = tokens[0]
    problem = check_regex(token[1:-1])
    if problem:
        raise _MistakeError(start + 1 + problem.offset, problem.message, problem.hint)
    return Regex(token[1:-1], Span(start, start + len(token)))


def _selector(text: str, start: int, tokens: pp.ParseResults) -> Selector:
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


def _comparison(target: Selector | Field, operator: Operator, value: Value) -> Comparison:
    if OPERATORS[operator].is_ordering and not isinstance(value, Number):
        raise _MistakeError(
            value.span.start,
            f"`{operator}` compares with a bare number only",
            mistakes.order_hint(operator, value),
        )
    return Comparison(target, operator, value, Span(target.span.start, value.span.end))


def _term(text: str, start: int, tokens: pp.ParseResults) -> Expression:
    selector, test, *rest = tokens
    if test == "NOT":
        return NotExists(selector, Span(selector.span.start, rest[-1]))
    if test in ("NULL", "TRUE", "FALSE"):
        return IsType(selector, test, Span(selector.span.start, rest[-1]))
    return _comparison(selector, test, rest[0])


def _field_term(text: str, start: int, tokens: pp.ParseResults) -> Comparison:
    field, operator, value = tokens
    return _comparison(field, operator, value)


def _keyword_end(text: str, start: int, tokens: pp.ParseResults) -> list[Any]:
    return [tokens[0], start + len(tokens[0])]


def _joined(node: type[And] | type[Or]) -> Callable[[str, int, pp.ParseResults], Expression]:
    def action(text: str, start: int, tokens: pp.ParseResults) -> Expression:
        if len(tokens) == 1:
            return tokens[0]  # type: ignore[no-any-return]
        terms: list[Expression] = []
        for token in tokens:
            terms.extend(token.terms if isinstance(token, node) else (token,))
        return node(tuple(terms), Span(terms[0].span.start, terms[-1].span.end))

    return action


def _field_name(text: str, start: int, tokens: pp.ParseResults) -> Field:
    return Field(tokens[0], Span(start, start + len(tokens[0])))


def _column(text: str, start: int, tokens: pp.ParseResults) -> Column | Ellipsis:
    if not tokens:
        return Column("", span=Span(start, start))
    token = tokens[0]
    if token == "...":
        return Ellipsis(Span(start, start + 3))
    if isinstance(token, Field):
        return Column(token.name, span=token.span)
    fields = [term.target for term in _comparisons(token)]
    for field in fields[1:]:
        if field.name != fields[0].name:
            raise _MistakeError(
                field.span.start,
                f"this field is `{fields[0].name}`, so it cannot test `{field.name}`",
                f"test each field in its own place: [{fields[0].name} = …, {field.name} = …]",
            )
    return Column(fields[0].name, token, token.span)


def _comparisons(expression: Any) -> Iterator[Any]:
    if isinstance(expression, And | Or):
        for term in expression.terms:
            yield from _comparisons(term)
    else:
        yield expression


def _word(text: str, start: int, tokens: pp.ParseResults) -> String:
    return String(tokens[0], False, Span(start, start + len(tokens[0])))


def _text_term(text: str, start: int, tokens: pp.ParseResults) -> TextTerm:
    *mark, value = tokens
    if mark and value.span.start != start + 1:
        raise _MistakeError(start, f"`{mark[0]}` stands alone", f"put the term right after `{mark[0]}`")
    if not value.text:
        hint = "leave it out, or write the text to look for"
        raise _MistakeError(value.span.start, "an empty term", hint)
    role: TermRole = _ROLES[mark[0]] if mark else "required"
    return TextTerm(value.text, role, value.quoted, Span(start, value.span.end))


grammar.quoted.set_parse_action(_quoted)
grammar.bare.set_parse_action(_bare)
grammar.regex.set_parse_action(_regex)
grammar.selector.set_parse_action(_selector)
grammar.null.set_parse_action(_keyword_end)
grammar.true.set_parse_action(_keyword_end)
grammar.false.set_parse_action(_keyword_end)
grammar.exists.set_parse_action(_keyword_end)
grammar.term.set_parse_action(_term)
grammar.conjunction.set_parse_action(_joined(And))
grammar.expression.set_parse_action(_joined(Or))
grammar.field_name.set_parse_action(_field_name)
grammar.field_term.set_parse_action(_field_term)
grammar.field_conjunction.set_parse_action(_joined(And))
grammar.field_condition.set_parse_action(_joined(Or))
grammar.column.set_parse_action(_column)
grammar.word.set_parse_action(_word)
grammar.text_term.set_parse_action(_text_term)


# --- checks on the whole pattern ---


def _check_columns(text: str, columns: tuple[Column | Ellipsis, ...]) -> None:
    """At most one `...` and no name twice (rules 52 and 57)."""
    seen: set[str] = set()
    for column in columns:
        name = "..." if isinstance(column, Ellipsis) else column.name
        if name and name in seen:
            hint = "one ... is enough" if name == "..." else "each field needs a name of its own, or none"
            raise mistakes.located(text, column.span.start, f"duplicate field `{name}`", hint)
        seen.add(name)


def _joined_terms(text: str, terms: tuple[TextTerm, ...]) -> tuple[TextTerm, ...]:
    """Refuses text glued to a quoted term (rule 14)."""
    for before, after in pairwise(terms):
        if before.span.end == after.span.start and (before.quoted or after.quoted):
            raise mistakes.located(
                text,
                after.span.start,
                "two terms without a blank between them",
                "put a blank between the terms",
            )
    return terms
