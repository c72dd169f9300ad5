"""A dozen made-up records as every trail has them all day: calls of people, roles and services."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=1)
def ordinary_records() -> tuple[str, ...]:
    """Their texts. They differ in service, call, region, caller and address: hardly any rule wants most."""
    return tuple((resources.files(__package__) / "ordinary.jsonl").read_text("utf-8").splitlines())
