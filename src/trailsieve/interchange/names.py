"""Names that are used once."""

from __future__ import annotations

from collections.abc import Container
from itertools import chain, count


def unique_name(name: str, taken: Container[str], separator: str = "-") -> str:
    """The name, or if it is taken the first free one of name-2, name-3, ..."""
    numbered = (f"{name}{separator}{number}" for number in count(2))
    return next(candidate for candidate in chain([name], numbered) if candidate not in taken)
