"""Rules as OpenSearch queries over CloudTrail records that are indexed under their own field names.

Source: docs.opensearch.org/latest/query-dsl/
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.model import (
    Export,
    ExportTarget,
    InexpressibleError,
    double,
    exact_double,
    is_found_at_first_place,
    json_queries,
)
from trailsieve.pattern import nodes
from trailsieve.rules.rule import Rule

_RANGES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_ALARM = "the alarm is not in the query: create a monitor with its period and threshold"
_KEYWORD = (
    "fields must be mapped as keyword without ignore_above: numbers, true and false are compared as they are"
    " written, and null and [] count as absent"
)
_ARRAYS = "elements of arrays count as values of the field, and fields of objects in arrays as fields"
_DOUBLE = (
    "fields compared with < or > must be mapped as double with ignore_malformed: text in them counts as"
    " absent, or as the number that it reads as, and digits after the 15th do not count"
)


def export(rules: Sequence[Rule], _target: ExportTarget) -> Export:
    """A JSON object with the body of a search by rule id."""
    return json_queries(rules, _search)


def _search(rule: Rule, expression: nodes.Expression) -> tuple[Json, Sequence[str]]:
    ordered = {_field(term.target) for term in nodes.terms_of(expression) if _is_ordering(term)}
    query = {"query": {"bool": {"filter": [_condition(expression, ordered)]}}}
    return query, [_KEYWORD, _ARRAYS, *[_DOUBLE] * bool(ordered), *[_ALARM] * bool(rule.alarm)]


def _is_ordering(term: nodes.Term) -> bool:
    return isinstance(term, nodes.Comparison) and term.is_ordering


def _condition(expression: nodes.Expression, ordered: set[str]) -> Json:
    if not isinstance(expression, nodes.Group):
        return _term(expression, ordered)
    conditions = [_condition(term, ordered) for term in expression.terms]
    return _all(conditions) if isinstance(expression, nodes.And) else _any(conditions)


def _all(conditions: list[Json]) -> Json:
    return {"bool": {"filter": conditions}}


def _any(conditions: list[Json]) -> Json:
    return {"bool": {"should": conditions, "minimum_should_match": 1}}


def _term(term: nodes.Term, ordered: set[str]) -> Json:
    field = _field(term.target)
    exists = {"exists": {"field": field}}
    match term:
        case nodes.NotExists() | nodes.IsType(type="NULL"):
            return {"bool": {"must_not": [exists]}}
        case nodes.Comparison(value=nodes.Number() as number) if field in ordered:
            return _with_double(field, term, double(number), exact_double(number) is None)
    if field in ordered:
        raise InexpressibleError(f"$.{field} is compared as a number and as text, but has one mapping")
    match term:
        case nodes.IsType(type=name):
            return {"term": {field: name == "TRUE"}}
        case nodes.Comparison(value=nodes.Regex()):
            raise InexpressibleError("Lucene's regular expressions are anchored and lack \\d, \\w and \\s")
        case nodes.Comparison(value=nodes.Number() as number):
            equal = {"terms": {field: [number.text] if term.is_negative else _spellings(number)}}
            return _not(field, equal) if term.is_negative else equal
        case nodes.Comparison(value=nodes.String() as value):
            return _unlike(field, value) if term.is_negative else _like(field, value.text)
    raise TypeError(f"no query for {term}")


def _not(field: str, condition: Json) -> Json:
    return {"bool": {"filter": [{"exists": {"field": field}}], "must_not": [condition]}}


def _with_double(field: str, term: nodes.Comparison, value: float, is_rounded: bool) -> Json:
    if term.is_ordering:
        # where a double is not the number itself, a document too many beats one too few
        sign = term.operator[0] + "=" if is_rounded else term.operator
        zero = -0.0 if sign in ("<", ">=") else 0.0  # Lucene orders -0.0 before 0.0
        return {"range": {field: {_RANGES[sign]: value or zero}}}
    if term.is_negative and is_rounded:
        return {"exists": {"field": field}}
    equal: Json = {"term": {field: value}} if value else {"terms": {field: [-0.0, 0.0]}}
    return _not(field, equal) if term.is_negative else equal


def _spellings(number: nodes.Number) -> list[str]:
    """The texts of the number that a keyword field may hold."""
    value = float(number.text)
    if not math.isfinite(value):
        return [number.text]
    is_whole = value.is_integer() and exact_double(number) is not None
    others = [str(int(value)), f"{int(value)}.0"] if is_whole else [repr(value)]
    return list(dict.fromkeys([number.text, *others]))


def _like(field: str, text: str) -> Json:
    if "*" not in text:
        return {"term": {field: text}}
    return {"wildcard": {field: {"value": text.replace("\\", "\\\\").replace("?", "\\?")}}}


def _unlike(field: str, value: nodes.String) -> Json:
    unlike = _not(field, _like(field, value.text))
    if not is_found_at_first_place(value):
        return unlike
    again = _like(field, value.text)
    again["wildcard"][field]["value"] += "?*"
    return _any([unlike, again])


def _field(target: nodes.Selector | nodes.Field) -> str:
    assert isinstance(target, nodes.Selector)
    if not all(isinstance(step, str) for step in target.steps):
        raise InexpressibleError("a query cannot name elements of arrays")
    if any("*" in str(step) or not step for step in target.steps):
        raise InexpressibleError("OpenSearch has no fields with such a name")
    return ".".join(map(str, target.steps))
