"""Alerts shortened to a receiver's size limit."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from trailsieve.model import Alert

_SHORT = 1024  # characters of a text in a shortened alert
_TARGETS = 10
_TEXTS = (
    "title",
    "principal",
    "source_ip",
    "user_agent",
    "event_name",
    "event_source",
    "error_code",
    "effect",
    "position",
)


def encode_within(alert: Alert, encode: Callable[[Alert], bytes], limit: int) -> bytes:
    """`encode(alert)` in at most `limit` bytes if possible: first without records, then with shortened texts.

    Id, rule and counts stay as they are; omitted records are counted.
    """
    encoded = encode(alert)
    if len(encoded) <= limit:
        return encoded
    encoded = encode(without_records := msgspec.structs.replace(alert, records=()))
    return encoded if len(encoded) <= limit else encode(_shortened(without_records))


def _shortened(alert: Alert) -> Alert:
    """The alert without context, its texts cut to 1,024 characters."""
    texts = {name: _cut(text) for name in _TEXTS if (text := getattr(alert, name))}
    dimensions = {_cut(name): _cut(value) for name, value in list(alert.dimensions.items())[:100]}
    summary = _cut(alert.summary)
    targets = alert.targets[:_TARGETS]
    return msgspec.structs.replace(
        alert, **texts, dimensions=dimensions, summary=summary, targets=targets, context=None
    )


def _cut(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
