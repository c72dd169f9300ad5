"""Automata over the texts of an event's numbers: which texts there are (rule 35), and how they compare.

`OrderAutomaton` is for these texts except `Infinity`; its label for any other text is meaningless.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from trailsieve.logic.regex_automaton import RegexAutomaton

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
def whole_number_texts() -> RegexAutomaton:
    """The texts of numbers without fraction and exponent: their digits."""
    return RegexAutomaton("^0$|^-?[1-9][0-9]*$")


@lru_cache(maxsize=1)
def number_texts() -> RegexAutomaton:
    """The texts of all numbers, and a few more: those of a double with more digits than it needs."""
    doubles = [f"^-?{text}$".replace(".", r"\.") for text in _DOUBLES]
    return RegexAutomaton("|".join(["^0$", "^-?[1-9][0-9]*$", *doubles]))


_KEYS = "0123456789-.E"


class _State(NamedTuple):
    phase: str = "whole"  # whole, places, power, power-
    negative: bool = False
    zeros: int = 0  # after the point, before any other digit
    exponent: int | None = None  # of the first digit that is not 0, once that was read
    power: int = 0
    sign: int = 0  # of the digits read so far, minus the digits of the constant
    equal: int = 0  # how many digits are equal, while they are


class OrderAutomaton:
    """The label is -1, 0 or 1: the text's number is below, equal to or above the constant."""

    start = _State()

    def __init__(self, constant: int | Decimal) -> None:
        sign, digits, exponent = Decimal(constant).as_tuple()
        assert isinstance(exponent, int)
        self._digits = "".join(map(str, digits)).lstrip("0")
        self._exponent = exponent + len(self._digits) - 1
        self._digits = self._digits.rstrip("0")
        self._sign = 0 if not self._digits else -1 if sign else 1
        self._cap = abs(self._exponent) + 2 if self._digits else 1

    def keys(self, state: _State) -> Iterable[str]:
        return _KEYS

    def step(self, state: _State, character: str) -> _State:
        match character:
            case "-" if state.phase == "power":
                return state._replace(phase="power-")
            case "-":
                return state._replace(negative=True)
            case ".":
                return state._replace(phase="places")
            case "E":
                return self._ended(state)
            case _ if character not in _KEYS:
                return state
            case _ if state.phase.startswith("power"):
                return state._replace(power=min(state.power * 10 + int(character), self._cap))
            case _:
                return self._digit(state, character)

    def _ended(self, state: _State) -> _State:
        """The digits are all read: fewer than the constant has are below it."""
        sign = state.sign or -(state.exponent is not None and state.equal < len(self._digits))
        return state._replace(phase="power", sign=sign, equal=len(self._digits))

    def _digit(self, state: _State, digit: str) -> _State:
        whole = state.phase == "whole"
        if state.exponent is None:
            if digit == "0":
                return state if whole else state._replace(zeros=min(state.zeros + 1, 8))
            state = state._replace(exponent=0 if whole else -state.zeros - 1, zeros=0)
        elif whole:
            state = state._replace(exponent=min(state.exponent + 1, self._cap))
        if state.sign:
            return state
        if state.equal == len(self._digits):
            return state if digit == "0" else state._replace(sign=1, equal=0)
        other = self._digits[state.equal]
        if digit == other:
            return state._replace(equal=state.equal + 1)
        return state._replace(sign=1 if digit > other else -1, equal=0)

    def label(self, state: _State) -> int:
        sign = 0 if state.exponent is None else -1 if state.negative else 1
        if sign != self._sign or not sign:
            return (sign > self._sign) - (sign < self._sign)
        assert state.exponent is not None
        exponent = state.exponent + (-state.power if state.phase == "power-" else state.power)
        if exponent != self._exponent:
            return sign if exponent > self._exponent else -sign
        return sign * (state.sign or -(state.equal < len(self._digits)))

    def settled(self, state: _State) -> bool:
        return False
