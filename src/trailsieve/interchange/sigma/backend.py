"""A pySigma backend that converts conditions to the nodes of a filter pattern and renders them.

Filter patterns have no "not", so it moves down to the comparisons. There `!=` is false for an absent field
(rule 26) but Sigma's "not" is true: hence `… || … NOT EXISTS`.
Source: sigmahq.io/sigma-specification, github.com/SigmaHQ/pySigma
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
)
from sigma.conversion.base import TextQueryBackend
from sigma.conversion.state import ConversionState
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError as UnsupportedError
from sigma.rule import SigmaRule
from sigma.types import SigmaBool, SigmaCIDRExpression, SigmaRegularExpression, SigmaString, SpecialChars

from trailsieve.errors import PatternError
from trailsieve.interchange.sigma.negation import EXISTS, joined, negation, truth
from trailsieve.pattern import nodes
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.operators import Operator
from trailsieve.pattern.regex import check_regex
from trailsieve.pattern.render import render

Condition = ConditionFieldEqualsValueExpression
_MAX_NETWORKS = 16  # wildcards that one CIDR range can expand to
CASE = "Sigma ignores case; the pattern matches the case as written"
NEGATED = "`not` also matches fields that are null, true, false, lists or objects; the pattern does not"
ORDERED = "`not` of <, <=, > or >= also matches text; the pattern does not"
EXISTENCE = "a field that is null, true, false, a list or an object does not count as present"
STAR = "text after a wildcard is looked for at its first place only (rule 40): `*y` misses `yy`"
NETWORK = "an IP range is compared as text: a host name can begin like an address"
_SIGNS: dict[str, Operator] = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NEQ": "!="}


def _refused(why: str) -> Callable[..., Any]:
    """A method for conditions that no pattern can express."""

    def convert(*_arguments: Any, **_options: Any) -> Any:
        raise UnsupportedError(why)

    return convert


class CloudWatchFilterBackend(TextQueryBackend):
    """Sigma rules as filter patterns of CloudWatch Logs.

    Attributes:
        losses: what the converted patterns lose, one sentence each; the caller clears it.
    """

    identifier: ClassVar[str] = "cloudwatch"
    name: ClassVar[str] = "CloudWatch Logs filter patterns"
    formats: ClassVar[dict[str, str]] = {"default": "Filter patterns"}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.losses: dict[str, None] = {}

    # --- and, or, not ---

    def convert_condition_and(self, cond: ConditionAND, state: ConversionState) -> Any:
        return joined(nodes.And, self._converted(cond.args, state))

    def convert_condition_or(self, cond: ConditionOR, state: ConversionState) -> Any:
        return joined(nodes.Or, self._converted(cond.args, state))

    def _converted(self, conditions: Any, state: ConversionState) -> list[Any]:
        return [self.convert_condition(condition, state) for condition in conditions]

    def convert_condition_not(self, cond: ConditionNOT, state: ConversionState) -> Any:
        self.losses[NEGATED] = None
        return self._negated(cond.args[0], state)

    def _negated(self, condition: Any, state: ConversionState) -> Any:
        """The negation of a condition; what a "not" within it negates counts as it is."""
        if isinstance(condition, ConditionNOT):
            return self.convert_condition(condition.args[0], state)
        if isinstance(condition, ConditionAND | ConditionOR) and any(
            isinstance(inner, ConditionNOT) for inner in condition.args
        ):
            kind = nodes.Or if isinstance(condition, ConditionAND) else nodes.And
            return joined(kind, [self._negated(inner, state) for inner in condition.args])
        expression: Any = self.convert_condition(condition, state)
        if any(
            isinstance(term, nodes.Comparison) and term.is_ordering for term in nodes.terms_of(expression)
        ):
            self.losses[ORDERED] = None
        return negation(expression)

    # --- fields ---

    def convert_condition_field_eq_val_str(self, cond: Condition, state: ConversionState) -> Any:
        if any(part.lower() != part.upper() for part in _parts(cond.value) if isinstance(part, str)):
            self.losses[CASE] = None
        return self.convert_condition_field_eq_val_str_case_sensitive(cond, state)

    def convert_condition_field_eq_val_str_case_sensitive(
        self, cond: Condition, state: ConversionState
    ) -> Any:
        parts = _parts(cond.value)
        if parts == [SpecialChars.WILDCARD_MULTI]:
            self.losses[EXISTENCE] = None
        if len(parts) == 1 and str(parts[0]).lower() in ("true", "false"):
            return truth(_selector(cond.field), str(parts[0]).lower() == "true")
        if any(part is SpecialChars.WILDCARD_MULTI for part in parts[:-1]) and isinstance(parts[-1], str):
            self.losses[STAR] = None
        return _compared(cond, "=", _text(parts))

    def convert_condition_field_eq_val_num(self, cond: Condition, state: ConversionState) -> Any:
        return _compared(cond, "=", _number(cond.value))

    def convert_condition_field_eq_val_bool(self, cond: Condition, state: ConversionState) -> Any:
        assert isinstance(cond.value, SigmaBool)
        return truth(_selector(cond.field), cond.value.boolean)

    def convert_condition_field_eq_val_re(self, cond: Condition, state: ConversionState) -> Any:
        value = cond.value
        assert isinstance(value, SigmaRegularExpression)
        if value.flags:
            raise UnsupportedError("a regex with flags, which filter patterns do not have")
        return _compared(cond, "=", _regex(str(value.regexp)))

    def convert_condition_field_eq_val_cidr(self, cond: Condition, state: ConversionState) -> Any:
        assert isinstance(cond.value, SigmaCIDRExpression)
        texts = cond.value.expand("*")
        if len(texts) > _MAX_NETWORKS:
            raise UnsupportedError(f"the range {cond.value} expands to {len(texts)} wildcards")
        self.losses[NETWORK] = None
        return joined(nodes.Or, [_compared(cond, "=", nodes.String(text)) for text in texts])

    def convert_condition_field_compare_op_val(self, cond: Condition, state: ConversionState) -> Any:
        value: Any = cond.value
        return _compared(cond, _SIGNS[value.op.name], _number(value.number))

    def convert_condition_field_eq_val_null(self, cond: Condition, state: ConversionState) -> Any:
        selector = _selector(cond.field)
        return nodes.Or((nodes.NotExists(selector), nodes.IsType(selector, "NULL")))

    def convert_condition_field_exists(self, cond: Condition, state: ConversionState) -> Any:
        self.losses[EXISTENCE] = None
        return nodes.Comparison(_selector(cond.field), "=", EXISTS)

    def convert_condition_field_not_exists(self, cond: Condition, state: ConversionState) -> Any:
        return nodes.NotExists(_selector(cond.field))

    convert_condition_field_eq_field = _refused("a comparison of two fields")
    convert_condition_field_eq_val_timestamp_part = _refused("parts of a time")
    convert_condition_field_eq_query_expr = _refused("a query in another language")

    # --- values without a field ---

    convert_condition_val_str = _refused(
        "keywords: a JSON pattern tests fields, it does not search the event"
    )
    convert_condition_val_num = convert_condition_val_str
    convert_condition_val_re = convert_condition_val_str
    convert_condition_query_expr = convert_condition_val_str

    def finish_query(self, rule: Any, query: Any, state: ConversionState) -> Any:
        return query

    def finalize_query_default(self, rule: SigmaRule, query: Any, index: int, state: ConversionState) -> str:
        """The text of the pattern.

        Raises:
            SigmaFeatureNotSupportedByBackendError: CloudWatch does not accept it.
        """
        text = render(nodes.JsonPattern(query))
        try:
            compile(text)
        except PatternError as error:
            raise UnsupportedError(error.message) from None
        return text

    convert_correlation_rule = _refused(
        "a correlation rule; write it as an `alarm` with `threshold`, `count_distinct` or `sequence`"
    )


def _compared(cond: Condition, operator: Operator, value: nodes.Value) -> nodes.Comparison:
    return nodes.Comparison(_selector(cond.field), operator, value)


def _selector(field: str) -> nodes.Selector:
    return nodes.Selector(tuple(field.split(".")))


def _number(value: Any) -> nodes.Number:
    text = str(value.number if hasattr(value, "number") else value)
    return nodes.Number(text, int(text) if re.fullmatch(r"-?\d+", text) else 0)


def _parts(value: Any) -> list[Any]:
    assert isinstance(value, SigmaString)
    return list(value.s)


def _text(parts: list[Any]) -> nodes.Value:
    """A text with `*` wildcards, or a regex if it has others."""
    plain = all(
        "*" not in part if isinstance(part, str) else part is SpecialChars.WILDCARD_MULTI for part in parts
    )
    if not plain:
        return _as_regex(parts)
    return nodes.String("".join(part if isinstance(part, str) else "*" for part in parts))


_AS_REGEX: dict[Any, str] = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}


def _as_regex(parts: list[Any]) -> nodes.Regex:
    """A regex for what `*` cannot express: `?` for one character, and a literal star."""
    if any(not isinstance(part, str) and part not in _AS_REGEX for part in parts):
        raise UnsupportedError("a placeholder that no pipeline replaced")
    source = "".join(_escaped(part) if isinstance(part, str) else _AS_REGEX[part] for part in parts)
    return _regex(f"^{source}$")


def _escaped(text: str) -> str:
    return re.sub(r"([$?\[\]{}|\\*+.^])", r"\\\1", text)


def _regex(source: str) -> nodes.Regex:
    problem = check_regex(source)
    if problem:
        raise UnsupportedError(f"the regex {source}: {problem.message}")
    return nodes.Regex(source)
