"""Which process evaluates: one item, written with its version as the condition.

A process takes the lease over once the item has stayed the same for as long as the lease lasts, by its own
monotonic clock: the clocks of two machines are never compared. Each save of the evaluator is conditional too,
so one that was replaced while it was paused can no longer save anything.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from trailsieve.alarms.shared.table import Item, Table

_HEAD = "head"


class Head(msgspec.Struct, array_like=True):
    """What the evaluator has come to, saved whole or not at all.

    Attributes:
        owner: the process that evaluates; "" when it has left.
        rows: by process, the first row of its log that is still needed, and the last that is counted.
        watermark: event time until which alarms are evaluated, as `Alarms.changes` encodes it.
        entries: names of the entries that make up the state of the alarms, in order.
    """

    owner: str = ""
    rows: dict[str, tuple[int, int]] = {}
    watermark: bytes | None = None
    entries: list[str] = []


_decode = msgspec.msgpack.Decoder(Head).decode


class Lease:
    """The right to evaluate.

    Args:
        owner: the name of this process.
        seconds: how long it lasts after the last save.
    """

    def __init__(self, table: Table, owner: str, seconds: float, monotonic: Callable[[], float]) -> None:
        self._table = table
        self._owner = owner
        self._seconds = seconds
        self._monotonic = monotonic
        self._version = ""  # of the item when it was last seen or written
        self._since = 0.0
        self._looked: float | None = None
        self._saved = Head()

    def acquire(self) -> Head | None:
        """Returns what the last evaluator saved, if this process takes over from it now."""
        now = self._monotonic()
        if self._looked is not None and now - self._looked < self._seconds / 4:
            return None
        self._looked = now
        item = next(iter(self._table.query(_HEAD)), None)
        head = _decode(item.data) if item else Head()
        version = item.version if item else ""
        if head.owner:
            if version != self._version:
                self._version, self._since = version, now
            if now - self._since < self._seconds:
                return None
        self._version = version
        head = replace(head, owner=self._owner)
        return head if self.save(head) else None

    def save(self, head: Head) -> bool:
        """Saves what the evaluator has come to; returns whether this process still is the evaluator."""
        item = Item(_HEAD, _HEAD, msgspec.msgpack.encode(head), uuid.uuid4().hex)
        if not self._table.swap(item, self._version):
            return False
        self._version, self._since = item.version, self._monotonic()
        self._saved = _decode(item.data)
        return True

    def release(self) -> None:
        """Lets another process take over at once, from what was saved last."""
        self.save(replace(self._saved, owner=""))

    @property
    def renew(self) -> bool:
        """Whether it is time to save, so that no other process takes over."""
        return self._monotonic() - self._since > self._seconds / 4
