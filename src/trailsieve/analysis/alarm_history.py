"""The history of a real alarm: `describe-alarm-history`, as the AWS CLI prints it.

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_AlarmHistoryItem.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.errors import UsageError
from trailsieve.times import iso_time

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class HistoryComparison:
    """A real history compared with a computed one. All times are in seconds since 1970.

    Attributes:
        matched: real changes to ALARM, each with its computed change.
        real_only: real changes without a computed one.
        computed_only: computed changes without a real one.
    """

    matched: list[tuple[int, int]]
    real_only: list[int]
    computed_only: list[int]


def to_alarm(items: Iterable[Json]) -> dict[str, list[int]]:
    """Returns by alarm name the seconds at which it went to ALARM, in order."""
    found: dict[str, list[int]] = {}
    for item in items:
        if item.get("HistoryItemType") == "StateUpdate" and _state(item) == "ALARM":
            found.setdefault(str(item.get("AlarmName")), []).append(_seconds(item.get("Timestamp")))
    return {name: sorted(times) for name, times in found.items()}


def compare(real: Sequence[int], computed: Sequence[Span], tolerance: int) -> HistoryComparison:
    """Pairs each real change with the first free computed one at most `tolerance` seconds apart."""
    free = [start for start, _ in computed]
    matched, real_only = [], []
    for moment in real:
        near = next((start for start in free if abs(moment - start) <= tolerance), None)
        if near is None:
            real_only.append(moment)
        else:
            matched.append((moment, near))
            free.remove(near)
    return HistoryComparison(matched, real_only, free)


def _state(item: Json) -> str:
    try:
        data = orjson.loads(item.get("HistoryData") or "{}")
        return str(data.get("newState", {}).get("stateValue", ""))
    except (ValueError, AttributeError):
        return "ALARM" if str(item.get("HistorySummary", "")).endswith("to ALARM") else ""


def _seconds(given: object) -> int:
    """The seconds of a time as the AWS CLI prints it: ISO 8601, or seconds."""
    if isinstance(given, int | float):
        return int(given)
    time = iso_time(given)
    if time is None:
        raise UsageError(f"alarm history: Timestamp {given!r}: not a time")
    return int(time.timestamp())
