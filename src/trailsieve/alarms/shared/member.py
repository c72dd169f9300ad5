"""What one process adds to the shared state: its samples, then how far it has read each shard.

Each process has a log of its own, numbered without gaps, and one item that says how long the log is and how
far the process has read. That item is written after the samples that it covers, so whoever reads it first and
the samples second never goes past a sample that he does not have. No clocks are compared.
"""

from __future__ import annotations

import time
import uuid
import zlib
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from trailsieve.alarms.context import MAX_RECORDS
from trailsieve.alarms.datapoint import ID_BYTES, Dimensions, Sample
from trailsieve.alarms.sample_log import Misses, SampleRow, sample_row
from trailsieve.alarms.shared.table import MAX_ITEM, Item, Table
from trailsieve.model import Watermark
from trailsieve.rules.alarm import Alarm

MEMBER = "member"
KEPT_SECONDS = 14 * 86400  # that the table keeps samples
_WATERMARK_SECONDS = 2.0  # between two writes of watermarks without samples
_ALIVE_SECONDS = 600.0  # between two writes without anything new
_MOST_IDS = 20_000 * ID_BYTES  # of events that did not match, in one item
_MOST_PERIODS = 100_000


class Member(msgspec.Struct, array_like=True):
    """What a process reports about itself.

    Attributes:
        rows: how many rows its log has.
        shards: until when it has read each shard, in event time; None while it knows of the shard only.
        ended: shards that bring nothing more, for any process.
        oldest: the oldest event time that it has read.
    """

    rows: int = 0
    shards: dict[str, float | None] = {}
    ended: list[str] = []
    oldest: int | None = None


decode_member = msgspec.msgpack.Decoder(Member).decode


def log_of(member: str) -> str:
    """The partition key of a process's samples."""
    return f"samples/{member}"


def row_name(number: int) -> str:
    """The sort key of a row, counted from 1."""
    return f"{number:012d}"


class Publisher:
    """Collects what an epoch brings and writes it to the table.

    Args:
        name: of this process, never used before.
        ordered: whether the events of a shard come in the order of time, but for their lateness.
    """

    def __init__(
        self,
        table: Table,
        name: str,
        alarms: Mapping[str, Alarm],
        *,
        ordered: bool,
        monotonic: Callable[[], float],
    ) -> None:
        self._table = table
        self._name = name
        self._alarms = alarms
        self._ordered = ordered
        self._monotonic = monotonic
        self._member = Member()
        self._newest: dict[str, int] = {}
        self._complete: dict[str, float] = {}
        self._samples: list[Sample] = []
        self._misses: list[Misses] = []
        self._first_of: dict[tuple[str, Dimensions, int], list[tuple[int, str]]] = {}
        self._written: bytes | None = None
        self._written_at = 0.0

    def add(self, samples: Iterable[Sample]) -> None:
        """Takes matches."""
        self._samples += map(self._slim, samples)

    def add_misses(self, misses: Mapping[str, Mapping[int, bytes]]) -> None:
        """Takes events that did not match, by rule and start of the period."""
        for rule, starts in misses.items():
            for start, ids in starts.items():
                parts = range(0, len(ids) or 1, _MOST_IDS)
                self._misses += [(rule, start, ids[place : place + _MOST_IDS]) for place in parts]

    def observe(self, newest: Mapping[str, int], oldest: Mapping[str, int] | None) -> None:
        """Takes the newest and oldest event time of each shard that was read from."""
        for seconds in (oldest or {}).values():
            known = self._member.oldest
            self._member.oldest = seconds if known is None else min(known, seconds)
        if self._ordered:
            for shard, seconds in newest.items():
                self._newest[shard] = max(seconds, self._newest.get(shard, seconds))
                self._reached(shard)

    def mark(self, mark: Watermark) -> None:
        """Takes what the source says of a shard; what was read of it stays read when it is revoked."""
        if mark.ended:
            self._member.shards.pop(mark.shard, None)
            self._member.ended = [*{*self._member.ended, mark.shard}]
            return
        if mark.time is not None:
            self._complete[mark.shard] = mark.time
        self._reached(mark.shard)

    def publish(self) -> None:
        """Writes the samples, then how far all is read. Nothing is lost or left out once it returns."""
        rows = list(self._rows(self._samples, self._misses))
        for row in rows:
            number = self._member.rows + 1
            ttl = max(int(time.time()), row.expires) + KEPT_SECONDS
            self._table.put(Item(log_of(self._name), row_name(number), _packed(row), ttl=ttl))
            self._member.rows = number
        self._samples, self._misses = [], []
        due = self._written is None or self._monotonic() - self._written_at >= _WATERMARK_SECONDS
        if rows or due:
            self._write_member()

    def _write_member(self) -> None:
        data = msgspec.msgpack.encode(self._member)
        silent = self._monotonic() - self._written_at
        if data != self._written or silent > _ALIVE_SECONDS:
            self._table.put(Item(MEMBER, self._name, data, version=uuid.uuid4().hex))
            self._written, self._written_at = data, self._monotonic()

    def _reached(self, shard: str) -> None:
        known = [time for time in (self._newest.get(shard), self._complete.get(shard)) if time is not None]
        self._member.shards[shard] = max(known, default=None)

    def _slim(self, sample: Sample) -> Sample:
        """Without its record, when enough earlier ones of its period are there already."""
        period = self._alarms[sample.rule].period
        key = (sample.rule, sample.dimensions, sample.seconds - sample.seconds % period)
        if len(self._first_of) > _MOST_PERIODS:
            self._first_of.clear()
        first = self._first_of.setdefault(key, [])
        order = (sample.seconds, sample.id)
        if len(first) == MAX_RECORDS:
            if order >= first[-1]:
                return replace(sample, record=None)
            first.pop()
        insort(first, order)
        return sample

    def _rows(self, samples: Sequence[Sample], misses: Sequence[Misses]) -> Iterator[SampleRow]:
        """Rows that fit into one item each."""
        row = sample_row(samples, misses, self._alarms)
        if row is None:
            return
        if len(_packed(row)) <= MAX_ITEM:
            yield row
        elif len(samples) + len(misses) > 1:
            half, other = len(samples) // 2, len(misses) // 2
            yield from self._rows(samples[:half], misses[:other])
            yield from self._rows(samples[half:], misses[other:])
        else:
            yield from self._rows([replace(sample, record=None) for sample in samples], misses)


def _packed(row: SampleRow) -> bytes:
    return row.expires.to_bytes(8, "big", signed=True) + zlib.compress(row.data, 1)


def unpacked(data: bytes) -> SampleRow:
    """The row of an item."""
    return SampleRow(int.from_bytes(data[:8], "big", signed=True), zlib.decompress(data[8:]))
