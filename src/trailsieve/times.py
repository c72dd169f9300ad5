"""Times and durations as users, records and AWS write them, and seconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 64  # characters of a time that is remembered
_LATEST_YEAR = 9000  # periods after it would leave the calendar
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhdw])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def iso_time(value: object) -> datetime | None:
    """Returns the time of an ISO 8601 string, in UTC unless it has an offset; None for anything else."""
    try:
        time = datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def time_or_age(text: str, name: str) -> datetime:
    """Returns the time that `text` gives: ISO 8601, or an age such as `24h`, counted back from now.

    Raises:
        ValueError: it is neither; the message starts with `name`.
    """
    age = _seconds(text)
    try:
        time = iso_time(text.strip()) if age is None else datetime.now(UTC) - timedelta(seconds=age)
    except OverflowError:
        time = None
    if time is None:
        raise ValueError(f"{name} {text!r}: not a time; use 2026-03-14T02:00:00Z, 2026-03-14, 24h or 7d")
    return time


def seconds_of(value: Any) -> int | None:
    """Returns the seconds since 1970 of an event's time; None when it is not a time."""
    if value.__class__ is not str:
        return None
    return _event_seconds(value) if len(value) <= _LONGEST else _event_seconds.__wrapped__(value)


@lru_cache(maxsize=8192)
def _event_seconds(text: str) -> int | None:
    time = iso_time(text)
    return None if time is None or time.year > _LATEST_YEAR else time.timestamp().__floor__()


@lru_cache(maxsize=1024)
def rfc3339(seconds: int) -> str:
    """Returns seconds since 1970 as `2026-03-14T02:20:00Z`."""
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat() + "Z"


def fraction_seconds(text: str, key: str = "") -> float:
    """Returns the seconds of a duration that may also be given in milliseconds, such as `200ms`.

    Raises:
        ValueError: not a duration; the message names the key, if any.
    """
    milliseconds = re.fullmatch(r"([0-9]{1,9})\s*ms", text.strip())
    return int(milliseconds[1]) / 1000 if milliseconds else duration_seconds(text, key, least=0)


def duration_seconds(text: object, key: str = "", least: int = 1) -> int:
    """Returns the seconds of a duration such as `15m`.

    Raises:
        ValueError: not a duration, or its number is less than `least`; the message names the key, if any.
    """
    seconds = _seconds(text)
    if seconds is None or seconds < least:
        where = f"`{key}`: " if key else ""
        raise ValueError(f'{where}expected a duration in s, m, h, d or w, such as "5m"')
    return seconds


def _seconds(text: object) -> int | None:
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    return int(found[1]) * _UNITS[found[2]] if found else None
