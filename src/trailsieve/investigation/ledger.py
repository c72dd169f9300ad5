"""What all processes collected, joined in the parent and bounded in size."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec.structs import replace

from trailsieve.investigation import folding
from trailsieve.investigation.calls import is_folded_whole
from trailsieve.investigation.collector import HOUR, TEN_MINUTES, Entry, Part
from trailsieve.investigation.groups import identity_of
from trailsieve.investigation.model import Activity, Call, CoveredHour, Grant
from trailsieve.model import Target

MOST_CALLS = 200_000  # different ones, some 150 MB
MOST_EVENTS = 1_000_000  # ids that are remembered to count each event once, some 70 MB
_MOST_GRANTS = 50_000
_MOST_HOURS = 50_000
_DAY = len("2026-03-14")
_MOST_TARGETS = 20  # of otherwise equal calls in ten minutes
_OTHERS = (Target("target", "others"),)

_decode = msgspec.msgpack.Decoder(Part).decode
_decode_call = msgspec.msgpack.Decoder(Call).decode


class Ledger:
    """Adds up what was collected, in the order of the messages.

    Args:
        most: how many different calls are kept; when there are more, they are folded further.
    """

    def __init__(self, most: int = MOST_CALLS) -> None:
        self._most = most
        self._level = 0
        self._calls: dict[int, Call] = {}
        self._targets: Counter[int] = Counter()
        self._events: set[int] = set()
        self._known: dict[Any, Any] = {}
        self._grants: dict[Grant, None] = {}
        self._left_grants = 0
        self._hours: dict[tuple[str, str, str], CoveredHour] = {}
        self._hour_length = HOUR

    def add(self, collected: bytes) -> None:
        """Adds what `Collector.take` returned."""
        part = _decode(collected)
        for entry in part.entries:
            if entry.events:
                entry.count = self._new(entry.events)
                if not entry.count:
                    continue
            call = self._calls.get(entry.key)
            if call is None or self._level:
                call = self._slot(entry, f"{part.origins[entry.origin]}#{entry.number}")
            _count(call, entry.count, entry.first, entry.last)
        self._add_grants(part.grants)
        self._add_hours(part.hours)
        while len(self._calls) > self._most and self._level < len(folding.STEPS):
            self._fold()
        if len(self._hours) > _MOST_HOURS:
            self._by_day()

    def activity(self) -> Activity:
        """Returns everything, in an order that depends on nothing but what it holds."""
        hours = sorted(self._hours.values(), key=lambda hour: (hour.account, hour.region, hour.hour))
        grants = sorted(self._grants, key=lambda grant: (grant.time, grant.example))
        calls = sorted(self._calls.values(), key=_order)
        return Activity(calls, grants, hours, self._folded())

    def _folded(self) -> str:
        steps = [step.text for step in folding.STEPS[: self._level]]
        if len(self._events) >= MOST_EVENTS:
            steps.append(f"after {MOST_EVENTS:,} events, those that were delivered twice count twice")
        if self._left_grants:
            steps.append(
                f"{self._left_grants:,} sessions and keys were given beyond the first {_MOST_GRANTS:,}"
            )
        if self._hour_length < HOUR:
            steps.append("the archive's coverage is by day")
        return "; ".join(steps)

    def _new(self, events: list[int]) -> int:
        """How many of the events were not seen before."""
        seen = self._events
        if len(events) == 1:
            if events[0] in seen:
                return 0
            if len(seen) < MOST_EVENTS:
                seen.add(events[0])
            return 1
        new = set(events) - seen
        if len(seen) < MOST_EVENTS:
            seen |= new
        return len(new)

    def _slot(self, entry: Entry, example: str) -> Call:
        """The call that an entry counts to."""
        call = _decode_call(entry.call)
        call.example = example
        bucket = entry.first[:TEN_MINUTES] if entry.events else ""
        if self._level:
            return self._kept(*folding.folded(call, bucket, self._level))
        return self._kept(call, bucket)

    def _kept(self, call: Call, bucket: str) -> Call:
        """The call that equals this one, which may be itself; "others" if there are too many targets."""
        key = _key(call, bucket)
        known = self._calls.get(key)
        if known is None and call.targets:
            others = replace(call, targets=_OTHERS)
            untargeted = _key(others, bucket)
            self._targets[untargeted] += 1
            if self._targets[untargeted] > _MOST_TARGETS:
                call, key = others, untargeted
                known = self._calls.get(key)
        if known is None:
            known = self._calls[key] = self._shared(call)
        return known

    def _shared(self, call: Call) -> Call:
        """The same with texts that many calls share."""
        known = self._known
        call.actor = known.setdefault(call.actor, call.actor)
        for name in ("account", "region", "source_ip", "user_agent", "event_source", "event_name", "targets"):
            value = getattr(call, name)
            setattr(call, name, known.setdefault(value, value))
        return call

    def _fold(self) -> None:
        """Takes the next step of `folding.STEPS`."""
        self._level += 1
        calls, self._calls = self._calls, {}
        self._targets.clear()
        self._known.clear()
        for call in calls.values():
            bucket = "" if is_folded_whole(call) else call.first[:TEN_MINUTES]
            count, first, last = call.count, call.first, call.last
            call.count, call.first, call.last = 0, "", ""
            _count(self._kept(*folding.folded(call, bucket, self._level)), count, first, last)

    def _add_grants(self, grants: list[Grant]) -> None:
        for grant in grants:
            if grant not in self._grants:
                if len(self._grants) < _MOST_GRANTS:
                    self._grants[grant] = None
                else:
                    self._left_grants += 1

    def _by_day(self) -> None:
        """Adds up the hours of each day; when there are too many days still, those of all accounts."""
        self._hour_length = _DAY
        hours, self._hours = self._hours, {}
        self._add_hours(list(hours.values()))
        if len(self._hours) > _MOST_HOURS:
            others = [
                CoveredHour(folding.OTHERS, folding.OTHERS, "", one.files, one.records)
                for one in self._hours.values()
            ]
            self._hours = {}
            self._add_hours(others)

    def _add_hours(self, hours: list[CoveredHour]) -> None:
        for hour in hours:
            hour.hour = hour.hour[: self._hour_length]
            key = (hour.account, hour.region, hour.hour)
            known = self._hours.setdefault(key, hour)
            if known is not hour:
                known.files += hour.files
                known.records += hour.records


def _key(call: Call, bucket: str) -> int:
    return hash((hash(identity_of(call)), bucket))


def _count(call: Call, count: int, first: str, last: str) -> None:
    call.count += count
    if first and (first < call.first or not call.first):
        call.first = first
    call.last = max(call.last, last)


def _order(call: Call) -> tuple[Any, ...]:
    actor = call.actor
    return (call.first, call.last, call.event_name, actor.principal, actor.access_key, str(identity_of(call)))
