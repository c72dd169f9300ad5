"""Numbers that stand for all numbers: one for each way to compare with the constants of some tests."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from itertools import pairwise

_OVER = Decimal(2**1024 - 2**970)  # from here on no double holds a number (rule 38)
with localcontext() as _exact:
    _exact.prec = 1200
    _UNDER = Decimal(2) ** -1075  # down from here a number counts as 0 (rule 38)
HUGE = Decimal("1E+400")
_EXACT = Context(prec=4000, Emax=10**9 * 5, Emin=-(10**9) * 5)


def stand_ins(constants: Iterable[int | Decimal]) -> list[int | Decimal]:
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


def neighbours(constants: Iterable[int | Decimal]) -> list[Decimal]:
    """Each threshold, and numbers on either side of it, the nearest nearer than anything else.

    All three may round to the same double, and so have the same text (rule 35), and yet differ (rule 33).
    """
    with localcontext(_EXACT):
        steps = [Decimal(step) for step in ("0", "-1E-30", "1E-30", "-1E-2000", "1E-2000")]
        return [place + place * step if step else place for place in thresholds(constants) for step in steps]


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
    return int(value) if whole else value
