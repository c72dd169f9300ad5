"""A dozen synthetic records of everyday activity: calls by people, roles and services."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def ordinary_records() -> tuple[str, ...]:
    """The JSON texts of the records, which differ in service, call, region, caller and address."""
    return tuple(Path(__file__).with_name("ordinary.jsonl").read_text("utf-8").splitlines())
