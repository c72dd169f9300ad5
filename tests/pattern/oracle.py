"""The reference that compiled patterns are held to."""

from __future__ import annotations

from trailsieve import jsontext
from trailsieve.pattern import interpret
from trailsieve.pattern.nodes import JsonPattern, Pattern


def interpreted(pattern: Pattern, message: str) -> bool:
    """What the interpreter says of one raw log event."""
    if isinstance(pattern, JsonPattern):
        record = jsontext.decode_object(message)
        return record is not None and interpret.matches_record(pattern, record)
    return interpret.matches_text(pattern, message)
