"""Rules as OpenSearch queries over CloudTrail records that are indexed under their own field names.

Source: docs.opensearch.org/latest/query-dsl/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.model import (
    Export,
    ExportTarget,
    InexpressibleError,
    double,
    json_text,
    queries,
)
from trailsieve.pattern.nodes import (
    And,
    Comparison,
    Expression,
    IsType,
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
_LOSSES = (
    "fields must be mapped as keyword without ignore_above; null counts as absent",
    "the alarm is not in the query: create a monitor with its period and threshold",
)


def export(rules: Sequence[Rule], _target: ExportTarget) -> Export:
    """A JSON object with the body of a search by rule id."""
    made, result = queries(rules, _search)
    result.text = json_text(made)
    return result


def _search(rule: Rule, expression: Expression) -> tuple[Json, Sequence[str]]:
    query = {"query": {"bool": {"filter": [_condition(expression)]}}}
    return query, _LOSSES if rule.alarm else _LOSSES[:1]


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
            raise InexpressibleError("Lucene's regular expressions are anchored and lack \\d, \\w and \\s")
        case Comparison(value=value) if not term.is_ordering:
            equal = _equal(field, value)
            return {"bool": {"filter": [exists], "must_not": [equal]}} if term.is_negative else equal
        case Comparison(operator=operator, value=Number() as number):
            return {"range": {field: {_RANGES[operator]: double(number)}}}
    raise InexpressibleError("only numbers are ordered")


def _equal(field: str, value: Any) -> Json:
    if isinstance(value, Number):
        return {"term": {field: double(value)}}
    assert isinstance(value, String)
    if "*" not in value.text:
        return {"term": {field: value.text}}
    escaped = value.text.replace("\\", "\\\\").replace("?", "\\?")
    return {"wildcard": {field: {"value": escaped}}}


def _field(selector: Selector) -> str:
    if not all(isinstance(step, str) for step in selector.steps):
        raise InexpressibleError("a query cannot name elements of arrays")
    return ".".join(map(str, selector.steps))
