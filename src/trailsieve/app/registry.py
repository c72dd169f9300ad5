"""Sources and sinks by kind. They are entry points, so other packages can add their own.

A source is a module of the group `trailsieve.sources` with `Config`, a msgspec struct of its settings, and
`open_source(config, context)`; a sink is one of the group `trailsieve.sinks` with `open_sink`.
"""

from __future__ import annotations

from typing import Any, Literal

Group = Literal["sources", "sinks"]


def kinds(group: Group) -> list[str]:
    """Returns all kinds, in order."""
    from importlib.metadata import entry_points  # takes 15 ms, and a replay has no configuration

    return sorted(point.name for point in entry_points(group=f"trailsieve.{group}"))


def module(group: Group, kind: str) -> Any:
    """Imports and returns the module of a kind; None when the kind is unknown.

    Raises:
        ImportError: the kind needs a package that is not installed.
    """
    from importlib.metadata import entry_points

    for point in entry_points(group=f"trailsieve.{group}", name=kind):
        return point.load()
    return None
