"""Rules as SQL for Athena, over the table that AWS's page on CloudTrail logs in Athena makes.

Source: docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html; the SQL is Trino's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trailsieve.errors import visible
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
from trailsieve.rules.alarm import Alarm, Reference
from trailsieve.rules.rule import Rule

_COLUMNS = {
    *("eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent"),
    *("errorCode", "errorMessage", "requestID", "eventID", "eventType", "apiVersion", "readOnly"),
    *(
        "recipientAccountId",
        "sharedEventID",
        "vpcEndpointId",
        "eventCategory",
        "sessionCredentialFromConsole",
    ),
    *("userIdentity", "resources", "tlsDetails"),
}
_JSON_COLUMNS = {"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"}
_STRUCTS = {
    "userIdentity": {
        *("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName"),
        *("sessionContext.attributes.mfaAuthenticated", "sessionContext.attributes.creationDate"),
        *(
            f"sessionContext.sessionIssuer.{name}"
            for name in ("type", "principalId", "arn", "accountId", "userName")
        ),
    },
    "tlsDetails": {"tlsVersion", "cipherSuite", "clientProvidedHostHeader"},
}
_SUMS = ("Sum", "SampleCount")
_COMMON = (
    "columns are text: a number or truth value is compared as it is written, and null is as good as absent"
)


def exported(rules: Sequence[Rule], place: Place) -> Export:
    """One query a rule."""
    export, queries = Export(""), []
    for rule in rules:
        try:
            query, losses = sql(rule)
        except InexpressibleError as error:
            export.left[rule.id] = str(error)
            continue
        export.losses[rule.id] = losses
        notes = [f"-- {visible(rule.id)}: {visible(rule.title)}", *(f"-- ! {loss}" for loss in losses)]
        queries.append("\n".join([*notes, query]))
    export.text = "\n\n".join(queries) + "\n" * bool(queries)
    return export


def sql(rule: Rule) -> tuple[str, list[str]]:
    """The query of a rule, and what it does not do.

    Raises:
        InexpressibleError: the table's columns cannot say it.
    """
    tree = rule.pattern.tree
    if not isinstance(tree, JsonPattern):
        raise InexpressibleError("the table has columns, not the event's text")
    where = _condition(tree.expression)
    losses = [_COMMON, *wildcard_loss(tree)]
    losses += [f"{len(rule.exceptions)} exceptions are not in the query"] * bool(rule.exceptions)
    if rule.alarm and _is_simple(rule):
        return _grouped(where, rule.alarm), losses
    if rule.alarm:
        losses.append("the alarm is not in the query: it has M of N, or more than a count")
    return f"SELECT * FROM cloudtrail_logs\nWHERE {where};", losses  # noqa: S608  # values are quoted


def _is_simple(rule: Rule) -> bool:
    """Whether an alarm only counts matches in one period."""
    alarm, metric = rule.alarm, rule.metric
    return bool(
        alarm
        and alarm.evaluation_periods == 1
        and alarm.statistic in _SUMS
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
    return (
        f"SELECT {', '.join([f'{start} AS period', *names])}, count(*) AS matches\n"
        f"FROM cloudtrail_logs\nWHERE {where}\nGROUP BY {groups}\n"
        f"HAVING count(*) {alarm.comparison} {alarm.threshold}\nORDER BY 1;"
    )


def _selector(reference: Reference) -> Selector:
    if reference.selector is None:
        raise InexpressibleError("the table has no columns of space-delimited events")
    return reference.selector


def _condition(expression: Expression) -> str:
    if isinstance(expression, And | Or):
        joint = " AND " if isinstance(expression, And) else " OR "
        return f"({joint.join(map(_condition, expression.terms))})"
    return " AND ".join(_term(expression))


def _term(term: Term) -> Iterator[str]:
    assert isinstance(term.target, Selector)
    column = _column(term.target)
    match term:
        case NotExists() | IsType(type="NULL"):
            yield f"{column} IS NULL"
        case IsType(type=name):
            yield f"{column} = '{name.lower()}'"
        case Comparison(operator=operator, value=Number(text=text)):
            yield f"TRY_CAST({column} AS DOUBLE) {'<>' if operator == '!=' else operator} {float(text)!r}"
        case Comparison(operator=operator, value=Regex(source=source)):
            test = f"regexp_like({column}, {_quoted(source)})"
            yield test if operator == "=" else f"NOT {test}"
        case Comparison(operator=operator, value=String() as value):
            yield f"{column} {_compared(operator, value)}"


def _compared(operator: str, value: String) -> str:
    if operator not in ("=", "!="):
        raise InexpressibleError("text is not compared by size")
    if "*" not in value.text:
        return f"{'=' if operator == '=' else '<>'} {_quoted(value.text)}"
    escaped = re.sub(r"([\\%_])", r"\\\1", value.text).replace("*", "%")
    return f"{'' if operator == '=' else 'NOT '}LIKE {_quoted(escaped)} ESCAPE '\\'"


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise InexpressibleError("a control character in a value")
    return "'" + text.replace("'", "''") + "'"


def _column(selector: Selector) -> str:
    """A column, a part of one, or a place in the JSON that one holds."""
    first, *rest = selector.steps
    if not all(isinstance(step, str | int) for step in rest):
        raise InexpressibleError("a wildcard in a selector: the table's arrays have no such test")
    if first in _JSON_COLUMNS and rest:
        path = "".join(f'["{step}"]' if isinstance(step, str) else f"[{step}]" for step in rest)
        if any('"' in step or "\\" in step for step in rest if isinstance(step, str)):
            raise InexpressibleError("a quote in a field's name")
        return f"json_extract_scalar({str(first).lower()}, {_quoted('$' + path)})"
    if first in _JSON_COLUMNS or (
        first in _COLUMNS and first not in _STRUCTS and not rest and first != "resources"
    ):
        return str(first).lower()
    if first in _STRUCTS and ".".join(map(str, rest)) in _STRUCTS[str(first)]:
        return ".".join(map(str, selector.steps)).lower()
    if first == "resources" and len(rest) == 2 and isinstance(rest[0], int):
        names = {"ARN": "arn", "accountId": "accountid", "type": "type"}
        if rest[1] in names:
            return f"element_at(resources, {rest[0] + 1}).{names[str(rest[1])]}"
    raise InexpressibleError(f"the table has no column for $.{'.'.join(map(str, selector.steps))}")
