"""Sources and sinks by kind: entry points, so that another package can bring its own.

A source is a module (group `trailsieve.sources`) with `Config`, a msgspec struct of its settings, and
`open_source(config, context)`; a sink is one of the group `trailsieve.sinks` with `open_sink`.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Literal

Group = Literal["sources", "sinks"]


def kinds(group: Group) -> list[str]:
    """The kinds there are."""
    return sorted(point.name for point in entry_points(group=f"trailsieve.{group}"))


def module(group: Group, kind: str) -> Any:
    """The module of a kind, imported now; None when there is none.

    Raises:
        ImportError: it needs a package that is not installed.
    """
    for point in entry_points(group=f"trailsieve.{group}", name=kind):
        return point.load()
    return None
