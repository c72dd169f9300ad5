"""The comparison operators, one row each: what the other modules ask about them (rules 33 to 37, 45)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """What is known of one operator.

    Attributes:
        opposite: the operator that is true of a number where this one is false.
        compare: the same comparison of two Python numbers.
        number: the function of `runtime` that compares a value with a bare number.
        text: the one that compares it with a text without wildcards; "" where only numbers compare (rule 37).
        wildcard: the one that compares it with a text with wildcards, or "".
        regex: the one that searches it for a regex, or "".
    """

    opposite: Operator
    compare: Callable[[Any, Any], bool]
    number: str
    text: str = ""
    wildcard: str = ""
    regex: str = ""

    @property
    def is_ordering(self) -> bool:
        """Whether it compares numbers only (rule 37)."""
        return not self.text

    @property
    def is_negative(self) -> bool:
        """Whether, over a wildcard, no selected value may be equal (rule 45)."""
        return self.compare is operator.ne


OPERATORS: dict[Operator, OperatorRow] = {
    "=": OperatorRow("!=", operator.eq, "equals_number", "equals", "is_like", "is_found"),
    "!=": OperatorRow("=", operator.ne, "differs_from_number", "differs", "is_unlike", "is_not_found"),
    "<": OperatorRow(">=", operator.lt, "below"),
    "<=": OperatorRow(">", operator.le, "at_most"),
    ">": OperatorRow("<=", operator.gt, "above"),
    ">=": OperatorRow("<", operator.ge, "at_least"),
}
