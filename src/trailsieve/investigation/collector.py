"""Folds records to calls in the process that decodes them, and sends them to the parent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from trailsieve import jsontext
from trailsieve.engine.alerts import time_of
from trailsieve.engine.observer import Locate
from trailsieve.investigation.calls import (
    READS,
    call_of,
    failed_sign_in,
    is_folded_whole,
    text,
    time_text,
    values_of,
)
from trailsieve.investigation.grants import grant_of
from trailsieve.investigation.model import Call, CoveredHour, Grant
from trailsieve.investigation.touched import touched
from trailsieve.model import Record
from trailsieve.trail.cloudtrail import Batch
from trailsieve.trail.event import Event, read_event
from trailsieve.trail.layout import parse_key

_MOST_CALLS = 20_000  # before what was collected is encoded, some 20 MB
_MOST_TIMES = 200_000
_HOUR, TEN_MINUTES = len("2026-03-14T02"), len("2026-03-14T02:1")


class Deed(Struct, array_like=True, gc=False):
    """Calls that are told one by one: equal ones of ten minutes, with hashes of the ids of their events."""

    call: Call
    events: list[int]


class Part(Struct, array_like=True):
    """What was collected of some messages.

    Attributes:
        reads: calls that are folded whenever they were.
    """

    reads: list[Call]
    deeds: list[Deed]
    grants: list[Grant]
    hours: list[CoveredHour]


_encode = msgspec.msgpack.Encoder().encode
Groups = dict[tuple[Any, ...], tuple[Call, list[str]] | None]


class Collector:
    """An observer (`engine/observer.py`) that folds records to calls.

    Args:
        add: takes in the parent what was collected.
    """

    reads = READS

    def __init__(self, add: Callable[[bytes], None]) -> None:
        self.add = add
        self._encoded: list[bytes] = []
        self._forget()

    def _forget(self) -> None:
        self._groups: Groups = {}
        self._times = 0
        self._deeds: dict[tuple[Any, ...], Deed] = {}
        self._grants: list[Grant] = []
        self._hours: dict[tuple[str, str, str], CoveredHour] = {}

    def opened(self, name: str) -> None:
        key = parse_key(name)
        if key is not None:
            self._hour(key.account, key.region, key.delivered.strftime("%Y-%m-%dT%H")).files += 1

    def records(
        self,
        values: Sequence[tuple[Any, ...]],
        times: Sequence[Any],
        places: Sequence[int],
        batch: Batch,
        locate: Locate,
    ) -> None:
        apart = []
        groups = self._groups
        for key, time, place in zip(values, times, places, strict=True):
            try:
                group = groups[key]
            except KeyError:
                call = call_of(key)
                call.example = _example(*locate(batch.first + place))
                group = groups[key] = (call, []) if is_folded_whole(call) else None
            except TypeError:  # an array or object in place of a text
                group = None
            if group is None:
                apart.append(place)
            else:
                group[1].append(time)
        self._times += len(values)
        for place in apart:
            self._take(batch.texts[place], *locate(batch.first + place), ())
        if self._times > _MOST_TIMES or len(groups) + len(self._deeds) > _MOST_CALLS:
            self._close()

    def record(self, record: Record, origin: str, rules: Sequence[str]) -> None:
        self._take(record.text, origin, record.index, rules)

    def take(self, above: int = 0) -> list[bytes]:
        if len(self._groups) + len(self._deeds) + len(self._hours) > above:
            self._close()
        encoded, self._encoded = self._encoded, []
        return encoded

    def _take(self, record: bytes, origin: str, number: int, rules: Sequence[str]) -> None:
        """Folds one record that is not like those before it, or is told by itself."""
        content = jsontext.decode_object(record) or {}
        event = read_event(record)
        values = values_of(content)
        time = time_text(time_of(event))
        call = call_of(values)
        call.rules = tuple(rules)
        call.example = _example(origin, number)
        call.error_code = call.error_code or failed_sign_in(content)
        if is_folded_whole(call):
            self._read(call, time)
            return
        call.targets, call.effect = touched(content)
        grant = grant_of(call, content, time, call.example)
        if grant is not None:
            self._grants.append(grant)
        self._hour(call.account, call.region, time[:_HOUR]).records += 1
        key = (*identity_of(call), time[:TEN_MINUTES])
        deed = self._deeds.get(key)
        if deed is None:
            call.first = call.last = time
            deed = self._deeds[key] = Deed(call, [])
        deed.call.count += 1
        deed.call.first, deed.call.last = _span(deed.call, time)
        deed.events.append(_event_hash(event, record))

    def _read(self, call: Call, time: str) -> None:
        """Adds a read that was not decoded with the others."""
        key = ("", *identity_of(call))
        group = self._groups.setdefault(key, (call, []))
        assert group is not None
        group[1].append(time)
        self._times += 1

    def _hour(self, account: str, region: str, hour: str) -> CoveredHour:
        key = (account, region, hour)
        if key not in self._hours:
            self._hours[key] = CoveredHour(*key)
        return self._hours[key]

    def _close(self) -> None:
        """Encodes what was collected."""
        reads = [self._folded(*group) for group in self._groups.values() if group is not None]
        part = Part(reads, list(self._deeds.values()), self._grants, list(self._hours.values()))
        self._forget()
        if part.reads or part.deeds or part.hours:
            self._encoded.append(_encode(part))

    def _folded(self, call: Call, times: list[Any]) -> Call:
        call.count = len(times)
        texts = [time_text(time) for time in times]
        known = [time for time in texts if time]
        if known:
            call.first, call.last = min(known), max(known)
        for time in texts:
            self._hour(call.account, call.region, time[:_HOUR]).records += 1
        return call


def identity_of(call: Call) -> tuple[Any, ...]:
    """What equal calls have in common."""
    return (
        call.actor,
        call.account,
        call.region,
        call.source_ip,
        call.user_agent,
        call.event_source,
        call.event_name,
        call.error_code,
        call.read_only,
        call.targets,
        call.effect,
        call.rules,
    )


def _span(call: Call, time: str) -> tuple[str, str]:
    return min(call.first or time, time or call.first), max(call.last, time)


def _example(origin: str, number: int) -> str:
    return f"{text(origin)}#{number}"


def _event_hash(event: Event, record: bytes) -> int:
    """The same for an event in whatever file it was delivered."""
    known = text(event.eventID).encode() + text(event.recipientAccountId).encode()
    return int.from_bytes(blake2b(known if event.eventID else record, digest_size=8).digest())
