"""The values that one place of an event can have, as few as its tests can tell apart.

Each case represents all values for which every test has the same result. The reference interpreter decides
what a test says of a case; the automata only ensure that no case is missing. So a superfluous case costs
time, but never makes an answer wrong. A case is *spurious* (not `real`) when no value is known for it: it
counts when something is to be proved impossible, and never becomes a witness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from trailsieve.pattern.interpret import value_holds
from trailsieve.pattern.nodes import Comparison, IsType, Number, Selector, Term

HERE: Final = Selector(())  # the target of a test: wherever it is asked
NULL_ITSELF: Final = IsType(Selector(("null itself",)), "NULL")  # null, without the quirk of rule 29


@dataclass(frozen=True, slots=True)
class Case:
    """A value of a place, or a combination for which no value is known.

    Attributes:
        kind: absent, null, true, false, number, string, array, object.
        value: the decoded value; of a spurious case, what numeric tests see.
        text: what text tests see of a number or a string.
        real: False for a spurious case.
    """

    kind: str
    value: Any = None
    text: str | None = None
    real: bool = True

    def holds(self, test: Term) -> bool:
        """What a test says of this case."""
        if test is NULL_ITSELF:
            return self.kind == "null"
        return value_holds(test, self.value if self.text is None or _is_numeric(test) else self.text)


@dataclass(frozen=True, slots=True)
class Domain:
    """The cases of one place; bit n of a mask is case n."""

    cases: tuple[Case, ...]
    masks: dict[Term, int]
    open: int = 0  # of a loose domain: the cases of which languages are not known

    def mask(self, test: Term) -> int:
        """The cases for which a test is true; it must be one of those that the domain was made for."""
        return self.masks[test]

    def of_kind(self, *kinds: str) -> int:
        """The cases of some kinds."""
        return sum(1 << n for n, case in enumerate(self.cases) if case.kind in kinds)

    @property
    def real(self) -> int:
        """The cases that are not spurious."""
        return sum(1 << n for n, case in enumerate(self.cases) if case.real)


def _is_numeric(test: Term) -> bool:
    return isinstance(test, Comparison) and isinstance(test.value, Number)


def domain_of(cases: Iterable[Case], tests: tuple[Term, ...]) -> Domain:
    """Cases of which all tests say the same, and that hold the same, become one: the first real one."""
    kept: dict[tuple[object, ...], Case] = {}
    for case in sorted(cases, key=lambda case: not case.real):
        shape = case.kind if case.kind in ("absent", "array", "object") else "scalar"
        kept.setdefault((shape, *(case.holds(test) for test in tests)), case)
    masks = {
        test: sum(1 << n for n, answers in enumerate(kept) if answers[place])
        for place, test in enumerate(tests, 1)
    }
    return Domain(tuple(kept.values()), masks)
