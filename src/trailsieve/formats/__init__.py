"""Alert formats: pure functions from `Alert` to bytes, one file each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from trailsieve.model import Alert

_FILES = {"jsonl": "native", "table": "line"}


def encoder(name: str) -> Callable[[Alert], bytes]:
    """The `encode` of a format: jsonl or native, table, ecs, ocsf, asff, cef, leef, slack, teams."""
    encode: Callable[[Alert], bytes] = import_module(f"trailsieve.formats.{_FILES.get(name, name)}").encode
    return encode
