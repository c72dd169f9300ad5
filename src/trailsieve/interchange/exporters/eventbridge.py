"""Rules as EventBridge event patterns.

Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, product
from typing import Any

import orjson

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.model import (
    Export,
    ExportTarget,
    InexpressibleError,
    double,
    json_queries,
)
from trailsieve.interchange.text import whole
from trailsieve.pattern import nodes
from trailsieve.rules.rule import Rule

MAX_PATTERN = 2048  # characters of an event pattern
_MAX_WAYS = 200  # alternatives that && over || expands to
_TYPES: dict[str, Any] = {"NULL": None, "TRUE": True, "FALSE": False}
Way = dict[tuple[str, ...], list[Any]]  # by path, the matchers of which one must match; all paths must
_LOSSES = (
    "every match is an event: the threshold, period and M of N of the alarm are not applied",
    "only rules in the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS receive read-only calls",
    "values are compared with their JSON types; calls of global services arrive in us-east-1 only",
)


def export(rules: Sequence[Rule], _target: ExportTarget) -> Export:
    """A JSON object with the event pattern by rule id."""
    return json_queries(rules, _with_losses)


def _with_losses(rule: Rule, expression: nodes.Expression) -> tuple[Json, Sequence[str]]:
    return event_pattern(expression), _LOSSES if rule.alarm else _LOSSES[1:]


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
        path, matcher = _path(term), _matcher(term)
        if path not in way:
            way[path] = [matcher]
        elif matcher not in way[path]:
            way[path] = [_both(path, way[path][0], matcher)]
    return way


def _both(path: tuple[str, ...], one: Any, other: Any) -> Any:
    """Two conditions on one field, which only `anything-but` can combine."""
    plain = [
        matcher["anything-but"]
        for matcher in (one, other)
        if isinstance(matcher, dict) and not isinstance(matcher.get("anything-but", {}), dict)
    ]
    if len(plain) < 2:
        raise InexpressibleError(f"two conditions on $.{'.'.join(path)} at once")
    lists = (values if isinstance(values, list) else [values] for values in plain)
    return {"anything-but": list(chain.from_iterable(lists))}


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


def _matcher(term: nodes.Term) -> Any:
    match term:
        case nodes.NotExists():
            return {"exists": False}
        case nodes.IsType(type=name):
            return _TYPES[name]
        case nodes.Comparison(operator=operator, value=nodes.Number() as number):
            value = whole(double(number))
            return {"anything-but": value} if term.is_negative else {"numeric": [operator, value]}
        case nodes.Comparison(value=nodes.Regex()):
            raise InexpressibleError("EventBridge has no regular expressions")
        case nodes.Comparison(value=nodes.String() as text) if not term.is_ordering:
            return {"anything-but": _text(text)} if term.is_negative else _text(text)
    raise InexpressibleError("only numbers are ordered")


def _text(value: nodes.String) -> Any:
    if "*" not in value.text:
        return value.text
    match value.parts:
        case (start, "") if start:
            return {"prefix": start}
        case ("", end) if end:
            return {"suffix": end}
    if "**" in value.text:
        raise InexpressibleError("EventBridge refuses two wildcards in a row")
    return {"wildcard": value.text.replace("\\", "\\\\")}
