"""The values that one place of an event can have, as few as its tests can tell apart.

Each case stands for all values on which every test says the same. What a test says of a case is asked of the
reference interpreter; the machines only make sure that no case is forgotten. So a case too many costs
time, never truth. A case that is a combination for which no value is known is a *phantom*: it counts when
something is to be proved impossible, and never makes a witness.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.logic.number_order import Order
from trailsieve.logic.number_representatives import HUGE, neighbours, numbers_between, stand_ins, thresholds
from trailsieve.logic.number_text import numbers, whole_numbers
from trailsieve.logic.shortest_words import label_of, words_by_label
from trailsieve.logic.text_languages import TextTests, language_of, words
from trailsieve.pattern import runtime
from trailsieve.pattern.interpret import value_holds
from trailsieve.pattern.nodes import Comparison, IsType, Number, Selector, Term

HERE: Final = Selector(())  # the target of a test: wherever it is asked
NULL_ITSELF: Final = IsType(Selector(("null itself",)), "NULL")  # null, without the quirk of rule 29
_KIND = {True: "true", False: "false", None: "null"}
_NATURAL_NUMBERS = ("1", "2", "3", "7", "42")
_SPECIAL_TEXTS = ("0", "0.0", "-0.0", "Infinity", "-Infinity")
_BEYOND_DOUBLE = {"Infinity": "1e400", "-Infinity": "-1e400"}
_HUGE_DIGITS = 350  # more than the 309 of the largest double, and few enough for an int (see `jsontext`)
_OTHER_TEXT = "1.other"  # stands for the text of a number that is none of some literals


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
    cases = [_number(value) for value in stand_ins(constants)]
    if not tests.literals and not tests.languages:
        return cases
    cases += [case for text in tests.literals if (case := number_case(text))]
    if constants:
        cases += [case for text in _SPECIAL_TEXTS if (case := number_case(text))]
        cases += map(_number, neighbours(constants))
    cases += _in_languages(tests, constants) if tests.languages else _untested(tests, constants)
    return cases


def _number(value: int | Decimal) -> Case:
    return Case("number", value, runtime.text_of(value))


def number_case(text: str) -> Case | None:
    """The number whose text is `text` (rule 35), or None when no number has that text."""
    try:
        value = jsontext.decode(_BEYOND_DOUBLE.get(text, text))
    except UnreadableError:
        return None
    is_number = value.__class__ is int or value.__class__ is Decimal
    return Case("number", value, text) if is_number and runtime.text_of(value) == text else None


def _untested(tests: TextTests, constants: Sequence[int | Decimal]) -> Iterator[Case]:
    """Numbers between the constants whose text is none of the literals."""
    beyond = [10**_HUGE_DIGITS + n for n in range(len(tests.literals) + 1)]
    for values in (*numbers_between(constants, len(tests.literals) + 1), beyond):
        cases = (_number(written) for value in values for written in (value, Decimal(value)))
        untested = next((case for case in cases if case.text not in tests.literals), None)
        yield untested or Case("number", values[0], _OTHER_TEXT, real=False)


def _in_languages(tests: TextTests, constants: Sequence[int | Decimal]) -> Iterator[Case]:
    """Numbers under text tests with wildcards or regexes, and maybe numeric tests too."""
    orders = [Order(place) for place in thresholds(constants)] if constants else []
    machines = [numbers(), *tests.machines, *orders]
    found = {label: word for label, word in words_by_label(machines, guided=True).items() if label[0]}
    for word in reversed(_NATURAL_NUMBERS):
        label = label_of(machines, word)
        if not any(label[1 : 1 + len(tests.machines)]):
            found[label] = word
    for word in found.values():
        yield number_case(word) or Case("number", Decimal(word), word, real=False)
    if constants:
        yield from _beyond_double(tests)


def _beyond_double(tests: TextTests) -> Iterator[Case]:
    """Whole numbers beyond any double: numeric tests fail, text tests see the digits (rules 35 and 38)."""
    found = words_by_label([whole_numbers(), *tests.machines], guided=True)
    for label, word in ((label, word) for label, word in found.items() if label[0]):
        longer = (number_case(digits + "0" * _HUGE_DIGITS) for digits in (word, "1", "2", "-1"))
        alike = (case for case in longer if case and label_of(tests.machines, str(case.text)) == label[1:])
        yield next(alike, Case("number", HUGE, word, real=False))
