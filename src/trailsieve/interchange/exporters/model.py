"""Where rules are exported to, what an export returns, and what the query exports share."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from trailsieve.pattern.nodes import Comparison, Expression, JsonPattern, Number, String, terms_of
from trailsieve.pattern.runtime import match_wildcards
from trailsieve.rules.rule import Rule

T = TypeVar("T")
Convert = Callable[[Rule, Expression], tuple[T, Sequence[str]]]  # a query and its losses
# The fields of a record that hold any JSON; most others hold text.
# Source: docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
FREE_FORM = frozenset({"requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"})
MAX_DIGITS = 15  # that every double keeps
_MEANINGS = {
    "LogGroup": "Name of the log group that receives the trail",
    "Topic": "ARN of the SNS topic that the alarms notify",
}


class Placeholder(str):
    """A parameter or variable of a template, whose value the person who deploys it knows."""

    __slots__ = ()

    @property
    def meaning(self) -> str:
        """The description of the parameter."""
        dimension = self.removeprefix("Dimension")
        return _MEANINGS.get(self) or f"Value of the dimension {dimension} that the alarm watches"


@dataclass(frozen=True, slots=True)
class ExportTarget:
    """The CloudWatch resources that the rules are exported for.

    Attributes:
        topic: the ARN that the alarms notify.
        namespace: the namespace of the metrics.
    """

    log_group: str = Placeholder("LogGroup")
    topic: str = Placeholder("Topic")
    namespace: str = "trailsieve"


@dataclass(slots=True)
class Export:
    """The text of a template, script or set of queries.

    Attributes:
        losses: by rule id, what the other service does differently.
        unsupported: by rule id, why the rule is not in the text.
    """

    text: str
    losses: dict[str, list[str]] = field(default_factory=dict)
    unsupported: dict[str, str] = field(default_factory=dict)


NO_SEQUENCE = "its alarm is a sequence of matches, which has no equivalent"
_DISABLED = "it is disabled, and a query cannot be"
_ON_ABSENCE = "its alarm is raised when matches are missing, and a query finds matches only"


class InexpressibleError(Exception):
    """The other service cannot express a rule; the message is the reason."""


def json_queries(rules: Sequence[Rule], convert: Convert[Any]) -> Export:
    """A JSON object with what `convert` returns by rule id."""
    made, export = queries(rules, convert)
    export.text = json_text(made)
    return export


def queries(rules: Sequence[Rule], convert: Convert[T]) -> tuple[dict[str, T], Export]:
    """By rule id what `convert` returns, and an export without text that lists the losses."""
    made: dict[str, T] = {}
    export = Export("")
    for rule in rules:
        try:
            made[rule.id], losses = _query(rule, convert)
        except InexpressibleError as error:
            export.unsupported[rule.id] = str(error)
        else:
            export.losses[rule.id] = losses
    return made, export


def _query(rule: Rule, convert: Convert[T]) -> tuple[T, list[str]]:
    if rule.sequence:
        raise InexpressibleError(NO_SEQUENCE)
    if not rule.enabled:
        raise InexpressibleError(_DISABLED)
    if rule.alarm and rule.alarm.on_absence:
        raise InexpressibleError(_ON_ABSENCE)
    tree = rule.pattern.tree
    if not isinstance(tree, JsonPattern):
        raise InexpressibleError("only JSON patterns can be exported; this one tests the event's text")
    query, losses = convert(rule, tree.expression)
    exceptions = ["the exceptions are not in the query"] * bool(rule.exceptions)
    return query, [*losses, *_wildcard_loss(tree.expression), *exceptions]


def _wildcard_loss(expression: Expression) -> list[str]:
    """How wildcards of other services differ: they also find text that occurs twice (rule 40)."""
    differs = any(
        not term.is_negative and isinstance(term.value, String) and is_found_at_first_place(term.value)
        for term in terms_of(expression)
        if isinstance(term, Comparison)
    )
    return ["`= *y` also matches `yy`; CloudWatch looks for y at its first place only (rule 40)"] * differs


def is_found_at_first_place(value: String) -> bool:
    """Whether the text after a wildcard must end the value at its first occurrence (rule 40).

    Other services look for it anywhere: what they find too holds the last part once more before its end.
    """
    return len(value.parts) > 1 and bool(value.parts[-1])


def may_be_number(value: String) -> bool:
    """Whether the text can be that of a number (rule 35)."""
    return bool(re.fullmatch(r"[-+0-9.eE*]+", value.text)) or any(
        (len(value.parts) > 1 and match_wildcards(text, value.parts)) or text == value.text
        for text in ("Infinity", "-Infinity")
    )


def double(number: Number) -> float:
    """The number as a double.

    Raises:
        InexpressibleError: it is too large for one.
    """
    value = float(number.text)
    if not math.isfinite(value):
        raise InexpressibleError(f"the number {number.text} is too large for a double")
    return value


def exact_double(number: Number) -> float | None:
    """The number as a double, or None if that is another number or one with more than 15 digits."""
    value, exact = float(number.text), Decimal(number.text)
    if not math.isfinite(value) or Decimal(repr(value)) != exact:
        return None
    return value if len(exact.normalize().as_tuple().digits) <= MAX_DIGITS else None


def json_text(content: Any) -> str:
    """The content as indented JSON."""
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
