"""Rules as EventBridge event patterns.

Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import chain, product
from typing import Any

import orjson

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.model import (
    FREE_FORM,
    Export,
    ExportTarget,
    InexpressibleError,
    exact_double,
    json_queries,
    may_be_number,
)
from trailsieve.interchange.text import whole
from trailsieve.pattern import nodes
from trailsieve.pattern.runtime import double_text
from trailsieve.rules.rule import Rule

MAX_PATTERN = 2048  # characters of an event pattern
_MAX_WAYS = 200  # alternatives that && over || expands to
_TYPES: dict[str, Any] = {"NULL": None, "TRUE": True, "FALSE": False}
Way = dict[tuple[str, ...], list[Any]]  # by path, the matchers of which one must match; all paths must
_LOSSES = (
    "every match is an event: the threshold, period and M of N of the alarm are not applied",
    "only rules in the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS receive read-only calls",
    "calls of global services arrive in us-east-1 only",
    "elements of arrays count as values of the field, and an empty array or an object counts as absent",
)
_OTHERS = "`!=` and `= *` also find null, true and false"
_EXCLUDED = {
    True: "`!= 500` does not exclude the text 500, only the number",
    False: "`!= 500` does not exclude the number 500, only the text",
}
_NUMBERS = "numbers beyond 5e9, or with more than 15 digits or 6 decimals, are found only as they are written"
_WILDCARDS = {  # by whether the field holds any JSON
    True: "a wildcard that a number could match finds all numbers",
    False: "wildcards do not find numbers",
}
_MAX_NUMBER, _MAX_DECIMALS = 5_000_000_000, 6
_ANY_NUMBER = {"numeric": [">=", -_MAX_NUMBER, "<=", _MAX_NUMBER]}


def export(rules: Sequence[Rule], _target: ExportTarget) -> Export:
    """A JSON object with the event pattern by rule id."""
    return json_queries(rules, _with_losses)


def _with_losses(rule: Rule, expression: nodes.Expression) -> tuple[Json, Sequence[str]]:
    losses = _LOSSES if rule.alarm else _LOSSES[1:]
    return event_pattern(expression), [*losses, *dict.fromkeys(_losses(expression))]


def _losses(expression: nodes.Expression) -> Iterator[str]:
    for term in nodes.terms_of(expression):
        value = getattr(term, "value", None)
        if isinstance(term, nodes.Comparison) and (term.is_negative or _is_star(value)):
            yield _OTHERS
        if isinstance(value, nodes.String) and not may_be_number(value):
            continue
        match term:
            case nodes.Comparison(value=nodes.String(text=text)) if "*" in text:
                yield from [_WILDCARDS[_is_free_form(term)], _NUMBERS]
            case nodes.Comparison() if term.is_negative:
                yield from [_EXCLUDED[_is_free_form(term) and isinstance(value, nodes.Number)], _NUMBERS]
            case nodes.Comparison():
                yield _NUMBERS


def event_pattern(expression: nodes.Expression) -> Json:
    """The pattern for events that CloudTrail sends to EventBridge.

    Raises:
        InexpressibleError: EventBridge cannot express the condition, or takes no pattern that long.
    """
    ways = _merged([_way(terms) for terms in _ways(expression)])
    details = [_nested(way) for way in ways]
    detail = details[0] if len(details) == 1 else {"$or": details}
    pattern = {"detail-type": [{"suffix": "via CloudTrail"}], "detail": detail}
    if len(orjson.dumps(pattern).decode()) > MAX_PATTERN:
        raise InexpressibleError(f"the pattern would exceed EventBridge's {MAX_PATTERN} characters")
    return pattern


def _ways(expression: nodes.Expression) -> list[list[nodes.Term]]:
    """The alternatives that make an expression true, each a list of terms that must all be true."""
    if not isinstance(expression, nodes.And | nodes.Or):
        return [[expression]]
    options = list(map(_ways, expression.terms))
    if isinstance(expression, nodes.Or):
        return list(chain.from_iterable(options))
    count = math.prod(map(len, options))
    if count > _MAX_WAYS:
        raise InexpressibleError(f"&& over || expands to {count} alternatives; the limit is {_MAX_WAYS}")
    return [list(chain.from_iterable(chosen)) for chosen in product(*options)]


def _way(terms: list[nodes.Term]) -> Way:
    way: Way = {}
    for term in terms:
        path, matchers = _path(term), _matchers(term)
        known = way.get(path, matchers)
        way[path] = matchers if known == matchers else [_both(path, *known, *matchers)]
    return way


def _both(path: tuple[str, ...], *matchers: Any) -> Any:
    """Two conditions on one field, which only `anything-but` can combine, and only of values of one type."""
    values: list[Any] = []
    for matcher in matchers:
        found = matcher.get("anything-but", {}) if isinstance(matcher, dict) else {}
        values += found if isinstance(found, list) else [found]
    kinds = {"object" if isinstance(value, dict) else isinstance(value, str) for value in values}
    if "object" in kinds or len(kinds) > 1:
        raise InexpressibleError(f"two conditions on $.{'.'.join(path)} at once")
    return {"anything-but": values}


def _merged(ways: list[Way]) -> list[Way]:
    """The ways, with those that differ in the values of one field merged into one."""
    done: list[Way] = []
    for way in ways:
        for other in done:
            different = [path for path in way if way[path] != other.get(path)]
            if way.keys() == other.keys() and len(different) <= 1:
                for path in different:
                    other[path] = [*other[path], *(value for value in way[path] if value not in other[path])]
                break
        else:
            done.append(way)
    return done


def _nested(way: Way) -> Json:
    root: Json = {}
    for path, values in way.items():
        place = root
        for step in path[:-1]:
            place = place.setdefault(step, {})
            if isinstance(place, list):
                break
        if isinstance(place, list) or path[-1] in place:
            raise InexpressibleError(f"conditions on $.{'.'.join(path)} and on a part of it")
        place[path[-1]] = values
    return root


def _path(term: nodes.Term) -> tuple[str, ...]:
    assert isinstance(term.target, nodes.Selector)
    if not all(isinstance(step, str) for step in term.target.steps):
        raise InexpressibleError("EventBridge cannot name elements of an array")
    return tuple(str(step) for step in term.target.steps)


def _matchers(term: nodes.Term) -> list[Any]:
    """The alternatives, one of which must match."""
    match term:
        case nodes.NotExists():
            return [{"exists": False}]
        case nodes.IsType(type=name):
            return [_TYPES[name]]
        case nodes.Comparison(value=nodes.Regex()):
            raise InexpressibleError("EventBridge has no regular expressions")
        case nodes.Comparison(operator=operator, value=nodes.Number() as number) if term.is_ordering:
            return [{"numeric": [operator, _compared(number)]}]
        case nodes.Comparison(value=nodes.Number() as number) if term.is_negative:
            exact = _number(number) if _is_free_form(term) else None
            return [{"anything-but": number.text if exact is None else exact}]
        case nodes.Comparison(value=nodes.Number() as number):
            return [number.text, *_equal(number)]
        case nodes.Comparison(value=nodes.String() as value) if "*" not in value.text:
            return [{"anything-but": value.text}] if term.is_negative else [value.text, *_spelled(value.text)]
        case nodes.Comparison(value=nodes.String() as value):
            return _unlike(value) if term.is_negative else _like(value, _is_free_form(term))
    raise TypeError(f"no matcher for {term}")


def _is_free_form(term: nodes.Term) -> bool:
    return _path(term)[0] in FREE_FORM


def _number(number: nodes.Number) -> int | float | None:
    """The number if EventBridge compares such numbers, else None."""
    exact = exact_double(number)
    if exact is None or abs(exact) > _MAX_NUMBER or round(exact, _MAX_DECIMALS) != exact:
        return None
    return whole(exact)


def _compared(number: nodes.Number) -> int | float:
    found = _number(number)
    if found is None:
        raise InexpressibleError(
            f"EventBridge compares numbers up to 5e9 with at most 15 digits and 6 decimals, not {number.text}"
        )
    return found


def _equal(number: nodes.Number) -> Iterator[Any]:
    """What finds the JSON number."""
    found = _number(number)
    if found is not None:
        yield {"numeric": ["=", found]}
    elif re.fullmatch(r"-?[1-9][0-9]{,17}", number.text):
        yield int(number.text)


def _spelled(text: str) -> Iterator[Any]:
    """What finds the JSON number whose text this is, if any (rule 35)."""
    if re.fullmatch(r"0|-?[1-9][0-9]*", text) or _is_double(text):
        yield from _equal(nodes.Number(text, 0))


def _is_double(text: str) -> bool:
    return bool(re.fullmatch(r"-?[0-9]+\.[0-9]+(E-?[0-9]+)?", text)) and double_text(float(text)) == text


def _is_star(value: nodes.Value | None) -> bool:
    """Whether it is `*`, which every string and number matches."""
    return isinstance(value, nodes.String) and len(value.parts) > 1 and not any(value.parts)


def _like(value: nodes.String, free_form: bool) -> list[Any]:
    if _is_star(value):
        return [{"exists": True}]
    numbers = [_ANY_NUMBER] * (free_form and may_be_number(value))
    return [_wildcard(value.text), *numbers]


def _unlike(value: nodes.String) -> list[Any]:
    if _is_star(value):
        raise InexpressibleError('`!= "*"` is never true')
    last = value.parts[-1]
    # rule 40: values that end with the last part, but hold it before already, differ too
    overlaps = [last[size:] for size in range(1, len(last)) if last.startswith(last[-size:])]
    again = [f"*{last}", *overlaps] if last else []
    return [{"anything-but": _wildcard(value.text)}, *(_wildcard(value.text + more) for more in again)]


def _wildcard(text: str) -> Json:
    text = re.sub(r"\*+", "*", text)  # two stars in a row are refused
    match text.split("*"):
        case [start, ""]:
            return {"prefix": start}
        case ["", end]:
            return {"suffix": end}
    return {"wildcard": text.replace("\\", "\\\\")}
