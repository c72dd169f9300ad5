"""Who did what from where, over the events of a period: what an alert says beside the numbers."""

from __future__ import annotations

from bisect import insort
from typing import Any

from msgspec import Struct

MAX_CONTEXTS = 1000  # different combinations of caller, address, call … in a period; more are one
MAX_RECORDS = 10
MAX_RECORD_BYTES = 64 * 2**10  # of a period's original records; one is kept in any case


class Facts(Struct, frozen=True, array_like=True, gc=False, cache_hash=True):
    """Who did what from where."""

    principal: str | None = None
    source_ip: str | None = None
    event_name: str | None = None
    error_code: str | None = None
    account: str | None = None
    region: str | None = None
    event_source: str | None = None
    user_agent: str | None = None


OTHERS = Facts(*["others"] * len(Facts.__struct_fields__))


class Context:
    """The context of events, the same in whatever order they are added.

    Attributes:
        facts: counts of events by what is known of them.
        first: of the first event seconds, id, time as written, event name, principal, address.
        last: the same of the last event.
        records: seconds, id and original record of the first events.
    """

    __slots__ = ("_cut", "_size", "facts", "first", "last", "records")

    def __init__(self, cut: tuple[int, str] | None = None) -> None:
        self.facts: dict[Facts, int] = {}
        self.first: tuple[Any, ...] = ()
        self.last: tuple[Any, ...] = ()
        self.records: list[tuple[int, str, bytes]] = []
        self._size = 0
        self._cut = cut  # from this record on they are left out

    def add(self, order: tuple[int, str], time: str | None, facts: Facts, record: bytes | None) -> None:
        """Takes an event; `order` are its seconds and id."""
        self._count(facts, 1)
        if not self.first or order < self.first:
            self.first = _moment(order, time, facts)
        if not self.last or order > self.last:
            self.last = _moment(order, time, facts)
        if record is not None and self.keeps(order):
            self._keep((*order, record))

    def merge(self, later: Context) -> None:
        """Takes the events of another context, which came after those of this one."""
        for facts, count in later.facts.items():
            self._count(facts, count)
        if later.first and (not self.first or later.first[:2] <= self.first[:2]):
            self.first = later.first
        if later.last and (not self.last or later.last[:2] > self.last[:2]):
            self.last = later.last
        if later._cut and self.keeps(later._cut):
            self._cut = later._cut
        records = [*self.records, *later.records]
        self.records, self._size = [], 0
        for record in records:
            if self.keeps(record[:2]):
                self._keep(record)

    def keeps(self, order: tuple[int, str]) -> bool:
        """Whether the original record of an event may be one of the first."""
        return self._cut is None or order < self._cut

    def _count(self, facts: Facts, count: int) -> None:
        if facts not in self.facts and len(self.facts) >= MAX_CONTEXTS:
            facts = OTHERS
        self.facts[facts] = self.facts.get(facts, 0) + count

    def _keep(self, record: tuple[int, str, bytes]) -> None:
        insort(self.records, record)
        self._size += len(record[2])
        while len(self.records) > MAX_RECORDS or (self._size > MAX_RECORD_BYTES and len(self.records) > 1):
            seconds, identity, text = self.records.pop()
            self._cut = (seconds, identity)
            self._size -= len(text)


def _moment(order: tuple[int, str], time: str | None, facts: Facts) -> tuple[Any, ...]:
    return (*order, time, facts.event_name, facts.principal, facts.source_ip)
