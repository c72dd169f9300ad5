"""What a call touched, and what it brought about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trailsieve.investigation.calls import shortened
from trailsieve.model import Target
from trailsieve.trail.targets import effect_of, targets_of
from trailsieve.trail.targets.table import fields_of

# The fields of a record that say what was touched.
RAW = ("requestParameters", "responseElements", "resources", "additionalEventData", "errorMessage")
_MOST_TARGETS = 5  # of one call
_BY_RESPONSE = {"CreateAccessKey", "CreateLoginProfile", "RunInstances"}  # has what the effect tells
_BY_ALL = {"ConsoleLogin", "SwitchRole"}


def touched(content: Mapping[str, Any]) -> tuple[tuple[Target, ...], str]:
    """Returns the targets of a decoded record, at most 5, and the effect of its call."""
    source, name = content.get("eventSource"), content.get("eventName")
    request, response, resources, additional, message = (content.get(field) for field in RAW)
    found = targets_of(source, name, request, response, resources, message)
    effect = effect_of(
        source,
        name,
        request,
        response,
        identity=content.get("userIdentity"),
        additional=additional,
        error=content.get("errorCode"),
    )
    targets = (Target(one.kind, shortened(one.name), one.more) for one in found[:_MOST_TARGETS])
    return tuple(targets), shortened(effect or "")


def telling(source: str, name: str, *, failed: bool) -> tuple[int, ...]:
    """Which fields of `RAW` say what a call touched; of calls that are not in the table, any may."""
    fields = fields_of(source, name)
    if not fields or name in _BY_ALL:
        return 0, 1, 2, 3, 4
    by_response = name in _BY_RESPONSE or any(place.in_response for field in fields for place in field.places)
    return (0, *([1] if by_response else []), 2, *([4] if failed else []))
