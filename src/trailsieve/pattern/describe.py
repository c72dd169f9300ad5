"""A filter pattern in words: what each term requires of an event, as an indented tree."""

from __future__ import annotations

from collections.abc import Iterator

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
    TextPattern,
    TextTerm,
    Value,
)
from trailsieve.pattern.render import render, render_expression

Line = tuple[int, str, str]  # depth, text of the pattern, its meaning in words ("" if the text is clear)


def describe(pattern: Pattern) -> Iterator[Line]:
    """The tree of a pattern, line by line, from the top."""
    match pattern:
        case JsonPattern(expression):
            yield 0, "JSON pattern", "the event is a JSON object, and"
            yield from _expression(expression, 1)
        case RegexPattern():
            yield 0, "regex", "somewhere in the event's text"
            yield 1, render(pattern), ""
        case TextPattern(terms):
            yield 0, "text pattern", "" if terms else "matches every event"
            yield from _text_terms(terms)
        case DelimitedPattern(columns):
            yield (
                0,
                "space-delimited pattern",
                "the event's words, one for each name; the last name takes the rest",
            )
            for column in columns:
                yield from _column(column)


def tree(pattern: Pattern, *, words: bool = True) -> str:
    """`describe` as text: one line a node, with the words in a column of their own."""
    lines = [("  " * depth + text, said if words else "") for depth, text, said in describe(pattern)]
    width = min(max(len(text) for text, _ in lines), 60)
    return "\n".join(f"{text:<{width}}  {said}".rstrip() for text, said in lines)


def _expression(expression: Expression, depth: int) -> Iterator[Line]:
    if isinstance(expression, And | Or):
        yield depth, "all of" if isinstance(expression, And) else "any of", ""
        for term in expression.terms:
            yield from _expression(term, depth + 1)
    else:
        yield depth, render_expression(expression), _term(expression)


def _term(term: Comparison | IsType | NotExists) -> str:
    target = term.target
    if isinstance(target, Selector) and target.wildcards:
        return _wildcard_term(term)
    match term:
        case NotExists():
            return "the field is absent (null is not)"  # rule 30
        case IsType(type=name):
            return f"the field is {name.lower()}" + ("" if name == "NULL" else ", the boolean")
        case Comparison(value=value) if term.is_ordering:
            return "a number in the event" if isinstance(target, Selector) else "a word that is a number"
        case Comparison(value=value):
            if not term.is_negative:
                return _value(value)
            others = "; false when absent, null, boolean, array or object"
            return f"anything but {_value(value)}{'' if isinstance(target, Field) else others}"


def _wildcard_term(term: Comparison | IsType | NotExists) -> str:
    match term:
        case NotExists():
            return "nothing is selected"  # rule 46
        case IsType(type=name):
            return f"any of them is {name.lower()}"
        case Comparison() if term.is_ordering:
            return "any of them, as numbers"
        case Comparison(value=value):
            return f"{'none' if term.is_negative else 'any'} of them is {_value(value)}"  # rule 45


def _value(value: Value) -> str:
    match value:
        case Number(text=text):
            return f"the number {text}, however it is written, or a string with the same text"  # rules 33, 34
        case Regex():
            return "text in which the regex finds a match"
    before, *rest = value.parts
    if not rest:
        return "exactly this text"
    if not any(value.parts):
        return "any string or number, including the empty string"  # rule 39
    if len(rest) == 1 and before and not rest[0]:
        return f"text that begins with {_quote(before)}"
    if len(rest) == 1 and rest[0] and not before:
        return f"text that ends with {_quote(rest[0])}"
    if len(rest) == 2 and not before and not rest[1]:
        return f"text that contains {_quote(rest[0])}"
    return "text with these parts in order"  # rule 40


def _quote(text: str) -> str:
    return f'"{text}"'


def _text_terms(terms: tuple[TextTerm, ...]) -> Iterator[Line]:
    """Rule 12: optional terms count only where all terms are optional."""
    decisive = any(term.role != "optional" for term in terms)
    said = {
        "required": "is in the event's text",
        "excluded": "is not in it",
        "optional": "ignored, because there are terms without ?" if decisive else "is enough on its own",
    }
    for term in terms:
        yield 1, render(TextPattern((term,))), said[term.role]


def _column(column: Column | Ellipsis) -> Iterator[Line]:
    if isinstance(column, Ellipsis):
        yield 1, "...", "any number of words, including none"  # rule 52
    elif column.condition is None:
        yield 1, column.name or "(no name)", "any word"
    else:
        yield from _expression(column.condition, 1)
