"""The numbers that one place of an event can hold, as few as its tests can tell apart.

There is one for each way to compare with the constants of the tests (rules 33, 37 and 38), combined with the
texts that such numbers can have (rule 35).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from itertools import pairwise

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.logic.domain import Case
from trailsieve.logic.number_automata import OrderAutomaton, number_texts, whole_number_texts
from trailsieve.logic.shortest_words import label_of, words_by_label
from trailsieve.logic.text_languages import TextTests
from trailsieve.pattern import runtime
from trailsieve.pattern.nodes import Comparison, Number

_NATURAL_NUMBERS = ("1", "2", "3", "7", "42")
_SPECIAL_TEXTS = ("0", "0.0", "-0.0", "Infinity", "-Infinity")
_BEYOND_DOUBLE = {"Infinity": "1e400", "-Infinity": "-1e400"}
_HUGE_DIGITS = 350  # more than the 309 of the largest double, and few enough for an int (see `jsontext`)
_OTHER_TEXT = "1.other"  # the text of a number that differs from all literals
_OVER = Decimal(2**1024 - 2**970)  # from here on no double holds a number (rule 38)
with localcontext() as _exact:
    _exact.prec = 1200
    _UNDER = Decimal(2) ** -1075  # down from here a number counts as 0 (rule 38)
HUGE = Decimal("1E+400")
_EXACT = Context(prec=4000, Emax=10**9 * 5, Emin=-(10**9) * 5)


def number_cases(comparisons: Sequence[Comparison]) -> list[Case]:
    """The numbers that the comparisons of one place tell apart."""
    constants = [test.value.value for test in comparisons if isinstance(test.value, Number)]
    tests = TextTests(comparisons, numbers=False)
    cases = [_number(value) for value in representatives(constants)]
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
    """Numbers between the constants whose text differs from all literals."""
    beyond = [10**_HUGE_DIGITS + n for n in range(len(tests.literals) + 1)]
    for values in (*numbers_between(constants, len(tests.literals) + 1), beyond):
        cases = (_number(written) for value in values for written in (value, _fraction(value)))
        untested = next((case for case in cases if case.text not in tests.literals), None)
        yield untested or Case("number", values[0], _OTHER_TEXT, real=False)


def _in_languages(tests: TextTests, constants: Sequence[int | Decimal]) -> Iterator[Case]:
    """Numbers under text tests with wildcards or regexes, and maybe numeric tests too."""
    orders = [OrderAutomaton(place) for place in thresholds(constants)] if constants else []
    automata = [number_texts(), *tests.automata, *orders]
    found = {label: word for label, word in words_by_label(automata, guided=True).items() if label[0]}
    for word in reversed(_NATURAL_NUMBERS):
        label = label_of(automata, word)
        if not any(label[1 : 1 + len(tests.automata)]):
            found[label] = word
    for label, word in found.items():
        if constants and not word.endswith("Infinity") and Decimal(word).copy_abs() >= _OVER:
            alike = (text for text in _below_the_limit(word, constants) if label_of(automata, text) == label)
            cases = filter(None, map(number_case, alike))
            yield next(cases, Case("number", _last(word, constants), word, real=False))
        else:
            yield number_case(word) or Case("number", Decimal(word), word, real=False)
    if constants:
        yield from _beyond_double(tests)


def _below_the_limit(word: str, constants: Sequence[int | Decimal]) -> Iterator[str]:
    """Texts of numbers that a double can hold, like that of a number that is beyond."""
    sign, digits = ("-", word[1:]) if word.startswith("-") else ("", word)
    last = _last(word, constants)
    yield from (f"{sign}1{digits[1:]}", str(int(last)), str(runtime.text_of(last)))
    yield from (f"{sign}1.{digit}E308" for digit in range(1, 8))
    yield from (f"{sign}1{first}{filler * 307}" for first in "01234567" for filler in "01")


def _last(word: str, constants: Sequence[int | Decimal]) -> int | Decimal:
    """A number that compares with the constants as one beyond the doubles does."""
    places = thresholds(constants)
    return _between(-_OVER, places[0]) if word.startswith("-") else _between(places[-1], _OVER)


def _beyond_double(tests: TextTests) -> Iterator[Case]:
    """Whole numbers beyond any double: numeric tests fail, text tests see the digits (rules 35 and 38)."""
    found = words_by_label([whole_number_texts(), *tests.automata], guided=True)
    for label, word in ((label, word) for label, word in found.items() if label[0]):
        longer = (number_case(digits + "0" * _HUGE_DIGITS) for digits in (word, "1", "2", "-1"))
        alike = (case for case in longer if case and label_of(tests.automata, str(case.text)) == label[1:])
        yield next(alike, Case("number", HUGE, word, real=False))


# --- numbers that compare differently with some constants ---


def representatives(constants: Iterable[int | Decimal]) -> list[int | Decimal]:
    """The constants, a number between each two, one at each end, 0 and one too big for a double.

    Constants that no number of an event can equal or straddle (rule 38) add nothing.
    """
    between = [numbers[0] for numbers in numbers_between(constants, 1)]
    return [*map(_plain, thresholds(constants)), *between, HUGE]


def numbers_between(constants: Iterable[int | Decimal], count: int) -> list[list[int | Decimal]]:
    """Up to `count` numbers between each two thresholds and at both ends; at least one each."""
    with localcontext(_EXACT):
        found = []
        for low, high in pairwise([-_OVER, *thresholds(constants), _OVER]):
            start, end = _UNDER if low == 0 else low, -_UNDER if high == 0 else high
            numbers = [_between(start, end)]
            while len(numbers) < count and (after := _between(Decimal(numbers[-1]), end)) not in numbers:
                numbers.append(after)
            found.append(numbers)
        return found


def neighbours(constants: Iterable[int | Decimal]) -> list[int | Decimal]:
    """Each threshold, and numbers on both sides of it that are closer than any other constant or double.

    All three may round to the same double, and so have the same text (rule 35), and yet differ (rule 33).
    """
    with localcontext(_EXACT):
        steps = [Decimal(step) for step in ("0", "-1E-30", "1E-30", "-1E-2000", "1E-2000")]
        places = thresholds(constants)
        whole = [int(place) for place in places if place == place.to_integral_value()]
        return [
            *whole,
            *(_fraction(place + place * step if step else place) for place in places for step in steps),
        ]


def thresholds(constants: Iterable[int | Decimal]) -> list[Decimal]:
    """0 and the constants that numbers of events can be equal to, in order."""
    values = {Decimal(constant) for constant in constants}
    return sorted({Decimal(0), *(value for value in values if _UNDER < value.copy_abs() < _OVER)})


def _between(low: Decimal, high: Decimal) -> int | Decimal:
    """A number strictly between: whole and near 0, or else with few digits."""
    floor = low.to_integral_value(ROUND_FLOOR)
    for whole in (Decimal(1), floor + 1, -((-high).to_integral_value(ROUND_FLOOR) + 1)):
        if low < whole < high and abs(whole) < 10**15:
            return int(whole)
    middle = (low + high) / 2
    rounded = (Context(prec=digits, Emax=10**10, Emin=-(10**10)).plus(middle) for digits in range(1, 4000))
    return _plain(next(number for number in rounded if low < number < high))


def _plain(value: Decimal) -> int | Decimal:
    whole = abs(value) < 10**15 and value == value.to_integral_value()
    return int(value) if whole else _fraction(value)


def _fraction(value: int | Decimal) -> Decimal:
    """The number as JSON writes it with a fraction or exponent (see `jsontext`)."""
    return Decimal(f"{value}.0") if str(value).lstrip("-").isdigit() else Decimal(value)
