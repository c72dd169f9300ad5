"""Numbers as people write them."""

from __future__ import annotations


def whole(number: float) -> int | float:
    """The number as an int if it is one that a double holds exactly."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
