"""Rules as SQL for Athena, over the table that AWS documents for CloudTrail logs.

Source: docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html; the SQL is Trino's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from trailsieve.errors import visible
from trailsieve.interchange.exporters.athena_table import Column, column, quoted
from trailsieve.interchange.exporters.model import (
    Export,
    ExportTarget,
    InexpressibleError,
    double,
    exact_double,
    is_found_at_first_place,
    may_be_number,
    queries,
)
from trailsieve.pattern import nodes
from trailsieve.rules.alarm import Alarm, Reference
from trailsieve.rules.rule import Rule

_SUMS = ("Sum", "SampleCount")
_TEXT = (
    "columns hold text: null counts as absent, the text true as true,"
    " and numbers, lists and objects are compared as they are written"
)
_WRITTEN = 'text tests see a number as it is written: 1.10 is not "1.1", as it is in CloudWatch (rule 35)'
_DOUBLES = "numbers are compared as doubles: digits after the 15th do not count, and 1e400 is infinite"
_READ = "in a column of text, text that reads as a number counts as one"
_NULLS = "IS NULL of a field in JSON also finds a null deeper in an array"


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
    where, losses = _condition(expression), list(dict.fromkeys(_losses(expression)))
    if rule.alarm and _is_simple(rule):
        return _grouped(where, rule.alarm), losses
    losses += ["the alarm is not in the query: it has M of N, or more than a count"] * bool(rule.alarm)
    return f"SELECT * FROM cloudtrail_logs\nWHERE {where};", losses  # noqa: S608  # values are quoted


def _losses(expression: nodes.Expression) -> Iterator[str]:
    for term in nodes.terms_of(expression):
        assert isinstance(term.target, nodes.Selector)
        in_text = not column(term.target).json
        yield from [_TEXT] * in_text
        match term:
            case nodes.Comparison(value=nodes.Number()):
                yield from [_DOUBLES, _READ] if in_text else [_DOUBLES]
            case nodes.Comparison(value=nodes.String() as value) if in_text or not may_be_number(value):
                pass
            case nodes.Comparison() if not in_text:
                yield _WRITTEN
            case nodes.IsType(type="NULL") if not in_text:
                yield _NULLS


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
    by = [column(_selector(reference)).text for reference in alarm.by]
    names = [f"{column} AS by_{number}" for number, column in enumerate(by, 1)]
    groups = ", ".join(map(str, range(1, len(by) + 2)))
    counted = f"DISTINCT {column(_selector(alarm.count_distinct)).text}" if alarm.count_distinct else "*"
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
    return _term(expression)


def _term(term: nodes.Term) -> str:
    assert isinstance(term.target, nodes.Selector)
    field = column(term.target)
    match term:
        case nodes.NotExists():
            return f"{field.value} IS NULL"
        case nodes.IsType(type="NULL") if field.json:  # or an array with a null element (rule 29)
            return rf"regexp_like({field.json}, '^(null$|\[(.*,)?null[,\]])')"
        case nodes.IsType(type="NULL"):
            return f"{field.text} IS NULL"
    if field.is_json:
        raise InexpressibleError(f"$.{term.target.steps[0]} holds an object, which no pattern can compare")
    if isinstance(term, nodes.IsType):
        return f"{field.json or field.text} = '{term.type.lower()}'"
    return _comparison(field, term)


def _comparison(field: Column, term: nodes.Comparison) -> str:
    match term.value:
        case nodes.Number() as number:
            return _ordered(field, term, number) if term.is_ordering else _with_number(field, term, number)
        case nodes.Regex(source=source):
            found = f"{'NOT ' * term.is_negative}regexp_like({field.text}, {quoted(_ends(source))})"
        case nodes.String() as value:
            found = _like(field, value, term.is_negative)
            if not term.is_negative and value.text[:1] not in ("*", "t", "f", "{", "["):
                return found  # no truth value, array or object reads like this
    return f"({found} AND {field.has_text})" if field.json else found


def _ordered(field: Column, term: nodes.Comparison, number: nodes.Number) -> str:
    # where a double is not the number itself, a row too many beats one too few
    operator = term.operator if exact_double(number) is not None else f"{term.operator[0]}="
    return f"{field.double} {operator} {double(number)!r}"


def _with_number(field: Column, term: nodes.Comparison, number: nodes.Number) -> str:
    """`=` and `!=`: a string by its text, a number by its value (rules 33 and 34)."""
    text, value = quoted(number.text), float(number.text)
    if not term.is_negative:
        equal = f"{field.text} = {text}"
        return f"({equal} OR {field.double} = {value!r})" if math.isfinite(value) else equal
    if not field.json:
        return f"{field.text} <> {text}"
    if exact_double(number) is None:
        return f"({field.text} <> {text} AND {field.has_text})"
    strings = f"""{field.json} LIKE '"%' AND {field.text} <> {text}"""
    return f"({strings} OR {field.double} <> {value!r})"


def _like(field: Column, value: nodes.String, is_negative: bool) -> str:
    if "*" not in value.text:
        return f"{field.text} {'<>' if is_negative else '='} {quoted(value.text)}"
    like = quoted("%".join(re.sub(r"([\\%_])", r"\\\1", part) for part in value.parts))
    if not is_negative:
        return f"{field.text} LIKE {like} ESCAPE '\\'"
    unlike = f"{field.text} NOT LIKE {like} ESCAPE '\\'"
    if not is_found_at_first_place(value):
        return unlike
    return f"({unlike} OR {field.text} LIKE {like[:-1]}_%' ESCAPE '\\')"


def _ends(source: str) -> str:
    r"""The regex with `\z` for `$`, which in Trino also stands before a last line break."""
    return re.sub(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", lambda found: found[1] or r"\z", source)
