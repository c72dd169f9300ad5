"""Rules as queries of OpenSearch, on CloudTrail records indexed under their own field names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.cloudwatch import Export, Place, wildcard_loss
from trailsieve.interchange.exporters.eventbridge import InexpressibleError
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

_RANGES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_COMMON = (
    "fields must be mapped as keyword and not cut (ignore_above); null is as good as absent",
    "the alarm is not in the query: make a monitor with its period and threshold",
)


def exported(rules: Sequence[Rule], place: Place) -> Export:
    """A JSON object: by rule id the body of a search."""
    made, export = {}, Export("")
    for rule in rules:
        tree = rule.pattern.tree
        try:
            if not isinstance(tree, JsonPattern):
                raise InexpressibleError("documents have fields, not the event's text")
            made[rule.id] = {"query": {"bool": {"filter": [_condition(tree.expression)]}}}
        except InexpressibleError as error:
            export.left[rule.id] = str(error)
            continue
        export.losses[rule.id] = [*_COMMON[: 2 if rule.alarm else 1], *wildcard_loss(tree)]
        if rule.exceptions:
            export.losses[rule.id].append(f"{len(rule.exceptions)} exceptions are not in the query")
    export.text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    return export


def _condition(expression: Expression) -> Json:
    if isinstance(expression, And):
        return {"bool": {"filter": [_condition(term) for term in expression.terms]}}
    if isinstance(expression, Or):
        should = [_condition(term) for term in expression.terms]
        return {"bool": {"should": should, "minimum_should_match": 1}}
    return _term(expression)


def _term(term: Term) -> Json:
    assert isinstance(term.target, Selector)
    field = _field(term.target)
    exists = {"exists": {"field": field}}
    match term:
        case NotExists() | IsType(type="NULL"):
            return {"bool": {"must_not": [exists]}}
        case IsType(type=name):
            return {"term": {field: name == "TRUE"}}
        case Comparison(value=Regex()):
            raise InexpressibleError("Lucene's regexes are others: anchored, and without \\d, \\w and \\s")
        case Comparison(operator="=", value=value):
            return _equal(field, value)
        case Comparison(operator="!=", value=value):
            return {"bool": {"filter": [exists], "must_not": [_equal(field, value)]}}
        case Comparison(operator=operator, value=Number(text=text)):
            return {"range": {field: {_RANGES[operator]: float(text)}}}
    raise InexpressibleError("text is not compared by size")


def _equal(field: str, value: Any) -> Json:
    if isinstance(value, Number):
        return {"term": {field: float(value.text)}}
    assert isinstance(value, String)
    if "*" not in value.text:
        return {"term": {field: value.text}}
    escaped = value.text.replace("\\", "\\\\").replace("?", "\\?")
    return {"wildcard": {field: {"value": escaped}}}


def _field(selector: Selector) -> str:
    if not all(isinstance(step, str) for step in selector.steps):
        raise InexpressibleError("documents have no elements of arrays to name")
    return ".".join(map(str, selector.steps))
