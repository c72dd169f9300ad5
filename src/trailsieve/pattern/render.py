"""From nodes back to pattern text, in one canonical form: parsing it gives an equal tree."""

from __future__ import annotations

import re

from trailsieve.pattern import nodes

PLAIN_NAME = re.compile(r"[\w-]+")
_ROLE_MARKS = {"required": "", "excluded": "-", "optional": "?"}


def render(pattern: nodes.Pattern) -> str:
    """The canonical text of a pattern."""
    match pattern:
        case nodes.JsonPattern(expression):
            return f"{{ {render_expression(expression)} }}"
        case nodes.RegexPattern(regex):
            return f"%{regex.source}%"
        case nodes.TextPattern(terms):
            return " ".join(map(_text_term, terms))
        case nodes.DelimitedPattern(columns):
            return f"[{', '.join(map(_column, columns))}]"


def render_expression(expression: nodes.Expression) -> str:
    """The text of an expression; every && or || inside another gets brackets."""
    match expression:
        case nodes.And(terms):
            return " && ".join(map(_operand, terms))
        case nodes.Or(terms):
            return " || ".join(map(_operand, terms))
        case nodes.Comparison(target=target, operator=operator, value=value):
            return f"{render_target(target)} {operator} {_value(value)}"
        case nodes.IsType(target=target, type=name):
            return f"{render_target(target)} IS {name}"
        case nodes.NotExists(target=target):
            return f"{render_target(target)} NOT EXISTS"


def _operand(expression: nodes.Expression) -> str:
    text = render_expression(expression)
    return f"({text})" if isinstance(expression, nodes.Group) else text


def render_target(target: nodes.Selector | nodes.Field) -> str:
    """The text of what a term tests: a selector or the name of a field."""
    if isinstance(target, nodes.Field):
        return target.name
    steps = "".join(map(_step, target.steps))
    return "$" + (steps.replace("[*]", ".*", 1) if steps.startswith("[*]") else steps)  # `$[` is refused


def _step(step: nodes.Step) -> str:
    if isinstance(step, nodes.Wildcard):
        return "[*]"
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if PLAIN_NAME.fullmatch(step) else f".['{step}']"


def _value(value: nodes.Value) -> str:
    if isinstance(value, nodes.Number):
        return value.text
    if isinstance(value, nodes.Regex):
        return f"%{value.source}%"
    return quoted(value.text) if value.quoted else value.text


def quoted(text: str) -> str:
    """The text as a pattern writes it between double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text_term(term: nodes.TextTerm) -> str:
    return _ROLE_MARKS[term.role] + (quoted(term.text) if term.quoted else term.text)


def _column(column: nodes.Column | nodes.Ellipsis) -> str:
    if isinstance(column, nodes.Ellipsis):
        return "..."
    if column.condition is None:
        return column.name
    return _condition(column.condition)


def _condition(expression: nodes.Expression) -> str:
    """Conditions of columns have no brackets; && binds tighter (rule 56)."""
    match expression:
        case nodes.And(terms):
            return " && ".join(map(_condition, terms))
        case nodes.Or(terms):
            return " || ".join(map(_condition, terms))
        case _:
            return render_expression(expression)
