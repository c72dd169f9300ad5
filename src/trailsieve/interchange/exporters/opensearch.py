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
    json_queries,
)
from trailsieve.pattern import nodes
from trailsieve.rules.rule import Rule

_RANGES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_LOSSES = (
    "fields must be mapped as keyword without ignore_above; null counts as absent",
    "the alarm is not in the query: create a monitor with its period and threshold",
)


def export(rules: Sequence[Rule], _target: ExportTarget) -> Export:
    """A JSON object with the body of a search by rule id."""
    return json_queries(rules, _search)


def _search(rule: Rule, expression: nodes.Expression) -> tuple[Json, Sequence[str]]:
    query = {"query": {"bool": {"filter": [_condition(expression)]}}}
    return query, _LOSSES if rule.alarm else _LOSSES[:1]


def _condition(expression: nodes.Expression) -> Json:
    if isinstance(expression, nodes.And):
        return {"bool": {"filter": [*map(_condition, expression.terms)]}}
    if isinstance(expression, nodes.Or):
        return {"bool": {"should": [*map(_condition, expression.terms)], "minimum_should_match": 1}}
    return _term(expression)


def _term(term: nodes.Term) -> Json:
    assert isinstance(term.target, nodes.Selector)
    field = _field(term.target)
    exists = {"exists": {"field": field}}
    match term:
        case nodes.NotExists() | nodes.IsType(type="NULL"):
            return {"bool": {"must_not": [exists]}}
        case nodes.IsType(type=name):
            return {"term": {field: name == "TRUE"}}
        case nodes.Comparison(value=nodes.Regex()):
            raise InexpressibleError("Lucene's regular expressions are anchored and lack \\d, \\w and \\s")
        case nodes.Comparison(value=value) if not term.is_ordering:
            equal = _equal(field, value)
            return {"bool": {"filter": [exists], "must_not": [equal]}} if term.is_negative else equal
        case nodes.Comparison(operator=operator, value=nodes.Number() as number):
            return {"range": {field: {_RANGES[operator]: double(number)}}}
    raise InexpressibleError("only numbers are ordered")


def _equal(field: str, value: Any) -> Json:
    if isinstance(value, nodes.Number):
        return {"term": {field: double(value)}}
    assert isinstance(value, nodes.String)
    if "*" not in value.text:
        return {"term": {field: value.text}}
    escaped = value.text.replace("\\", "\\\\").replace("?", "\\?")
    return {"wildcard": {field: {"value": escaped}}}


def _field(selector: nodes.Selector) -> str:
    if not all(isinstance(step, str) for step in selector.steps):
        raise InexpressibleError("a query cannot name elements of arrays")
    return ".".join(map(str, selector.steps))
