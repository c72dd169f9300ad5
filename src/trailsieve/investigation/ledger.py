"""What all processes collected, joined in the parent and bounded in size."""

from __future__ import annotations

from typing import Any

import msgspec

from trailsieve.investigation.collector import TEN_MINUTES, Part, identity_of
from trailsieve.investigation.model import Activity, Actor, Call, CoveredHour, Grant

_decode = msgspec.msgpack.Decoder(Part).decode


class Ledger:
    """Adds up what was collected, in the order of the messages."""

    def __init__(self) -> None:
        self._calls: dict[tuple[Any, ...], Call] = {}
        self._seen: set[int] = set()
        self._actors: dict[Actor, Actor] = {}
        self._grants: dict[Grant, None] = {}
        self._hours: dict[tuple[str, str, str], CoveredHour] = {}

    def add(self, collected: bytes) -> None:
        """Adds what `Collector.take` returned."""
        part = _decode(collected)
        for call in part.reads:
            self._add(call, "")
        for deed in part.deeds:
            new = set(deed.events) - self._seen
            self._seen |= new
            deed.call.count = len(new)
            if new:
                self._add(deed.call, deed.call.first[:TEN_MINUTES])
        self._grants.update(dict.fromkeys(part.grants))
        for hour in part.hours:
            known = self._hours.setdefault((hour.account, hour.region, hour.hour), hour)
            if known is not hour:
                known.files += hour.files
                known.records += hour.records

    def _add(self, call: Call, bucket: str) -> None:
        call.actor = self._actors.setdefault(call.actor, call.actor)
        known = self._calls.setdefault((bucket, *identity_of(call)), call)
        if known is not call:
            known.count += call.count
            known.first = min(known.first or call.first, call.first or known.first)
            known.last = max(known.last, call.last)

    def activity(self) -> Activity:
        """Returns everything, in an order that depends on nothing but what it holds."""
        hours = sorted(self._hours.values(), key=lambda hour: (hour.account, hour.region, hour.hour))
        grants = sorted(self._grants, key=lambda grant: (grant.time, grant.example))
        return Activity(sorted(self._calls.values(), key=_order), grants, hours)


def _order(call: Call) -> tuple[Any, ...]:
    actor = call.actor
    return (call.first, call.last, call.event_name, actor.principal, actor.access_key, str(identity_of(call)))
