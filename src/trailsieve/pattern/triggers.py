"""Necessary conditions for a pattern to match, one selector at a time.

`triggers(expression)` is a set of conditions, each on the value of one selector; at least one of them is true
whenever the expression is. A pattern without a true trigger need not be tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from trailsieve.pattern.codegen import generate_test
from trailsieve.pattern.loader import load
from trailsieve.pattern.nodes import And, Comparison, Expression, NotExists, Or, Selector, String, terms_of
from trailsieve.pattern.runtime import ABSENT, text_of

Triggers = dict[Selector, list[Expression]]

_NONE: frozenset[int] = frozenset()
_CACHED_VALUES = 4096  # a selector; beyond, values are tested each time
_CACHED_LENGTH = 512  # characters


def popularity(expressions: Iterable[Expression]) -> Counter[Selector]:
    """How many different texts the patterns compare each selector with.

    Of several possible triggers the one on the selector with the most texts is chosen, because it tells the
    patterns apart: the API call, not the service that hundreds of them share.
    """
    terms = (term for expression in expressions for term in terms_of(expression))
    asked = {(term.target, text) for term in terms if (text := _fixed_text(term)) is not None}
    return Counter(target for target, _ in asked if isinstance(target, Selector))


def triggers(expression: Expression, popular: Mapping[Selector, int]) -> Triggers:
    """The cheapest triggers of an expression; a selector's conditions are alternatives."""
    if isinstance(expression, Or):
        joined: Triggers = {}
        for term in expression.terms:
            for selector, conditions in triggers(term, popular).items():
                joined.setdefault(selector, []).extend(conditions)
        return joined
    if isinstance(expression, And):
        return min((triggers(term, popular) for term in expression.terms), key=lambda t: _cost(t, popular))
    assert isinstance(expression.target, Selector)
    return {expression.target: [expression]}


def _cost(found: Triggers, popular: Mapping[Selector, int]) -> tuple[int, int, int]:
    """Lower is better: true of few values, few selectors, a selector that is looked at anyway."""
    worst = max(_generality(condition) for conditions in found.values() for condition in conditions)
    return worst, len(found), -min(popular.get(selector, 0) for selector in found)


def _generality(condition: Expression) -> int:
    """Roughly how many values satisfy a condition: 0 one text, 1 some, 2 nearly all."""
    if _fixed_text(condition) is not None:
        return 0
    if isinstance(condition, NotExists) or (isinstance(condition, Comparison) and condition.is_negative):
        return 2
    return 1


def _fixed_text(condition: Expression) -> str | None:
    """The text that the value must be equal to, if that is all that the condition requires."""
    match condition:
        case Comparison(operator="=", value=String(text=text), target=Selector() as selector) if (
            "*" not in text and not selector.wildcards
        ):
            return text
    return None


class TriggerTable:
    """For one selector: which patterns each value triggers, worked out once a value.

    Attributes:
        quiet: values that are known to trigger no pattern: texts and `ABSENT`, since equal values of other
            types differ in meaning (1, 1.0, true). Values repeat much in a trail, so one look into this set
            settles nearly every event; its memory is bounded.
    """

    def __init__(self) -> None:
        self.quiet: set[object] = set()
        self._loud: dict[object, frozenset[int]] = {}
        self._texts: dict[str, list[int]] = {}
        self._tests: list[tuple[int, Callable[[object], bool]]] = []

    def add(self, number: int, conditions: list[Expression]) -> None:
        """Adds a pattern's conditions on this selector."""
        rest = []
        for condition in conditions:
            text = _fixed_text(condition)
            if text is None:
                rest.append(condition)
            else:
                self._texts.setdefault(text, []).append(number)
        if rest:
            test = rest[0] if len(rest) == 1 else Or(tuple(rest))
            self._tests.append((number, load(generate_test(test), "trigger")))

    def triggered(self, value: object) -> frozenset[int]:
        """The patterns that a value triggers."""
        if value.__class__ is not str and value is not ABSENT:
            return self._work_out(value)
        if value in self.quiet:
            return _NONE
        known = self._loud.get(value)
        return known if known is not None else self._work_out(value)

    def _work_out(self, value: object) -> frozenset[int]:
        text = text_of(value)
        numbers = set(self._texts.get(text, ())) if text is not None else set()
        numbers.update(number for number, test in self._tests if test(value))
        found = frozenset(numbers)
        if len(self.quiet) + len(self._loud) < _CACHED_VALUES:
            if isinstance(value, str) and len(value) <= _CACHED_LENGTH and found:
                self._loud[value] = found
            elif not found and (value is ABSENT or _is_short(value)):
                self.quiet.add(value)
        return found


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _CACHED_LENGTH
