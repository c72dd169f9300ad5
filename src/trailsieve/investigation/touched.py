"""What a call touched, and what it brought about."""

from __future__ import annotations

from typing import Any

from trailsieve.investigation.calls import shortened
from trailsieve.model import Target
from trailsieve.trail.targets import targets_of

_MOST_TARGETS = 5  # of one call


def touched(content: dict[str, Any]) -> tuple[tuple[Target, ...], str]:
    """Returns the targets of a decoded record, at most 5, and the effect of its call."""
    fields = ("eventSource", "eventName", "requestParameters", "responseElements", "resources")
    found = targets_of(*(content.get(field) for field in fields))
    return tuple(Target(one.kind, shortened(one.name), one.more) for one in found[:_MOST_TARGETS]), ""
