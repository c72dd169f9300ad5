"""What a call touched, and what it brought about."""

from __future__ import annotations

from typing import Any

from trailsieve.investigation.calls import shortened
from trailsieve.model import Target
from trailsieve.trail.targets import effect_of, targets_of

_FIELDS = ("eventSource", "eventName", "requestParameters", "responseElements", "resources", "errorMessage")
_MOST_TARGETS = 5  # of one call


def touched(content: dict[str, Any]) -> tuple[tuple[Target, ...], str]:
    """Returns the targets of a decoded record, at most 5, and the effect of its call."""
    source, name, request, response, *others = (content.get(field) for field in _FIELDS)
    found = targets_of(source, name, request, response, *others)
    effect = effect_of(
        source,
        name,
        request,
        response,
        identity=content.get("userIdentity"),
        additional=content.get("additionalEventData"),
        error=content.get("errorCode"),
    )
    targets = (Target(one.kind, shortened(one.name), one.more) for one in found[:_MOST_TARGETS])
    return tuple(targets), shortened(effect or "")
