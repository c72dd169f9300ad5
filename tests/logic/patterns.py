"""Random small patterns whose selectors overlap, and events at their boundaries."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

SELECTORS = [
    "$.a",
    "$.b",
    "$.a.b",
    "$.a[0]",
    "$.a[1]",
    "$.a[*]",
    "$.a.*",
    "$.a[*].b",
    "$.*",
    "$.*.b",
    "$.a[0].b",
    "$.a.b[*]",
]
STRINGS = [
    '"x"',
    '"xy"',
    '"x*"',
    '"*y"',
    '"*x*"',
    "x*y",
    '"1"',
    '"1*"',
    '"*0"',
    '"*"',
    '""',
    '"1.0"',
    '"x*x"',
]
NUMBERS = ["1", "1.0", "0", "-1", "10", "1e1", "2.5", "100"]
REGEXES = ["%x%", "%^x%", "%^[0-9]+$%", "%y$%", "%.%", "%^$%", r"%\.%"]
ORDERS = ["<", "<=", ">", ">="]


def random_term(rng: random.Random, selectors: list[str]) -> str:
    selector = rng.choice(selectors)
    match rng.randrange(10):
        case 0:
            return f"{selector} NOT EXISTS"
        case 1:
            return f"{selector} IS {rng.choice(['NULL', 'NULL', 'TRUE', 'FALSE'])}"
        case 2 | 3:
            return f"{selector} {rng.choice(ORDERS)} {rng.choice(NUMBERS)}"
        case 4:
            return f"{selector} {rng.choice(['=', '!='])} {rng.choice(NUMBERS)}"
        case 5:
            return f"{selector} {rng.choice(['=', '!='])} {rng.choice(REGEXES)}"
        case _:
            return f"{selector} {rng.choice(['=', '=', '!='])} {rng.choice(STRINGS)}"


def random_expression(rng: random.Random, selectors: list[str], terms: int) -> str:
    if terms == 1:
        return random_term(rng, selectors)
    left = rng.randrange(1, terms)
    parts = [random_expression(rng, selectors, left), random_expression(rng, selectors, terms - left)]
    return f"({rng.choice([' && ', ' || ']).join(parts)})"


def random_pattern(rng: random.Random, selectors: list[str] | None = None, most: int = 5) -> str:
    chosen = rng.sample(selectors or SELECTORS, min(len(selectors or SELECTORS), rng.randrange(1, 4)))
    return f"{{ {random_expression(rng, chosen, rng.randrange(1, most))} }}"


SCALARS: list[Any] = [
    None, True, False, "", "x", "xy", "xyx", "y", "zxz", "1", "10", "1.0", "x1", "é\n", "x y",
    0, 1, -1, 10, 100, 2, Decimal("1.0"), Decimal("2.5"), Decimal("10.0"), Decimal("1E+400"),
    Decimal("1E-400"), Decimal("1E-7"), Decimal("0.99"), Decimal("100.5"),
]  # fmt: skip


def random_value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.randrange(10)
    if depth > 2 or kind < 5:
        return rng.choice(SCALARS)
    if kind < 8:
        return [random_value(rng, depth + 1) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    return {name: random_value(rng, depth + 1) for name in ("a", "b", "c") if rng.random() < 0.5}


def random_event(rng: random.Random) -> dict[str, Any]:
    return {name: random_value(rng) for name in ("a", "b", "c") if rng.random() < 0.7}
