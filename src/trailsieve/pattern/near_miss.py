"""Why a term is false of a value where that is surprising, and the condition that was probably meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trailsieve.errors import shorten
from trailsieve.pattern import interpret, nodes, runtime
from trailsieve.pattern.lenient_tokens import unfilled
from trailsieve.pattern.regex import check_regex
from trailsieve.pattern.render import render_target
from trailsieve.pattern.stars import as_regex, class_of_numbers, ends_too_late

Miss = tuple[str, nodes.Expression | None]  # the reason, and what to write instead
_PLAIN: Miss = ("", None)
_ANYWHERE = nodes.Selector(())


def state_of(value: Any) -> str:
    """The JSON type of a value, `absent` for none."""
    if value is runtime.ABSENT:
        return "absent"
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    return {str: "string", list: "array", dict: "object"}.get(value.__class__, "number")


def near_miss(term: nodes.Term, scope: Any) -> Miss:
    """Why a false term is false of a decoded event or of a column, and what is true of it instead."""
    if isinstance(term.target, nodes.Field):
        assert isinstance(term, nodes.Comparison)
        return _text(term, scope[term.target.name])
    if term.target.wildcards:
        return _wildcard(term, term.target, scope)
    value = runtime.follow(scope, term.target.steps)  # type: ignore[arg-type]
    match term:
        case nodes.NotExists():
            return f"the field exists ({state_of(value)})", _or_empty(term, value)
        case nodes.IsType():
            return _type(term, value)
        case nodes.Comparison():
            return _comparison(term, term.target, value, scope)


def _or_empty(term: nodes.NotExists, value: Any) -> nodes.Expression | None:
    """Null and "" are often taken for absent."""
    if value is None:
        return nodes.Or((term, nodes.IsType(term.target, "NULL")))
    return nodes.Or((term, nodes.Comparison(term.target, "=", nodes.String("")))) if value == "" else None


def _wildcard(term: nodes.Term, selector: nodes.Selector, scope: Any) -> Miss:
    if runtime.before_wildcard(scope, selector.steps) is not runtime.ABSENT:
        return _PLAIN
    base = nodes.Selector(selector.steps[: selector.steps.index(nodes.Wildcard.ALL)])
    negative = isinstance(term, nodes.Comparison) and term.is_negative and base.steps
    instead = nodes.Or((term, nodes.NotExists(base))) if negative else None
    return "the part before the wildcard is absent", instead


def _type(term: nodes.IsType, value: Any) -> Miss:
    state = state_of(value)
    if state == "absent" and term.type == "NULL":
        return "an absent field is not null", nodes.Or((term, nodes.NotExists(term.target)))
    if state == "string" and term.type != "NULL":
        text = nodes.Comparison(term.target, "=", nodes.String(value))
        meant = value.lower() == term.type.lower()
        reason = f"the field is a string, and IS {term.type} is only true of booleans"
        return reason, text if meant else None
    article = {"array": "an ", "object": "an ", "number": "a ", "string": "a "}.get(state, "")
    return f"the field is {article}{state}", None


def _comparison(term: nodes.Comparison, selector: nodes.Selector, value: Any, scope: Any) -> Miss:
    state = state_of(value)
    match state:
        case "absent":
            return _absent(term, selector, scope)
        case "null" | "true" | "false":
            kind, test = (
                "null" if state == "null" else "a boolean",
                f"{render_target(selector)} IS {state.upper()}",
            )
            reason = f"comparisons with {kind} are always false; `{test}` tests for it"
            return reason, _is_type(term, selector, state)
        case "array" | "object":
            inner = f"`{render_target(selector)}[*]`"
            reason = f"comparisons with an {state} are always false; {inner} selects its values"
            return reason, _inside(term, selector, value, scope)
        case _:
            return _text(term, value)


def _absent(term: nodes.Comparison, selector: nodes.Selector, scope: Any) -> Miss:
    for place, step in enumerate(selector.steps):
        if isinstance(step, str) and isinstance(_at(scope, selector.steps[:place]), list):
            every = (*selector.steps[:place], nodes.Wildcard.ALL, *selector.steps[place:])
            above = render_target(nodes.Selector(selector.steps[:place]))
            return f"{above} is an array, which has elements and no fields", _if_true(term, every, scope)
    instead = nodes.Or((term, nodes.NotExists(selector))) if term.is_negative else None
    return "false because the field is absent", instead


def _at(scope: Any, steps: tuple[nodes.Step, ...]) -> Any:
    return runtime.follow(scope, steps)  # type: ignore[arg-type]


def _is_type(term: nodes.Comparison, selector: nodes.Selector, state: str) -> nodes.Expression | None:
    """The test of a boolean or null that was compared with its own name; an exclusion is relaxed."""
    names: dict[str, nodes.TypeName] = {"null": "NULL", "true": "TRUE", "false": "FALSE"}
    test = nodes.IsType(selector, names[state])
    named = "" if isinstance(term.value, nodes.Regex) else term.value.text.lower()
    if term.is_negative:
        of_kind = ("null",) if state == "null" else ("true", "false")
        return test if named in of_kind and named != state else nodes.Or((term, test))
    return test if named == state else None


def _inside(
    term: nodes.Comparison, selector: nodes.Selector, value: Any, scope: Any
) -> nodes.Expression | None:
    """The same comparison with what an array or object holds."""
    steps: Iterator[nodes.Step] = iter([nodes.Wildcard.ALL] if isinstance(value, list) else value)
    found = (_if_true(term, (*selector.steps, step), scope) for step in steps)
    return next((instead for instead in found if instead), None)


def _if_true(term: nodes.Comparison, steps: tuple[nodes.Step, ...], scope: Any) -> nodes.Expression | None:
    other = replace(term, target=nodes.Selector(steps))
    return other if interpret.term_holds(other, scope) else None


def _text(term: nodes.Comparison, value: Any) -> Miss:
    """Of a string or a number."""
    operand, in_json = term.value, isinstance(value, str) and isinstance(term.target, nodes.Selector)
    if term.is_ordering:
        reason = "false because the field is a string: only JSON numbers can be ordered"
        return (reason, None) if in_json else _PLAIN
    if term.is_negative or isinstance(operand, nodes.Regex):
        return _PLAIN
    if isinstance(operand, nodes.Number):
        return (f"the field is a string: it must be exactly `{operand.text}`", None) if in_json else _PLAIN
    seen = runtime.text_of(value) or ""
    if ends_too_late(seen, operand.parts):
        return _found_earlier(term, operand.parts)
    if isinstance(value, int | Decimal):
        number = _as_number(term, operand, value)
        reason, instead = _PLAIN if number else _with_other_wildcards(term, operand, seen)
        return reason or f"text is compared with the number's text, {seen}", number or instead
    if recased := _recased(operand.parts, seen):
        instead = replace(term, value=nodes.String(recased, operand.quoted))
        return "it differs only in case, and patterns are case-sensitive", instead
    return _with_other_wildcards(term, operand, seen)


def _with_other_wildcards(term: nodes.Comparison, operand: nodes.String, seen: str) -> Miss:
    for reason, other in _with_wildcards(operand.text):
        instead = replace(term, value=other)
        if interpret.value_holds(replace(instead, target=_ANYWHERE), seen):
            return reason, instead
    return _PLAIN


def _found_earlier(term: nodes.Comparison, parts: tuple[str, ...]) -> Miss:
    """Rule 40."""
    reason = f'the first "{parts[-1]}" is not at the end, and a star looks no further'
    return reason, replace(term, value=nodes.Regex(as_regex(parts)))


def _as_number(term: nodes.Comparison, operand: nodes.String, value: Any) -> nodes.Expression | None:
    number = runtime.number_in(operand.text)
    if number is None or runtime.number_of(value) != number:
        return None
    return replace(term, value=nodes.Number(operand.text, number))


def _with_wildcards(text: str) -> Iterator[tuple[str, nodes.Value]]:
    """What a value may have been meant to be that has the wildcards of another language, or a regex's."""
    as_it_stands = f"`{shorten(text, 40)}` is compared as it stands"
    if numbers := class_of_numbers(text):
        yield f"{as_it_stands}; * stands for any text", nodes.String(numbers, quoted=False)
    for wildcard in ("%", ".*"):
        if wildcard in text:
            yield f"{as_it_stands}; * stands for any text", nodes.String(text.replace(wildcard, "*"))
    if (name := unfilled(text)) and name != text:
        reason = f"{name} is a placeholder of a template: fill it in, or write * for any text"
        yield reason, nodes.String(text.replace(name, "*"))
    if set(text) & set("^$|[+\\") and check_regex(text) is None:
        yield f"{as_it_stands}; a regex stands between percent signs", nodes.Regex(text)


def _recased(parts: tuple[str, ...], seen: str) -> str:
    """The value with the letters of the text that it would match if case did not matter, else ""."""
    if len(parts) == 1:
        return seen if seen.lower() == parts[0].lower() else ""
    if not runtime.match_wildcards(seen.lower(), tuple(part.lower() for part in parts)):
        return ""
    place, found = 0, []
    for part in parts:
        place = seen.lower().find(part.lower(), place)
        found.append(seen[place : place + len(part)])
        place += len(part)
    return "*".join(found)
