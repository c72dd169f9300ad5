"""Event time as whole seconds since 1970, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_YEAR = 9000  # periods after it would leave the calendar


def seconds_of(value: Any) -> int | None:
    """The second of an event's time as records write it; None when it is no time."""
    return _parsed(value) if value.__class__ is str else None


@lru_cache(maxsize=8192)
def _parsed(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    if time.year > _LATEST_YEAR:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp().__floor__()


def rfc3339(seconds: int) -> str:
    """`2026-03-14T02:20:00Z`."""
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat() + "Z"
