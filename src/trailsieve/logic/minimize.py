"""Smaller events that show the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trailsieve import jsontext
from trailsieve.logic.event_text import event_text


def shrunk(event: str, shows: Callable[[str], bool]) -> str:
    """The event without the fields and elements that it can do without; text that is no JSON object stays."""
    record = jsontext.decode_object(event)
    if record is None:
        return event
    smaller = event
    while True:
        candidates = map(event_text, _without_one(jsontext.decode(smaller)))
        found = next((text for text in candidates if shows(text)), None)
        if found is None:
            return smaller
        smaller = found


def _without_one(value: Any) -> Iterator[Any]:
    """The value with one field or element less, at any depth."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            for inner in _without_one(child):
                yield {**value, name: inner}
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield value[:place] + value[place + 1 :]
            for inner in _without_one(child):
                yield [*value[:place], inner, *value[place + 1 :]]
