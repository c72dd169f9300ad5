"""A filter pattern in words: what each term requires of an event, as an indented tree."""

from __future__ import annotations

from collections.abc import Iterator

from trailsieve.pattern import nodes
from trailsieve.pattern.render import render, render_expression
from trailsieve.pattern.stars import in_words

Line = tuple[int, str, str]  # depth, text of the pattern, its meaning in words ("" if the text is clear)


def describe(pattern: nodes.Pattern) -> Iterator[Line]:
    """The tree of a pattern, line by line, from the top."""
    match pattern:
        case nodes.JsonPattern(expression):
            yield 0, "JSON pattern", "the event is a JSON object, and"
            yield from _expression(expression, 1)
        case nodes.RegexPattern():
            yield 0, "regex", "somewhere in the event's text"
            yield 1, render(pattern), ""
        case nodes.TextPattern(terms):
            yield 0, "text pattern", "" if terms else "matches every event"
            yield from _text_terms(pattern)
        case nodes.DelimitedPattern(columns):
            words = "the event's words, one for each name; the last name takes the rest"
            yield 0, "space-delimited pattern", words
            for column in columns:
                yield from _column(column)


def tree(pattern: nodes.Pattern, *, words: bool = True) -> str:
    """`describe` as text: one line a node, with the words in a column of their own."""
    lines = [("  " * depth + text, said if words else "") for depth, text, said in describe(pattern)]
    width = min(max(len(text) for text, _ in lines), 60)
    return "\n".join(f"{text:<{width}}  {said}".rstrip() for text, said in lines)


def _expression(expression: nodes.Expression, depth: int) -> Iterator[Line]:
    if isinstance(expression, nodes.Group):
        yield depth, "all of" if isinstance(expression, nodes.And) else "any of", ""
        for term in expression.terms:
            yield from _expression(term, depth + 1)
    else:
        yield depth, render_expression(expression), _term(expression)


def _term(term: nodes.Comparison | nodes.IsType | nodes.NotExists) -> str:
    target = term.target
    if isinstance(target, nodes.Selector) and target.wildcards:
        return _wildcard_term(term)
    match term:
        case nodes.NotExists():
            return "the field is absent (null is not)"  # rule 30
        case nodes.IsType(type=name):
            return f"the field is {name.lower()}" + ("" if name == "NULL" else ", the boolean")
        case nodes.Comparison(value=value) if term.is_ordering:
            return (
                "a number in the event" if isinstance(target, nodes.Selector) else "a word that is a number"
            )
        case nodes.Comparison(value=value):
            if not term.is_negative:
                return _value(value)
            others = "; false when absent, null, boolean, array or object"
            return f"anything but {_value(value)}{'' if isinstance(target, nodes.Field) else others}"


def _wildcard_term(term: nodes.Comparison | nodes.IsType | nodes.NotExists) -> str:
    match term:
        case nodes.NotExists():
            return "nothing is selected"  # rule 46
        case nodes.IsType(type=name):
            return f"any of them is {name.lower()}"
        case nodes.Comparison() if term.is_ordering:
            return "any of them, as numbers"
        case nodes.Comparison(value=value):
            return f"{'none' if term.is_negative else 'any'} of them is {_value(value)}"  # rule 45


def _value(value: nodes.Value) -> str:
    match value:
        case nodes.Number(text=text):
            return f"the number {text}, however it is written, or a string with the same text"  # rules 33, 34
        case nodes.Regex():
            return "text in which the regex finds a match"
    return in_words(value.parts) if len(value.parts) > 1 else "exactly this text"


def _text_terms(pattern: nodes.TextPattern) -> Iterator[Line]:
    said = {
        "required": "is in the event's text",
        "excluded": "is not in it",
        "optional": "is enough on its own"
        if pattern.is_any
        else "ignored, because there are terms without ?",
    }
    for term in pattern.terms:
        yield 1, render(nodes.TextPattern((term,))), said[term.role]


def _column(column: nodes.Column | nodes.Ellipsis) -> Iterator[Line]:
    if isinstance(column, nodes.Ellipsis):
        yield 1, "...", "any number of words, including none"  # rule 52
    elif column.condition is None:
        yield 1, column.name or "(no name)", "any word"
    else:
        yield from _expression(column.condition, 1)
