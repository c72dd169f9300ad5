"""Times and durations: event time as whole seconds since 1970 and back, `15m` as seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_YEAR = 9000  # periods after it would leave the calendar
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


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


def duration_seconds(text: object, key: str, least: int = 1) -> int:
    """The duration in seconds.

    Raises:
        ValueError: it is none; the text names the key and shows how to write it.
    """
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found or int(found[1]) < least:
        name = key.rpartition(".")[2]
        raise ValueError(f'`{key}` is a number with its unit s, m, h or d: {name} = "5m"')
    return int(found[1]) * _UNITS[found[2]]
