"""Every text of an investigation, exchanged: to redact it, to shorten it, to make it visible."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from trailsieve.errors import visible_lines
from trailsieve.model import ALARM_STATES, SEVERITIES

Value = TypeVar("Value")
_WORDS = frozenset({*SEVERITIES, *ALARM_STATES, "match", "alarm"})  # of trailsieve itself
_TIMES = frozenset({"time", "first", "last", "start", "end"})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z", re.ASCII)
_SHOWN = 300  # characters of a text


def mapped(value: Value, of: Callable[[str], str], record: Callable[[bytes], bytes] = bytes) -> Value:
    """A copy of plain data with `of` applied to each text and `record` to each byte string."""
    return _mapped(value, of, record)  # type: ignore[no-any-return]


def _mapped(value: Any, of: Callable[[str], str], record: Callable[[bytes], bytes]) -> Any:
    match value:
        case str():
            return of(value)
        case bytes():
            return record(value)
        case list() | tuple():
            return type(value)(_mapped(each, of, record) for each in value)
        case dict():
            return {of(name): _mapped(each, of, record) for name, each in value.items()}
        case msgspec.Struct():
            fields = value.__struct_fields__
            return type(value)(**{name: _field(name, getattr(value, name), of, record) for name in fields})
    return value


def _field(name: str, value: Any, of: Callable[[str], str], record: Callable[[bytes], bytes]) -> Any:
    if isinstance(value, str):
        word = name in ("severity", "state", "kind") and value in _WORDS
        return value if word or (name in _TIMES and _TIME.fullmatch(value)) else of(value)
    return _mapped(value, of, record)


def bounded(text: str) -> str:
    """`text` without control and direction characters and not longer than a page can show.

    What is cut off is replaced by a digest of the whole, so that different texts stay different.
    """
    if len(text) <= _SHOWN:
        return visible_lines(text)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{visible_lines(text[: _SHOWN - 12])}… #{digest}"
