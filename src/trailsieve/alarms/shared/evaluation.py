"""The one evaluation of all processes: reads their logs into ordinary `Alarms`, and saves what came of it.

Alerts are saved before they are delivered. The next evaluator delivers them again, with the same ids, instead
of deciding again what an event that came late since then might have changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.evaluator import WATERMARK, Alarms, Live
from trailsieve.alarms.sample_log import SampleRow, samples_of
from trailsieve.alarms.shared import entries
from trailsieve.alarms.shared.lease import Head, Lease
from trailsieve.alarms.shared.member import MEMBER, Member, decode_member, log_of, row_name, unpacked
from trailsieve.alarms.shared.table import Table
from trailsieve.model import Alert, Watermark
from trailsieve.rules.rule import Rule

_ALERTS = "alerts"  # saved, and perhaps not delivered
_LATE = "late/"  # ids of samples, and places of misses, that the next evaluator must not count either
_GONE_SECONDS = 3600.0  # without a sign of life, after which a process is forgotten

_encode = msgspec.msgpack.encode
_decode_alerts = msgspec.msgpack.Decoder(list[Alert]).decode


class _Row(NamedTuple):
    number: int
    expires: int
    ids: Sequence[str]


class Evaluation:
    """Evaluates from where the last evaluator saved.

    Args:
        head: what that one had come to.
    """

    def __init__(self, rules: Sequence[Rule], live: Live, table: Table, lease: Lease, head: Head) -> None:
        self.alarms = Alarms(rules, live=live)
        self._live = live
        self._table = table
        self._lease = lease
        self._head = head
        self._state = entries.read_entries(table, head.entries)
        self._ids: set[str] = set()  # of samples that have not expired
        self._rows: dict[str, deque[_Row]] = {}  # that are still needed, by process
        self._late: dict[str, int] = {}
        self._changes: entries.State = {}
        self._alerts: list[Alert] = []
        self._shards: set[str] = set()
        self._foreign: set[str] = set()  # rules that only other processes have
        self._seen: dict[str, tuple[str, float]] = {}  # by process: its last version, and since when
        self._restore()

    def step(self, *, early: bool) -> list[Alert] | None:
        """Counts what all processes have read since the last step.

        Returns:
            The alerts to deliver, which are saved; None when another process evaluates now.
        """
        # Watermarks first, logs second: what a watermark covers is in the logs by then. One query would not
        # do, since it does not read all its items at the same moment.
        reached = self._members()
        for name, member in self._members().items():
            self._count(name, member.rows)
        self._mark(reached)
        self._alerts += self.alarms.advance(early=early)
        if not self._alerts:
            return []
        self._changes[_ALERTS] = _encode(self._alerts)
        return list(self._alerts) if self.save() else None

    def delivered(self) -> None:
        """Notes that every required sink took the alerts of the last step."""
        self.alarms.delivered()
        if self._alerts:
            self._alerts.clear()
            self._changes[_ALERTS] = None

    @property
    def unsaved(self) -> bool:
        """Whether alerts were delivered since the last save."""
        return _ALERTS in self._changes

    def save(self) -> bool:
        """Saves all; returns whether this process still is the evaluator."""
        self._changes |= self.alarms.announce()
        changes = self.alarms.changes()
        self._changes |= changes.state
        if watermark := self._changes.pop(WATERMARK, None):
            self._head.watermark = watermark
        if changes.expired is not None:
            self._expire(changes.expired)
        if not self._save():
            return False
        self._forget_silent()
        return True

    def _restore(self) -> None:
        state = dict(self._state)
        self._alerts = _decode_alerts(state.pop(_ALERTS, _encode([])))
        for key in [key for key in state if key.startswith(_LATE)]:
            self._late[key.removeprefix(_LATE)] = msgspec.msgpack.decode(state.pop(key))
        watermark = None
        if self._head.watermark is not None:
            state[WATERMARK] = self._head.watermark
            watermark = msgspec.msgpack.decode(self._head.watermark, type=int)
        for name, (first, last) in self._head.rows.items():
            for where, row, samples in self._read(name, first, last):
                if watermark is None or row.expires > watermark:
                    self._restore_row(where, row, samples)
        self.alarms.restore(state, ())

    def _restore_row(self, where: str, row: SampleRow, samples: Sequence[Sample]) -> None:
        for sample in samples:
            if sample.rule in self.alarms.by_rule and sample.id not in self._late:
                self.alarms.by_rule[sample.rule].restore(sample)
        self._add_misses(where, row)

    def _members(self) -> dict[str, Member]:
        members = {}
        for item in self._table.query(MEMBER):
            members[item.sk] = decode_member(item.data)
            if self._seen.get(item.sk, ("", 0))[0] != item.version:
                self._seen[item.sk] = item.version, self._live.monotonic()
        return members

    def _count(self, name: str, rows: int) -> None:
        first, last = self._head.rows.get(name, (1, 0))
        if rows > last:
            for where, row, samples in self._read(name, last + 1, rows):
                for sample in samples:
                    self._add(sample, row.expires)
                self._add_misses(where, row)
            self._head.rows[name] = (first, rows)

    def _read(self, name: str, first: int, last: int) -> Iterator[tuple[str, SampleRow, list[Sample]]]:
        """The rows of a process, each with its place and the samples that no other row had."""
        for item in self._table.query(log_of(name), row_name(first), row_name(last)):
            row = unpacked(item.data)
            samples = {sample.id: sample for sample in samples_of(row)[0] if sample.id not in self._ids}
            self._ids.update(samples)
            needed = _Row(int(item.sk), row.expires, list(samples))
            self._rows.setdefault(name, deque()).append(needed)
            yield f"{name}/{item.sk}", row, list(samples.values())

    def _add(self, sample: Sample, expires: int) -> None:
        alarm = self.alarms.by_rule.get(sample.rule)
        if alarm is None:
            self._report_foreign(sample.rule)
        elif alarm.add(sample) is None:
            self._note_late(sample.id, expires)

    def _add_misses(self, where: str, row: SampleRow) -> None:
        for rule, start, ids in samples_of(row)[1]:
            alarm, name = self.alarms.by_rule.get(rule), f"{where}/{rule}/{start}"
            if alarm and alarm.is_late(start):
                self._note_late(name, row.expires)
            elif alarm and name not in self._late:
                alarm.add_misses(start, ids)

    def _note_late(self, name: str, expires: int) -> None:
        self._late[name] = expires
        self._changes[_LATE + name] = _encode(expires)

    def _report_foreign(self, rule: str) -> None:
        if rule not in self._foreign:
            self._foreign.add(rule)
            self._live.report(
                f"rule {rule}: another process counts its matches, but this one, which evaluates all alarms, "
                "does not have it: give all processes the same rules"
            )

    def _mark(self, members: Mapping[str, Member]) -> None:
        """Takes how far the processes have read: of a shard the furthest counts."""
        now = self._live.now()
        reached: dict[str, float | None] = {}
        for member in members.values():
            if member.oldest is not None:
                self.alarms.observe({}, {"": member.oldest})
            for shard, time in member.shards.items():
                known = reached.setdefault(shard, None)
                if time is not None and now is not None:
                    reached[shard] = max(min(time, now), min(time, now) if known is None else known)
        for shard in {shard for member in members.values() for shard in member.ended}:
            reached.pop(shard, None)
        for shard in self._shards - reached.keys():
            self.alarms.mark(Watermark(shard, elsewhere=True))
        for shard, until in reached.items():
            self.alarms.mark(Watermark(shard, until))
        self._shards = set(reached)

    def _forget_silent(self) -> None:
        """Forgets the processes that have not shown a sign of life for long."""
        now = self._live.monotonic()
        for name in [name for name, (_, since) in self._seen.items() if now - since > _GONE_SECONDS]:
            self._table.delete(MEMBER, name)
            del self._seen[name]

    def _expire(self, watermark: int) -> None:
        """Forgets the samples that no period needs any more."""
        for name, (_, last) in list(self._head.rows.items()):
            rows = self._rows.get(name, deque())
            while rows and rows[0].expires <= watermark:
                self._ids.difference_update(rows.popleft().ids)
            if rows or name in self._seen:
                self._head.rows[name] = (rows[0].number if rows else last + 1, last)
            else:
                del self._head.rows[name]
        for late in [late for late, expires in self._late.items() if expires <= watermark]:
            del self._late[late]
            self._changes[_LATE + late] = None

    def _save(self) -> bool:
        before, head = self._head.entries, self._head
        if self._changes:
            entries.apply(self._state, self._changes)
            if len(before) < entries.MOST_ENTRIES:
                head = replace(head, entries=[*before, entries.write_entry(self._table, self._changes)])
            else:
                head = replace(head, entries=[entries.write_entry(self._table, self._state)])
        if not self._lease.save(head):
            return False
        self._head = head
        self._changes = {}
        entries.delete_entries(self._table, [name for name in before if name not in head.entries])
        return True
