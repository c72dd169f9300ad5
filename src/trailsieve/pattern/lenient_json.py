"""JSON that was meant as a pattern: an event with the values to find, or an event pattern of EventBridge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from trailsieve.errors import UnclearError
from trailsieve.pattern import addresses, nodes
from trailsieve.pattern.operators import OPERATORS, Operator
from trailsieve.pattern.regex import in_either_case
from trailsieve.pattern.stars import as_regex

# What EventBridge writes around a record of CloudTrail, and where the record has it itself:
# docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
_ENVELOPE = {
    "source": "eventSource",
    "detail-type": "eventType",
    "account": "recipientAccountId",
    "region": "awsRegion",
}
_TYPES = {
    "AWS API Call via CloudTrail": "AwsApiCall",
    "AWS Service Event via CloudTrail": "AwsServiceEvent",
    "AWS Console Sign In via CloudTrail": "AwsConsoleSignIn",
    "AWS Console Action via CloudTrail": "AwsConsoleAction",
}


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
    if isinstance(content.get("detail", {}), dict) and _is_envelope(content):
        content = _unwrapped(content)
    return _all_of(content, ())


def _is_envelope(content: dict[str, Any]) -> bool:
    return (
        "detail" in content or "detail-type" in content or str(content.get("source", "")).startswith("['aws.")
    )


def _unwrapped(content: dict[str, Any]) -> dict[str, Any]:
    """The tests of the record itself: a log event has no envelope."""
    record = {
        _ENVELOPE.get(name, name): _as_recorded(name, value)
        for name, value in content.items()
        if name not in ("detail", "resources", "version", "id", "time")
    }
    if left_out := set(content) & {"resources", "version", "id", "time"}:
        raise UnclearError(
            f"{', '.join(sorted(left_out))} is outside of detail, where no log event has anything"
        )
    inner: dict[str, Any] = content.get("detail", {})
    return record | inner


def _as_recorded(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_as_recorded(name, one) for one in value]
    if name == "source" and isinstance(value, str):
        return f"{value.removeprefix('aws.')}.amazonaws.com"
    if name == "detail-type":
        if value not in _TYPES:
            raise UnclearError(f"no record of CloudTrail has the detail-type {value!s:.60}")
        return _TYPES[value]
    return value


def _terms(content: dict[str, Any], steps: tuple[nodes.Step, ...]) -> Iterator[nodes.Expression]:
    for name, value in content.items():
        if name == "$or" and isinstance(value, list) and value:
            yield nodes.Or(tuple(_all_of(one, steps) for one in value))
            continue
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


def _all_of(content: Any, steps: tuple[nodes.Step, ...]) -> nodes.Expression:
    terms = tuple(_terms(content, steps)) if isinstance(content, dict) else ()
    if not terms:
        raise UnclearError

    return terms[0] if len(terms) == 1 else nodes.And(terms)


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
        case {"anything-but": {**inner}}:
            found = _matcher(target, inner)
            if isinstance(found, nodes.Comparison):
                return nodes.Comparison(target, "!=", found.value)
        case {"numeric": [*pairs]} if pairs and len(pairs) % 2 == 0:
            limits = tuple(_numeric(target, *pair) for pair in zip(pairs[::2], pairs[1::2], strict=True))
            return limits[0] if len(limits) == 1 else nodes.And(limits)
        case {"cidr": str(network)} if addresses.is_range(network):
            return nodes.Comparison(target, "=", addresses.value_of(network))
        case {"equals-ignore-case": str(word)} if regex := in_either_case(as_regex((word,))):
            return nodes.Comparison(target, "=", nodes.Regex(regex))
        case {"exists": True}:
            return nodes.Comparison(target, "=", nodes.String("*"))
        case {**tests} if len(tests) == 1:
            [(name, text)] = tests.items()
            if name in stars and isinstance(text, str):
                operator: Operator = "!=" if name == "anything-but" else "="
                return nodes.Comparison(target, operator, nodes.String(stars[name].format(text)))
    raise UnclearError(f"{json.dumps(value):.60} was not understood")


def _numeric(target: nodes.Selector, operator: Any, number: Any) -> nodes.Expression:
    if operator not in OPERATORS or not isinstance(number, int | float):
        raise UnclearError
    return nodes.Comparison(target, operator, nodes.Number(str(number), Decimal(str(number))))
