"""Names and numbers as the files of other programs write them."""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import chain, count


def unique_name(name: str, taken: Container[str], separator: str = "-") -> str:
    """The name, or if it is taken the first free one of name-2, name-3, ..."""
    numbered = (f"{name}{separator}{number}" for number in count(2))
    return next(candidate for candidate in chain([name], numbered) if candidate not in taken)


def snake_case(name: str) -> str:
    """A name of AWS's API for Terraform: `OKActions` is `ok_actions`."""
    return re.sub(r"(?<!^)(?<!^O)(?=[A-Z])", "_", name).lower()


def upper_first(name: str) -> str:
    """A name with a capital: `metricName` is `MetricName`."""
    return name[:1].upper() + name[1:]


def lower_first(name: str) -> str:
    """A name without a capital: `MetricName` is `metricName`."""
    return name[:1].lower() + name[1:]


def whole(number: float) -> int | float:
    """The number as an int if it is one that a double holds exactly."""
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
