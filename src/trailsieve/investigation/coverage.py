"""What an archive holds: accounts, regions and hours, where it has gaps, and what it cannot show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from trailsieve.errors import counted
from trailsieve.investigation.model import Call, CoveredHour
from trailsieve.investigation.names import listed
from trailsieve.times import rfc3339, seconds_of

_HOUR = 3600
_STEADY = 0.75  # of its hours that a place must have before a missing one is a gap
_LEAST_HOURS = 8
_OBJECT_CALLS = frozenset(
    {"GetObject", "PutObject", "DeleteObject", "DeleteObjects", "CopyObject", "HeadObject"}
)


def sentence(hours: Sequence[CoveredHour], records: int, first: str, last: str) -> str:
    """Returns "The archive holds 442 records of 3 accounts and 3 regions, from … to …"."""
    accounts = {hour.account for hour in hours} - {""}
    regions = {hour.region for hour in hours} - {""}
    where = (
        f" of {counted(len(accounts), 'account')} and {counted(len(regions), 'region')}" if accounts else ""
    )
    return f"The archive holds {counted(records, 'record')}{where}, from {first} to {last}."


def gaps(hours: Iterable[CoveredHour]) -> list[str]:
    """Returns places and hours without records although the place has records in most other hours."""
    places: dict[tuple[str, str], set[int]] = defaultdict(set)
    for hour in hours:
        time = seconds_of(f"{hour.hour}:00:00Z")
        if hour.records and time is not None:
            places[hour.account, hour.region].add(time // _HOUR)
    end = max((max(known) for known in places.values()), default=0)
    return [
        f"{account or 'unknown account'} {region} has no records {_spell(since, until)}"
        for (account, region), known in sorted(places.items())
        for since, until in _missing(known, end)
    ]


def _missing(known: set[int], end: int) -> Iterator[tuple[int, int]]:
    """The stretches of missing hours, of a place that has nearly all others; at the end from two hours on."""
    first, last = min(known), max(known)
    if len(known) < _LEAST_HOURS or len(known) < _STEADY * (last - first + 1):
        return
    times = sorted(known)
    for before, after in pairwise(times):
        if after - before > 1:
            yield before + 1, after
    if end - last >= 2:
        yield last + 1, end + 1


def _spell(since: int, until: int) -> str:
    return f"from {rfc3339(since * _HOUR)[:16]}Z to {rfc3339(until * _HOUR)[:16]}Z"


def unseen(calls: Sequence[Call], hours: Sequence[CoveredHour], matched: int) -> list[str]:
    """Returns what the archive cannot show: no findings there does not mean that nothing happened."""
    lines = []
    if calls and not any(call.event_name in _OBJECT_CALLS for call in calls):
        lines.append("It has no data events of S3: reading or deleting objects would not show")
    quiet = sorted({hour.account for hour in hours} - {call.account for call in calls if call.rules} - {""})
    if matched and quiet:
        lines.append(f"In {listed(quiet)} there are records, but no rule matched any")
    return lines
