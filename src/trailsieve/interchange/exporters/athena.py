"""Rules as SQL for Athena, over the table that AWS documents for CloudTrail logs.

Source: docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html; the SQL is Trino's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trailsieve.errors import visible
from trailsieve.interchange.exporters.model import Export, ExportTarget, InexpressibleError, double, queries
from trailsieve.pattern import nodes
from trailsieve.rules.alarm import Alarm, Reference
from trailsieve.rules.rule import Rule

_COLUMNS = {  # that hold text
    *("eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent"),
    *("errorCode", "errorMessage", "requestID", "eventID", "eventType", "apiVersion", "readOnly"),
    *("recipientAccountId", "sharedEventID", "vpcEndpointId", "eventCategory"),
    "sessionCredentialFromConsole",
}
_JSON_COLUMNS = {"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"}
_STRUCTS = {
    "userIdentity": {
        *("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName"),
        *("sessionContext.attributes.mfaAuthenticated", "sessionContext.attributes.creationDate"),
        *("sessionContext.sessionIssuer.type", "sessionContext.sessionIssuer.principalId"),
        *("sessionContext.sessionIssuer.arn", "sessionContext.sessionIssuer.accountId"),
        "sessionContext.sessionIssuer.userName",
    },
    "tlsDetails": {"tlsVersion", "cipherSuite", "clientProvidedHostHeader"},
}
_SUMS = ("Sum", "SampleCount")
_TYPES = "columns hold text: numbers and truth values are compared as written; null counts as absent"


def export(rules: Sequence[Rule], _target: ExportTarget) -> Export:
    """The text of one query for each rule."""
    made, result = queries(rules, sql)
    titles = {rule.id: rule.title for rule in rules}
    texts = []
    for rule_id, query in made.items():
        comments = [f"-- {visible(rule_id)}: {visible(titles[rule_id])}"]
        comments += [f"-- ! {visible(loss)}" for loss in result.losses[rule_id]]
        texts.append("\n".join([*comments, query]))
    result.text = "\n\n".join(texts) + "\n" * bool(texts)
    return result


def sql(rule: Rule, expression: nodes.Expression) -> tuple[str, list[str]]:
    """The query of a rule and its losses.

    Raises:
        InexpressibleError: the columns of the table do not hold what the pattern tests.
    """
    where = _condition(expression)
    if rule.alarm and _is_simple(rule):
        return _grouped(where, rule.alarm), [_TYPES]
    losses = ["the alarm is not in the query: it has M of N, or more than a count"] * bool(rule.alarm)
    return f"SELECT * FROM cloudtrail_logs\nWHERE {where};", [_TYPES, *losses]  # noqa: S608  # values are quoted


def _is_simple(rule: Rule) -> bool:
    """Whether the alarm compares the number of matches in one period."""
    alarm, metric = rule.alarm, rule.metric
    return bool(
        alarm
        and alarm.evaluation_periods == 1
        and (alarm.count_distinct or alarm.statistic in _SUMS)
        and metric.value == 1
        and metric.default is None
        and not metric.dimensions
        and alarm.comparison in (">", ">=")
    )


def _grouped(where: str, alarm: Alarm) -> str:
    seconds = "to_unixtime(from_iso8601_timestamp(eventtime))"
    start = f"from_unixtime(floor({seconds} / {alarm.period}) * {alarm.period})"
    by = [_column(_selector(reference)) for reference in alarm.by]
    names = [f"{column} AS by_{number}" for number, column in enumerate(by, 1)]
    groups = ", ".join(map(str, range(1, len(by) + 2)))
    counted = f"DISTINCT {_column(_selector(alarm.count_distinct))}" if alarm.count_distinct else "*"
    what = "different" if alarm.count_distinct else "matches"
    return (
        f"SELECT {', '.join([f'{start} AS period', *names])}, count({counted}) AS {what}\n"
        f"FROM cloudtrail_logs\nWHERE {where}\nGROUP BY {groups}\n"
        f"HAVING count({counted}) {alarm.comparison} {alarm.threshold}\nORDER BY 1;"
    )


def _selector(reference: Reference) -> nodes.Selector:
    if reference.selector is None:
        raise InexpressibleError("the table has no columns for space-delimited events")
    return reference.selector


def _condition(expression: nodes.Expression) -> str:
    if isinstance(expression, nodes.Group):
        joint = " AND " if isinstance(expression, nodes.And) else " OR "
        return f"({joint.join(map(_condition, expression.terms))})"
    return " AND ".join(_term(expression))


def _term(term: nodes.Term) -> Iterator[str]:
    assert isinstance(term.target, nodes.Selector)
    column = _column(term.target)
    match term:
        case nodes.NotExists() | nodes.IsType(type="NULL"):
            yield f"{column} IS NULL"
        case nodes.IsType(type=name):
            yield f"{column} = '{name.lower()}'"
        case nodes.Comparison(value=nodes.Number() as number):
            yield f"TRY_CAST({column} AS DOUBLE) {_operator(term)} {double(number)!r}"
        case nodes.Comparison(value=nodes.Regex(source=source)):
            yield f"{'NOT ' * term.is_negative}regexp_like({column}, {_quoted(source)})"
        case nodes.Comparison() if term.is_ordering:
            raise InexpressibleError("only numbers are ordered")
        case nodes.Comparison(value=nodes.String(text=text)) if "*" in text:
            escaped = re.sub(r"([\\%_])", r"\\\1", text).replace("*", "%")
            yield f"{column} {'NOT ' * term.is_negative}LIKE {_quoted(escaped)} ESCAPE '\\'"
        case nodes.Comparison(value=nodes.String(text=text)):
            yield f"{column} {_operator(term)} {_quoted(text)}"


def _operator(term: nodes.Comparison) -> str:
    return "<>" if term.is_negative else term.operator


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise InexpressibleError("a value holds a control character")
    return "'" + text.replace("'", "''") + "'"


def _column(selector: nodes.Selector) -> str:
    """A column, a field of one, or a path in the JSON that one holds."""
    first, *rest = selector.steps
    if not all(isinstance(step, str | int) for step in rest):
        raise InexpressibleError("a wildcard in a selector has no equivalent for the table's arrays")
    if first in _JSON_COLUMNS and rest:
        path = "".join(f'["{step}"]' if isinstance(step, str) else f"[{step}]" for step in rest)
        if any('"' in step or "\\" in step for step in rest if isinstance(step, str)):
            raise InexpressibleError("a field name holds a quote")
        return f"json_extract_scalar({str(first).lower()}, {_quoted('$' + path)})"
    if first in _JSON_COLUMNS or (first in _COLUMNS and not rest):
        return str(first).lower()
    if first in _STRUCTS and ".".join(map(str, rest)) in _STRUCTS[str(first)]:
        return ".".join(map(str, selector.steps)).lower()
    match selector.steps:
        case ("resources", int(place), "ARN" | "accountId" | "type" as name):
            return f"element_at(resources, {place + 1}).{name.lower()}"
    raise InexpressibleError(f"the table has no column for $.{'.'.join(map(str, selector.steps))}")
