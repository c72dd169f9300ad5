"""Tests of single values: all functions that generated code and the interpreter may call.

Values are decoded JSON: str, int, float or Decimal, bool, None, list, dict; `ABSENT` for a path that leads
nowhere. Numbers should be int or Decimal (see `jsontext`), which are exact. Every function takes any of them
and never raises. Rule numbers: `grammar/semantics.md`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from math import inf, isfinite
from typing import Any, Final

import msgspec

from trailsieve.pattern.nodes import Step, Wildcard

# The value of a path that leads nowhere; msgspec's own mark, so that projected decoding yields it too.
ABSENT: Final = msgspec.UNSET
Test = Callable[[Any], bool]


# --- selecting (rules 24, 30, 44, 45) ---


def field(value: Any, name: str) -> Any:
    """The field of an object, or ABSENT, also when `value` is not an object (rule 30)."""
    return value.get(name, ABSENT) if value.__class__ is dict else ABSENT


def element(value: Any, index: int) -> Any:
    """The element of an array, counted from 0; ABSENT past its end or for anything but an array (rule 44)."""
    return value[index] if value.__class__ is list and index < len(value) else ABSENT


def children(value: Any) -> Iterable[Any]:
    """Each element of an array or field of an object; nothing for others (rule 45)."""
    if value.__class__ is list:
        return value
    return value.values() if value.__class__ is dict else ()


def follow(value: Any, steps: Iterable[str | int]) -> Any:
    """The value at the end of steps without wildcards, or ABSENT."""
    for step in steps:
        value = field(value, step) if isinstance(step, str) else element(value, step)
    return value


def selected(value: Any, steps: tuple[Step, ...]) -> Iterator[Any]:
    """Every value that is there at the end of steps, which may hold wildcards (rule 45)."""
    for position, step in enumerate(steps):
        if step is Wildcard.ALL:
            for child in children(value):
                yield from selected(child, steps[position + 1 :])
            return
        value = follow(value, (step,))
    if value is not ABSENT:
        yield value


def before_wildcard(value: Any, steps: tuple[Step, ...]) -> Any:
    """The value that the first wildcard of the steps is applied to, or ABSENT."""
    return follow(value, steps[: steps.index(Wildcard.ALL)])  # type: ignore[arg-type]


# --- one value ---


def number_of(value: Any) -> int | Decimal | None:
    """The exact number; None for other values and for a number that no double can hold (rule 38)."""
    kind = value.__class__
    if kind is int:
        return value if value.bit_length() < 1024 or _fits_double(value) else None
    if kind is float:
        return Decimal(repr(value)) if isfinite(value) else None
    if kind is Decimal:
        double = float(value)
        if not isfinite(double):
            return None
        return value if double else 0
    return None


def _fits_double(value: int) -> bool:
    try:
        float(value)
    except OverflowError:
        return False
    return True


def text_of(value: Any) -> str | None:
    """What text comparisons see: a string itself, a number's text (rule 35), else None (rules 27-29)."""
    kind = value.__class__
    if kind is str:
        return str(value)
    if kind is int:
        return str(value) if value.bit_length() < 8192 else str(Decimal(value))
    if kind is Decimal:
        double = float(value)
        return str(value) if not isfinite(double) and _is_whole(value) else double_text(double)
    return double_text(value) if kind is float else None


def _is_whole(value: Decimal) -> bool:
    """Whether a Decimal beyond any double was written without fraction or exponent (see `jsontext`)."""
    return value.as_tuple().exponent == 0


def double_text(value: float) -> str:
    """The text of a double as Java's `Double.toString` writes it (rule 35).

    Source: docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/Double.html#toString(double)
    """
    if not isfinite(value):
        return {inf: "Infinity", -inf: "-Infinity"}.get(value, "NaN")
    if not value or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    two_digits = f"{value:.1e}"  # preferred to one digit: 4.9E-324
    shortest = two_digits if float(two_digits) == value else f"{Decimal(repr(value)).normalize():e}"
    digits, _, exponent = shortest.partition("e")
    return f"{digits}E{int(exponent)}"


def equals(value: Any, text: str) -> bool:
    """`= "text"` without wildcard (rules 5, 35)."""
    return value == text if value.__class__ is str else text_of(value) == text


def is_like(value: Any, parts: tuple[str, ...]) -> bool:
    """`= "a*b"` (rules 39, 40)."""
    text = text_of(value)
    return text is not None and match_wildcards(text, parts)


def match_wildcards(text: str, parts: tuple[str, ...]) -> bool:
    """Rule 40, INFERRED: literal parts between stars are found at their FIRST occurrence, left to right.

    There is no backtracking, and the last part must then end the text exactly where it was found; so
    `*111.111` does not match `111.111.111`. With stars at the ends only this is the usual meaning (rule 39).
    """
    first, *middle, last = parts
    if not middle and not (first and last):
        return _one_ended(text, first, last)
    if not text.startswith(first):
        return False
    place = len(first)
    for part in (*middle, last) if last else middle:
        found = text.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return not last or place == len(text)


def _one_ended(text: str, first: str, last: str) -> bool:
    if not last:
        return text.startswith(first)
    place = text.find(last)
    return place >= 0 and place + len(last) == len(text)


def equals_number(value: Any, number: int | Decimal, text: str) -> bool:
    """`= 7`: numbers by value, strings by the literal's own text (rules 33, 34)."""
    if value.__class__ is str:
        return value == text
    found = number_of(value)
    return found is not None and found == number


def differs_from_number(value: Any, number: int | Decimal, text: str) -> bool:
    """`!= 7`: the opposite for strings and for numbers that a double can hold (rules 34, 36, 38)."""
    if value.__class__ is str:
        return value != text
    found = number_of(value)
    return found is not None and found != number


def below(value: Any, number: int | Decimal) -> bool:
    """`< number`; only JSON numbers are ever ordered (rule 37)."""
    found = number_of(value)
    return found is not None and found < number


def at_most(value: Any, number: int | Decimal) -> bool:
    """`<= number` (rule 37)."""
    found = number_of(value)
    return found is not None and found <= number


def above(value: Any, number: int | Decimal) -> bool:
    """`> number` (rule 37)."""
    found = number_of(value)
    return found is not None and found > number


def at_least(value: Any, number: int | Decimal) -> bool:
    """`>= number` (rule 37)."""
    found = number_of(value)
    return found is not None and found >= number


def has_text(value: Any) -> bool:
    """Whether a value has a text to compare: true for strings and numbers (rules 26 to 29)."""
    return value.__class__ in _TEXTUAL


_TEXTUAL = frozenset({str, int, Decimal, float})


def differs(value: Any, text: str) -> bool:
    """`!= "text"` without wildcard (rules 26 to 29, 36)."""
    return value.__class__ in _TEXTUAL and text_of(value) != text


def is_unlike(value: Any, parts: tuple[str, ...]) -> bool:
    """`!= "a*b"` (rules 36, 39, 40)."""
    text = text_of(value)
    return text is not None and not match_wildcards(text, parts)


def is_found(value: Any, search: Callable[[str], bool]) -> bool:
    """`= %regex%` (rule 22)."""
    text = text_of(value)
    return text is not None and search(text)


def is_not_found(value: Any, search: Callable[[str], bool]) -> bool:
    """`!= %regex%` (rule 22)."""
    text = text_of(value)
    return text is not None and not search(text)


def is_null(value: Any) -> bool:
    """`IS NULL`: null, and the quirk of rule 29: an array with a null element."""
    return value is None or (value.__class__ is list and None in value)


# --- wildcard selectors (rules 45 to 47) ---


def any_selected(record: Any, steps: tuple[Step, ...], test: Test) -> bool:
    """A positive term over a wildcard selector: true when any selected value passes (rule 45)."""
    return any(test(value) for value in selected(record, steps))


def none_selected(record: Any, steps: tuple[Step, ...], test: Test) -> bool:
    """`!=` over a wildcard: the value before the wildcard exists and no selected one is equal (rule 45)."""
    if before_wildcard(record, steps) is ABSENT:
        return False
    return not any_selected(record, steps, test)


def nothing_selected(record: Any, steps: tuple[Step, ...]) -> bool:
    """`NOT EXISTS` over a wildcard selector (rule 46)."""
    return next(selected(record, steps), ABSENT) is ABSENT


# --- space-delimited patterns (rules 49 to 59) ---

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")


def number_in(token: str) -> int | Decimal | None:
    """The number that a token spells, or None (rule 55)."""
    return Decimal(token) if _NUMBER.fullmatch(token) else None
