"""JSON that was meant as a pattern: an event with the values to find, or an event pattern of EventBridge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from trailsieve.errors import UnclearError
from trailsieve.pattern import nodes
from trailsieve.pattern.operators import Operator

_ENVELOPE = {"source", "detail-type", "detail"}


def read(text: str) -> nodes.Expression | None:
    """The conditions on the values of an object, or None for a text that is no JSON object.

    Raises:
        UnclearError: it has a test that patterns do not have.
    """
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict) or not content:
        return None
    if "detail" in content and set(content) <= _ENVELOPE and isinstance(content["detail"], dict):
        content = content["detail"]  # a log event has no envelope
    terms = tuple(_terms(content, ()))
    if not terms:
        raise UnclearError
    return terms[0] if len(terms) == 1 else nodes.And(terms)


def _terms(content: dict[str, Any], steps: tuple[nodes.Step, ...]) -> Iterator[nodes.Expression]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _terms(value, (*steps, name))
            continue
        tests = [
            _test(nodes.Selector((*steps, name)), one)
            for one in (value if isinstance(value, list) else [value])
        ]
        if not tests:
            raise UnclearError
        yield tests[0] if len(tests) == 1 else nodes.Or(tuple(tests))


def _test(target: nodes.Selector, value: Any) -> nodes.Expression:
    match value:
        case None:
            return nodes.IsType(target, "NULL")
        case bool():
            return nodes.IsType(target, "TRUE" if value else "FALSE")
        case str():
            return nodes.Comparison(target, "=", nodes.String(value))
        case int() | float():
            return nodes.Comparison(target, "=", nodes.Number(str(value), Decimal(str(value))))
        case {"exists": False}:
            return nodes.NotExists(target)
    return _matcher(target, value)


def _matcher(target: nodes.Selector, value: Any) -> nodes.Expression:
    """A test of EventBridge, such as `{"prefix": "Delete"}`."""
    stars = {"prefix": "{}*", "suffix": "*{}", "wildcard": "{}", "anything-but": "{}"}
    match value:
        case {"anything-but": [_, *_] as values}:
            return nodes.And(tuple(_matcher(target, {"anything-but": one}) for one in values))
        case {"anything-but": {"prefix": str(start)}}:
            return nodes.Comparison(target, "!=", nodes.String(f"{start}*"))
        case {"exists": True}:
            return nodes.Comparison(target, "=", nodes.String("*"))
        case {**tests} if len(tests) == 1:
            [(name, text)] = tests.items()
            if name in stars and isinstance(text, str):
                operator: Operator = "!=" if name == "anything-but" else "="
                return nodes.Comparison(target, operator, nodes.String(stars[name].format(text)))
    raise UnclearError
