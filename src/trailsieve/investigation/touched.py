"""What a call touched, and what it brought about."""

from __future__ import annotations

from typing import Any

from trailsieve.investigation.calls import text
from trailsieve.model import Target

_MOST_TARGETS = 5


def touched(content: dict[str, Any]) -> tuple[tuple[Target, ...], str]:
    """Returns the targets of a decoded record, at most a few, and the effect of its call."""
    resources = content.get("resources")
    found = resources if resources.__class__ is list else []
    names = (one.get("ARN") for one in found or () if one.__class__ is dict)
    targets = dict.fromkeys(Target("resource", name) for value in names if (name := text(value)))
    return tuple(targets)[:_MOST_TARGETS], ""
