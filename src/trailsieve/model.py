"""The nouns that travel between the rooms. Plain data, no behaviour beyond reading themselves.

What travels between processes is a msgspec struct, which is sent in few bytes. Those that come in great
numbers are left out of garbage collection (`gc=False`): they hold nothing that could hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

Severity = Literal["informational", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("informational", "low", "medium", "high", "critical")
AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
ALARM_STATES: tuple[AlarmState, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")

Offset = int | str
GONE: Offset = ""  # the offset of a shard that is no more: a checkpoint forgets it


class Position(Struct, frozen=True, gc=False):
    """A place in a source: `offset` is always the next one to read.

    For files and objects the shard is the path or key, and the offset 0 or the byte to go on from; where a
    source goes on behind a name (the last key of a listing), that name is the offset.
    """

    shard: str
    offset: Offset


class Watermark(Struct, frozen=True, gc=False):
    """What a source says of a shard, in the order of its messages: all that came before is read by then.

    Attributes:
        time: seconds since 1970 at which the source was asked; everything that had reached the shard by then
            was polled before this. None: the shard is there, and nothing more is known of it.
        ended: whether the shard will bring nothing more, or is read by another process from now on.
    """

    shard: str
    time: float | None = None
    ended: bool = False


class Message(Struct, frozen=True, gc=False):
    """What a source yields, exactly as it arrived.

    Attributes:
        payload: the bytes, possibly compressed.
        position: where to go on after this message.
        name: what a person calls it: a path, a key, a stream and sequence number.
        lines: the number of the first line when the payload is plain lines, 0 when it is a whole object.
        problem: why the payload could not be had, or "".
        marker: whether there is no payload at all: only the position is to be kept.
        watermark: what the source says of a shard; then there is no payload and no position.
    """

    payload: bytes
    position: Position
    name: str
    lines: int = 0
    problem: str = ""
    marker: bool = False
    watermark: Watermark | None = None


def watermark_message(shard: str, time: float | None = None, *, ended: bool = False) -> Message:
    """A message that carries a watermark and nothing else; its position is not kept."""
    return Message(b"", Position(shard, 0), shard, marker=True, watermark=Watermark(shard, time, ended))


@dataclass(frozen=True, slots=True)
class Record:
    """One CloudTrail record: its number in its object (from 1), exact original text, and what it tells."""

    index: int
    text: bytes
    event: Any


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that is true of a record. `origin` is the message's name."""

    rule: Any
    record: Record
    origin: str


class Problem(Struct, frozen=True):
    """Something that could not be read: the object, the record in it (0 for the whole object), and why."""

    origin: str
    reason: str
    index: int = 0
    text: bytes = b""
    warning: bool = False  # read all the same


class Window(Struct, frozen=True):
    """The time that an alarm's alert is about, RFC 3339: its first breaching period up to its evaluation."""

    start: str
    end: str


class Moment(Struct, frozen=True):
    """One event of a window, in short."""

    time: str
    event_name: str | None = None
    principal: str | None = None
    source_ip: str | None = None


class Named(Struct, frozen=True):
    """A value and the number of events that have it."""

    name: str
    count: int


class Distinct(Struct, frozen=True):
    """How many different values there were, and the most frequent ones."""

    distinct: int
    top: tuple[Named, ...]


class AlertContext(Struct, frozen=True):
    """Who did what from where, of all events that an alarm's alert counts.

    Attributes:
        value: the statistic of the last period; None when it has no datapoint.
        suppressed: alerts of the same state and dimensions that were held back since the last one.
    """

    reason: str
    value: int | float | None
    suppressed: int
    first: Moment | None
    last: Moment | None
    principals: Distinct
    source_ips: Distinct
    event_names: Distinct
    error_codes: Distinct
    accounts: Distinct
    regions: Distinct


class Alert(Struct, frozen=True, kw_only=True):
    """What a sink receives. `id` is the same on every retry, replay and machine.

    `records` are exact original texts of CloudTrail records, of an alarm's alert the first few; `time` is
    event time, RFC 3339, or None when the record has none. `state`, `window` and `context` are None for a
    match. `summary` is one sentence for a person. A field of an alarm's alert that its events do not agree
    on is None. The other fields are those of the native format.

    A `provisional` alert of an alarm is raised before its periods are closed. The final one has the same id
    (then it `confirms` what sinks already have), or names in `replaces` the one whose place it takes.
    """

    id: str
    rule: str
    title: str
    severity: Severity
    kind: Literal["match", "alarm"]
    state: AlarmState | None = None
    time: str | None
    account: str | None
    region: str | None
    count: int
    principal: str | None = None
    source_ip: str | None = None
    user_agent: str | None = None
    event_name: str | None = None
    event_source: str | None = None
    error_code: str | None = None
    dimensions: dict[str, str] = {}
    window: Window | None = None
    summary: str = ""
    context: AlertContext | None = None
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    records: tuple[bytes, ...] = ()
    position: str = ""
    provisional: bool = False
    replaces: str | None = None
    confirms: bool = False
