"""The texts that numbers of events have (rule 35), as regular languages."""

from __future__ import annotations

from functools import lru_cache

from trailsieve.logic.regex_automaton import Search

_EXPONENTS = [
    *("[7-9]", "[1-9][0-9]", "[12][0-9][0-9]", "30[0-8]"),
    *("-[4-9]", "-[1-9][0-9]", "-[12][0-9][0-9]", "-3[01][0-9]", "-32[0-4]"),
]
_DIGITS = ["[0-9]", "[0-9]*[1-9]"]  # after the point: no 0 at the end but a single one
_DOUBLES = [
    *("0.0", "Infinity"),
    *(f"0.{zeros}[1-9]" for zeros in ("", "0", "00")),
    *(f"0.{zeros}[1-9][0-9]*[1-9]" for zeros in ("", "0", "00")),
    *(f"[1-9][0-9]{{0,6}}.{digits}" for digits in _DIGITS),
    *(f"[1-9].{digits}E{exponent}" for digits in _DIGITS for exponent in _EXPONENTS),
]


@lru_cache(maxsize=1)
def whole_numbers() -> Search:
    """The texts of numbers without fraction and exponent: their digits."""
    return Search("^0$|^-?[1-9][0-9]*$")


@lru_cache(maxsize=1)
def numbers() -> Search:
    """The texts of all numbers, and a few more: those of a double with more digits than it needs."""
    doubles = [f"^-?{text}$".replace(".", r"\.") for text in _DOUBLES]
    return Search("|".join(["^0$", "^-?[1-9][0-9]*$", *doubles]))
