"""Alert formats: pure functions from `Alert` to bytes, one module each."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from trailsieve.model import Alert


def encoder(name: str) -> Callable[[Alert], bytes]:
    """The `encode` function of a format: jsonl or native, ecs, ocsf, asff, cef, leef, slack, teams."""
    module = import_module(f"trailsieve.formats.{'native' if name == 'jsonl' else name}")
    encode: Callable[[Alert], bytes] = module.encode
    return encode
