"""Rules as event patterns of EventBridge, where it can say the same.

Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.cloudwatch import Export, Place, wildcard_loss
from trailsieve.pattern.nodes import (
    And,
    Comparison,
    Expression,
    IsType,
    JsonPattern,
    NotExists,
    Number,
    Or,
    Regex,
    Selector,
    String,
    Term,
)
from trailsieve.rules.rule import Rule

MAX_PATTERN = 2048  # characters that EventBridge takes
_MAX_WAYS = 200  # of fulfilling a pattern: && over ||
_TYPES: dict[str, Any] = {"NULL": None, "TRUE": True, "FALSE": False}
Way = dict[tuple[str, ...], list[Any]]  # by path, values of which one must be there; all paths must
COMMON = (
    "each event is an event: no threshold, no period, no M of N",
    "reading calls only come to rules in the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    "values are compared with their JSON types, and calls of global services come in us-east-1 only",
)


class InexpressibleError(Exception):
    """What cannot be said there, and why."""


def exported(rules: Sequence[Rule], place: Place) -> Export:
    """A JSON object: by rule id the event pattern."""
    made, export = {}, Export("")
    for rule in rules:
        try:
            made[rule.id] = event_pattern(rule)
            export.losses[rule.id] = [*COMMON[0 if rule.alarm else 1 :], *_of_wildcards(rule)]
            if rule.exceptions:
                export.losses[rule.id].append(f"{len(rule.exceptions)} exceptions are not in the pattern")
        except InexpressibleError as error:
            export.left[rule.id] = str(error)
    export.text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    return export


def _of_wildcards(rule: Rule) -> list[str]:
    tree = rule.pattern.tree
    return wildcard_loss(tree) if isinstance(tree, JsonPattern) else []


def event_pattern(rule: Rule) -> Json:
    """The pattern on events that CloudTrail sends.

    Raises:
        InexpressibleError: EventBridge cannot say it.
    """
    tree = rule.pattern.tree
    if not isinstance(tree, JsonPattern):
        raise InexpressibleError("EventBridge only knows JSON fields, no text")
    ways = _merged([_way(terms) for terms in _ways(tree.expression)])
    details = [_nested(way) for way in ways]
    detail = details[0] if len(details) == 1 else {"$or": details}
    pattern = {"detail-type": [{"suffix": "via CloudTrail"}], "detail": detail}
    if len(json.dumps(pattern, ensure_ascii=False)) > MAX_PATTERN:
        raise InexpressibleError(
            f"it would be longer than the {MAX_PATTERN} characters that EventBridge takes"
        )
    return pattern


def _ways(expression: Expression) -> list[list[Term]]:
    """The ways in which an expression can be true, each a list of terms that must all be."""
    if isinstance(expression, Or):
        found = [way for term in expression.terms for way in _ways(term)]
    elif isinstance(expression, And):
        found = [
            [term for way in chosen for term in way]
            for chosen in _chosen([_ways(term) for term in expression.terms])
        ]
    else:
        found = [[expression]]
    return found


def _chosen(options: list[list[list[Term]]]) -> Iterator[tuple[list[Term], ...]]:
    count = 1
    for ways in options:
        count *= len(ways)
    if count > _MAX_WAYS:
        raise InexpressibleError(f"&& over || comes to {count} cases, EventBridge takes few")
    return product(*options)


def _way(terms: list[Term]) -> Way:
    way: Way = {}
    for term in terms:
        path, matcher = _path(term), _matcher(term)
        if path not in way:
            way[path] = [matcher]
        elif matcher not in way[path]:
            way[path] = [_both(path, way[path][0], matcher)]
    return way


def _both(path: tuple[str, ...], one: Any, other: Any) -> Any:
    """Two conditions on one field: only "none of these" can be said of both."""
    plain = [
        matcher["anything-but"]
        for matcher in (one, other)
        if isinstance(matcher, dict) and not isinstance(matcher.get("anything-but", {}), dict)
    ]
    if len(plain) < 2:
        raise InexpressibleError(f"two conditions on $.{'.'.join(path)} at once")
    return {
        "anything-but": [
            value for values in plain for value in (values if isinstance(values, list) else [values])
        ]
    }


def _merged(ways: list[Way]) -> list[Way]:
    """Ways that differ in the values of one field only, as one."""
    done: list[Way] = []
    for way in ways:
        for other in done:
            different = [path for path in way if way.get(path) != other.get(path)]
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
                raise InexpressibleError(f"conditions on $.{'.'.join(path)} and on a part of it")
        if path[-1] in place:
            raise InexpressibleError(f"conditions on $.{'.'.join(path)} and on a part of it")
        place[path[-1]] = values
    return root


def _path(term: Term) -> tuple[str, ...]:
    assert isinstance(term.target, Selector)
    if not all(isinstance(step, str) for step in term.target.steps):
        raise InexpressibleError("EventBridge cannot name elements of an array")
    return tuple(str(step) for step in term.target.steps)


def _matcher(term: Term) -> Any:
    match term:
        case NotExists():
            return {"exists": False}
        case IsType(type=name):
            return _TYPES[name]
        case Comparison(operator=operator, value=Number(value=value)):
            if operator == "!=":
                return {"anything-but": _json_number(value)}
            return {"numeric": [operator, _json_number(value)]}
        case Comparison(value=Regex()):
            raise InexpressibleError("EventBridge knows no regex")
        case Comparison(operator=operator, value=String() as value) if operator in ("=", "!="):
            found = _text(value)
            return found if operator == "=" else {"anything-but": found}
    raise InexpressibleError("EventBridge compares numbers only by size")


def _json_number(value: Any) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def _text(value: String) -> Any:
    if "*" not in value.text:
        return value.text
    if value.text.count("*") == 1 and value.text.endswith("*") and len(value.text) > 1:
        return {"prefix": value.text[:-1]}
    if value.text.count("*") == 1 and value.text.startswith("*") and len(value.text) > 1:
        return {"suffix": value.text[1:]}
    if "**" in value.text:
        raise InexpressibleError("EventBridge takes no two stars side by side")
    return {"wildcard": value.text.replace("\\", "\\\\")}
