"""A dozen synthetic records of everyday activity: calls by people, roles and services."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=1)
def ordinary_records() -> tuple[str, ...]:
    """The JSON texts of the records, which differ in service, call, region, caller and address."""
    return tuple((resources.files(__package__) / "ordinary.jsonl").read_text("utf-8").splitlines())
