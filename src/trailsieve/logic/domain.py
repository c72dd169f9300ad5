"""The values that one place of an event can have, as few as its tests can tell apart.

Each case stands for all values on which every test says the same. What a test says of a case is asked of the
reference interpreter; the machines only make sure that no case is forgotten. So a case too many costs
time, never truth. A case that is a combination for which no value is known is a *phantom*: it counts when
something is to be proved impossible, and never makes a witness.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from itertools import product
from typing import Any, Final

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.logic.automata import NumberText
from trailsieve.logic.number_order import Order
from trailsieve.logic.number_representatives import HUGE, stand_ins, thresholds
from trailsieve.logic.shortest_words import Label, label_of, words_by_label
from trailsieve.logic.text_languages import TextTests, language_of, words
from trailsieve.pattern import runtime
from trailsieve.pattern.interpret import value_holds
from trailsieve.pattern.nodes import Comparison, IsType, Number, Selector, Term

HERE: Final = Selector(())  # the target of a test: wherever it is asked
NULL_ITSELF: Final = IsType(Selector(("null itself",)), "NULL")  # null, without the quirk of rule 29
_KIND = {True: "true", False: "false", None: "null"}
_NATURAL_NUMBERS = ("1", "2", "3", "7", "42")


@dataclass(frozen=True, slots=True)
class Case:
    """A value, or a phantom.

    Attributes:
        kind: absent, null, true, false, number, string, array, object.
        value: the decoded value; of a phantom what numeric tests see.
        text: what text tests see of a number or a string.
        real: False for a phantom.
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
        """The cases that are no phantoms."""
        return sum(1 << n for n, case in enumerate(self.cases) if case.real)


@lru_cache(maxsize=4096)
def value_domain(tests: tuple[Term, ...], *, null_elements: bool) -> Domain:
    """The cases of a JSON value.

    Args:
        tests: terms whose target is `HERE`, or `NULL_ITSELF`.
        null_elements: tell arrays that hold null from others (rule 29); not where elements are looked at.

    Raises:
        UnknownError: there are too many.
    """
    return domain_of(_cases(tests, null_elements), tests)


@lru_cache(maxsize=4096)
def loose_domain(tests: tuple[Term, ...], *, null_elements: bool) -> Domain:
    """The cases of a JSON value, when it is left open which wildcards and regexes a text matches."""
    known = tuple(test for test in tests if language_of(test) is None)
    comparisons = [test for test in known if isinstance(test, Comparison)]
    single = {
        kind: TextTests(comparisons, numbers=kind == "string").literals for kind in ("string", "number")
    }
    cases = _cases(known, null_elements)
    opened = [case.text is not None and case.text not in single[case.kind] for case in cases]
    # An open number would have to be found in all the languages: it serves proofs only.
    cases = [
        replace(case, real=case.real and not (is_open and case.kind == "number"))
        for case, is_open in zip(cases, opened, strict=True)
    ]
    masks = {
        test: sum(
            1 << n for n, case in enumerate(cases) if (test in known or not opened[n]) and case.holds(test)
        )
        for test in tests
    }
    return Domain(tuple(cases), masks, sum(1 << n for n, is_open in enumerate(opened) if is_open))


def _cases(tests: tuple[Term, ...], null_elements: bool) -> list[Case]:
    comparisons = [test for test in tests if isinstance(test, Comparison)]
    cases = [Case("absent", runtime.ABSENT), *_strings(comparisons), *_numbers(comparisons)]
    cases += [Case(_KIND[value], value) for value in (True, False, None)]
    cases += [Case("array", []), *([Case("array", [None])] if null_elements else ()), Case("object", {})]
    return cases


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


def _is_numeric(test: Term) -> bool:
    return isinstance(test, Comparison) and isinstance(test.value, Number)


def _strings(comparisons: Sequence[Comparison]) -> list[Case]:
    tests = TextTests(comparisons, numbers=True)
    return [Case("string", word, word) for word in words(tests)]


def _numbers(comparisons: Sequence[Comparison]) -> list[Case]:
    constants = [test.value.value for test in comparisons if isinstance(test.value, Number)]
    tests = TextTests(comparisons, numbers=False)
    plain = [number_case(str(n)) or Case("number", n, str(n), False) for n in stand_ins(constants)]
    if not tests.literals and not tests.languages:
        return plain
    literals = [case for text in tests.literals if (case := number_case(text))]
    if not tests.languages:
        # A number can be written in endless ways (1, 1.0, 1.00): some way is none of the literals.
        return [*literals, *(_rewritten(case, tests.literals) for case in plain)]
    return [*literals, *_mixed(tests, constants)]


def number_case(text: str) -> Case | None:
    """The number whose own text is `text`, or None when no number has that text."""
    for written in (text, f"{text}e0"):
        try:
            value = jsontext.decode(written)
        except UnreadableError:
            continue
        if value.__class__ is not bool and runtime.text_of(value) == text and value.__class__ is not str:
            return Case("number", value, text)
    return None


def _rewritten(case: Case, taken: Sequence[str]) -> Case:
    text = str(case.text)
    while text in taken:
        digits, mark, power = text.partition("E")
        text = digits + ("0" if "." in digits else ".0") + mark + power
    return number_case(text) or Case("number", case.value, text, False)


def _mixed(tests: TextTests, constants: Sequence[int | Decimal]) -> list[Case]:
    """Numbers under text tests with wildcards or regexes, and maybe numeric tests too."""
    orders = [Order(place) for place in thresholds(constants)] if constants else []
    machines = [NumberText(), *tests.machines, *orders]
    found = {label: word for label, word in words_by_label(machines, guided=True).items() if label[0]}
    for word in reversed(_NATURAL_NUMBERS):
        label = label_of(machines, word)
        if not any(label[1 : 1 + len(tests.machines)]):
            found[label] = word
    cases = [number_case(word) or Case("number", Decimal(word), word, False) for word in found.values()]
    if not constants:
        return cases
    # Rule 38: numbers beyond any double, and numbers so small that they count as 0.
    by_text: dict[Label, list[str]] = {}
    for label, word in found.items():
        if label[1] is None:
            by_text.setdefault(label[1 : 1 + len(tests.machines)], []).append(word)
    for (label, some), value in product(by_text.items(), (HUGE, Decimal(0))):
        cases.append(_extreme(tests, label, some, value))
    return cases


def _extreme(tests: TextTests, label: Label, some: Sequence[str], value: Decimal) -> Case:
    """A number like the HUGE or zero `value` to numeric tests, with a text of that label; maybe a phantom."""
    endings = ("E+400", "E+310", "E+999", "0" * 400) if value else ("E-400", "E-410", "E-999", "")
    likely = ("2E+400", "-2E+410", "1E+999") if value else ("2E-400", "-2E-410", "0", "0.0", "-0.0")
    for text in (*likely, *(word + ending for word in some for ending in endings)):
        case = number_case(text) if label_of(tests.machines, text) == label else None
        if case and runtime.number_of(case.value) == runtime.number_of(value):
            return case
    return Case("number", value, some[0], False)
