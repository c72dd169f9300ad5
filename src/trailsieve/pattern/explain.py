"""Why a pattern matches an event or not: each term with its value and result.

`logic.explanation` adds what would have to change.
"""

from __future__ import annotations

from typing import Any

from trailsieve import jsontext
from trailsieve.pattern import interpret, nodes, runtime
from trailsieve.pattern.delimited import columns, layout_of, values_of
from trailsieve.pattern.explanation import Explanation, Step
from trailsieve.pattern.near_miss import near_miss, state_of
from trailsieve.pattern.render import render, render_expression


def tested(pattern: nodes.Pattern, message: str | bytes) -> Explanation:
    """The terms of a pattern, tested on one raw log event; nothing yet of what would have to change."""
    text = render(pattern)
    if isinstance(pattern, nodes.JsonPattern):
        record = jsontext.decode_object(message)
        if record is None:
            return Explanation(text, False, "the event is not a JSON object, so no JSON pattern matches it")
        return _explained(text, _step(pattern.expression, record))
    line = message if isinstance(message, str) else message.decode("utf-8", "replace")
    match pattern:
        case nodes.RegexPattern(regex):
            verdict = interpret.matches_text(pattern, line)
            return _explained(text, Step(f"%{regex.source}%", verdict, term=regex))
        case nodes.TextPattern(terms):
            if not terms:
                return Explanation(text, True, "a pattern without terms matches every event")
            return _explained(text, _text_step(pattern, line))
        case nodes.DelimitedPattern():
            return _delimited(text, pattern, line)


def _explained(text: str, root: Step) -> Explanation:
    return Explanation(text, root.verdict, "", root)


def _step(expression: nodes.Expression, scope: Any) -> Step:
    match expression:
        case nodes.And(terms) | nodes.Or(terms):
            children = tuple(_step(term, scope) for term in terms)
            return _group("all of" if isinstance(expression, nodes.And) else "any of", children)
        case _:
            return _term_step(expression, scope)


def _group(text: str, children: tuple[Step, ...]) -> Step:
    verdicts = [child.verdict for child in children]
    return Step(text, all(verdicts) if text == "all of" else any(verdicts), children=children)


def _term_step(term: nodes.Term, scope: Any) -> Step:
    verdict = interpret.term_holds(term, scope)
    reason, instead = ("", None) if verdict else near_miss(term, scope)
    state, value = _seen(term, scope)
    return Step(render_expression(term), verdict, state, value, reason, (), term, instead)


def _seen(term: nodes.Term, scope: Any) -> tuple[str, Any]:
    """What a term is tested on, and the JSON type of that."""
    if isinstance(term.target, nodes.Field):
        return "string", scope[term.target.name]
    if term.target.wildcards:
        values = list(runtime.selected(scope, term.target.steps))
        if values or runtime.before_wildcard(scope, term.target.steps) is not runtime.ABSENT:
            return f"{len(values)} selected", values
        return "absent", None
    value = runtime.follow(scope, term.target.steps)  # type: ignore[arg-type]
    return state_of(value), None if value is runtime.ABSENT else value


def _text_step(pattern: nodes.TextPattern, line: str) -> Step:
    steps = []
    for term in pattern.terms:
        found = term.text in line
        shown = render(nodes.TextPattern((term,)))
        if term.role == "optional" and not pattern.is_any:
            steps.append(Step(shown, True, reason="ignored next to required and excluded terms"))
        else:
            steps.append(Step(shown, found != (term.role == "excluded"), term=term))
    return steps[0] if len(steps) == 1 else _group("any of" if pattern.is_any else "all of", tuple(steps))


def _delimited(text: str, pattern: nodes.DelimitedPattern, line: str) -> Explanation:
    values = columns(line, layout_of(pattern))
    if values is None:
        wanted = sum(isinstance(column, nodes.Column) for column in pattern.columns)
        return Explanation(text, False, f"the event has fewer than {wanted} space-delimited fields")
    steps = tuple(
        _step(column.condition, {column.name: value})
        for column, value in values_of(pattern, values)
        if column is not None and column.condition is not None
    )
    if not steps:
        return Explanation(text, True, "no field is tested")
    return _explained(text, steps[0] if len(steps) == 1 else _group("all of", steps))
