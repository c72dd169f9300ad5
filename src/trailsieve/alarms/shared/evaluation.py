"""The one evaluation of all processes: reads their logs into ordinary `Alarms`, and saves what came of it."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.evaluator import WATERMARK, Alarms, Live
from trailsieve.alarms.sample_log import Misses, SampleRow, samples_of
from trailsieve.alarms.shared import entries
from trailsieve.alarms.shared.lease import Head, Lease
from trailsieve.alarms.shared.member import (
    MEMBER,
    Member,
    decode_member,
    log_of,
    row_name,
    unpacked,
)
from trailsieve.alarms.shared.table import Table
from trailsieve.model import Alert, Watermark
from trailsieve.rules.rule import Rule

_LATE = "late/"  # ids of samples that came too late, not to be counted by the next evaluator either
_GONE_SECONDS = 3600.0  # without a sign of life, after which a process is forgotten


class _Row(NamedTuple):
    expires: int
    member: str
    number: int
    ids: Sequence[str]


class Evaluation:
    """Evaluates from where the last evaluator saved.

    Args:
        head: what that one had come to.
    """

    def __init__(self, rules: Sequence[Rule], live: Live, table: Table, lease: Lease, head: Head) -> None:
        self.alarms = Alarms(rules, live=live)
        self._now = live.now
        self._monotonic = live.monotonic
        self._table = table
        self._lease = lease
        self._head = head
        self._state = entries.read_entries(table, head.entries)
        self._ids: set[str] = set()  # of samples that have not expired
        self._rows: list[_Row] = []  # a heap by expiry
        self._changes: entries.State = {}
        self._watermark: int | None = None
        self._seen: dict[str, tuple[bytes, float]] = {}  # by process: its item, and since when it is the same
        self._restore()

    def step(self, *, early: bool) -> list[Alert]:
        """Counts what all processes have read since the last step; returns the alerts."""
        now = self._now()
        members = [(item.sk, item.data) for item in self._table.query(MEMBER)]
        for name, data in members:
            member = decode_member(data)
            self._count(name, member)
            self._merge(member, now)
            self._note(name, data)
        for shard, reached in self._head.shards.items():
            self.alarms.mark(Watermark(shard, reached))
        return self.alarms.advance(early=early)

    def save(self) -> bool:
        """Saves all; returns whether this process still is the evaluator."""
        changes = self.alarms.changes()
        state = changes.state
        if WATERMARK in state:
            self._head.watermark = state.pop(WATERMARK)
        if changes.expired is not None:
            self._expire(changes.expired)
        return self._save(state)

    def announce(self) -> bool:
        """Saves the provisional alerts before they are delivered; returns as `save` does."""
        announced = self.alarms.announce()
        return self._save(announced) if announced else True

    def leave(self) -> None:
        """Lets another process evaluate at once. Alerts that were not delivered are raised by that one."""
        self._head.owner = ""
        self._save({})

    def _restore(self) -> None:
        late = {key.removeprefix(_LATE) for key in self._state if key.startswith(_LATE)}
        kept = {key: data for key, data in self._state.items() if not key.startswith(_LATE)}
        if self._head.watermark is not None:
            kept[WATERMARK] = self._head.watermark
            self._watermark = msgspec.msgpack.decode(self._head.watermark)
        rows: list[SampleRow] = []
        for member, (first, last) in self._head.rows.items():
            for samples, misses, row in self._read(member, first, last):
                counted = [sample for sample in samples if sample.id not in late]
                rows.append(SampleRow(row.expires, msgspec.msgpack.encode((counted, misses))))
        self.alarms.restore(kept, rows)

    def _read(self, member: str, first: int, last: int) -> list[tuple[list[Sample], list[Misses], SampleRow]]:
        """The rows that have not expired, with the samples that no other row had."""
        found = []
        for item in self._table.query(log_of(member), row_name(first), row_name(last)):
            row = unpacked(item.data)
            if self._watermark is not None and row.expires <= self._watermark:
                continue
            samples, misses = samples_of(row)
            new = [s for s in {s.id: s for s in samples}.values() if s.id not in self._ids]
            ids = [sample.id for sample in new]
            self._ids.update(ids)
            heapq.heappush(self._rows, _Row(row.expires, member, int(item.sk), ids))
            found.append((new, misses, row))
        return found

    def _count(self, name: str, member: Member) -> None:
        first, last = self._head.rows.get(name, (1, 0))
        if member.rows <= last:
            return
        for samples, misses, row in self._read(name, last + 1, member.rows):
            self._add(samples, row.expires)
            for rule, start, count in misses:
                if rule in self.alarms.by_rule:
                    self.alarms.add_misses({rule: {start: count}})
        self._head.rows[name] = (first, member.rows)

    def _add(self, samples: Sequence[Sample], expires: int) -> None:
        known = [sample for sample in samples if sample.rule in self.alarms.by_rule]
        for sample in known:
            if self.alarms.by_rule[sample.rule].is_late(sample.seconds):
                self._changes[_LATE + sample.id] = msgspec.msgpack.encode(expires)
        self.alarms.add(known)

    def _merge(self, member: Member, now: float | None) -> None:
        """Takes how far a process has read: the furthest of all that read a shard counts."""
        shards = self._head.shards
        for shard in member.ended:
            if shard not in self._head.ended:
                self._head.ended.append(shard)
                shards.pop(shard, None)
                self.alarms.mark(Watermark(shard, ended=True))
        for shard, reached in member.shards.items():
            if shard in self._head.ended:
                continue
            known = shards.setdefault(shard, None)
            if reached is not None and now is not None:
                shards[shard] = max(min(reached, now), min(reached, now) if known is None else known)
        if member.oldest is not None:
            self.alarms.observe({}, {"": member.oldest})

    def _note(self, name: str, data: bytes) -> None:
        """Forgets a process that has not said anything for long."""
        before, since = self._seen.get(name, (b"", 0.0))
        if data != before:
            self._seen[name] = data, self._monotonic()
        elif self._monotonic() - since > _GONE_SECONDS and self._save({}):
            self._table.delete(MEMBER, name)
            del self._seen[name]

    def _expire(self, watermark: int) -> None:
        """Forgets the samples that no period needs any more."""
        self._watermark = watermark
        while self._rows and self._rows[0].expires <= watermark:
            row = heapq.heappop(self._rows)
            self._ids.difference_update(row.ids)
        needed: dict[str, int] = {}
        for row in self._rows:
            needed[row.member] = min(needed.get(row.member, row.number), row.number)
        for member, (_, last) in list(self._head.rows.items()):
            if member in self._seen or member in needed:
                self._head.rows[member] = (needed.get(member, last + 1), last)
            else:
                del self._head.rows[member]
        for key, data in self._state.items():
            if key.startswith(_LATE) and msgspec.msgpack.decode(data) <= watermark:
                self._changes[key] = None

    def _save(self, changes: entries.State) -> bool:
        changes = {**self._changes, **changes}
        before = self._head.entries
        head = self._head
        if changes:
            entries.apply(self._state, changes)
            if len(before) < entries.MOST_ENTRIES:
                head = replace(head, entries=[*before, entries.write_entry(self._table, changes)])
            else:
                head = replace(head, entries=[entries.write_entry(self._table, dict(self._state))])
        if not self._lease.save(head):
            return False
        self._head = head
        self._changes = {}
        entries.delete_entries(self._table, [name for name in before if name not in head.entries])
        return True
