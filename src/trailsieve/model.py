"""The data that travels between packages: plain data without behaviour.

What travels between processes is a msgspec struct, which encodes to few bytes. Structs that exist in large
numbers are exempt from garbage collection (`gc=False`): they cannot be part of a reference cycle.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

Severity = Literal["informational", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("informational", "low", "medium", "high", "critical")
AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
ALARM_STATES: tuple[AlarmState, ...] = ("OK", "ALARM", "INSUFFICIENT_DATA")

Offset = int | str
GONE: Offset = ""  # the offset of a shard that no longer exists: a checkpoint forgets it
IDENTITY = "source:"  # begins the shards whose offsets are not positions but parts of the source's identity


class Position(Struct, frozen=True, gc=False):
    """A position in a source: `offset` is always the next one to read.

    For files and objects the shard is the path or key, and the offset is 0 or the byte to continue from. For
    listings the offset is the key to continue after.
    """

    shard: str
    offset: Offset


class Watermark(Struct, frozen=True, gc=False):
    """What a source says of a shard, in the order of its messages: all that came before is read by then.

    Attributes:
        time: seconds since 1970 at which the source was asked; everything that had reached the shard by then
            was polled before this. None: the shard is there, and nothing more is known of it.
        ended: whether the shard will bring nothing more.
        elsewhere: whether another process reads it from now on.
    """

    shard: str
    time: float | None = None
    ended: bool = False
    elsewhere: bool = False


class Message(Struct, frozen=True, gc=False):
    """What a source yields, exactly as it arrived.

    Attributes:
        payload: the bytes, possibly compressed.
        position: where to continue after this message.
        name: its name for people: a path, a key, a stream and sequence number.
        lines: the number of the first line when the payload is plain lines, 0 when it is a whole object.
        problem: why the payload could not be fetched, or "".
        warning: whether the problem is one of something that was read nevertheless.
        marker: whether there is no payload, only a position to save.
        watermark: what the source reports about a shard; then there is no payload and no position.
        arrived: when it reached the source, in seconds since 1970; None where the source does not say.
        unread: bytes of the object, which the source's reader has yet to read; None when the payload is here.
    """

    payload: bytes
    position: Position
    name: str
    lines: int = 0
    problem: str = ""
    warning: bool = False
    marker: bool = False
    watermark: Watermark | None = None
    arrived: float | None = None
    unread: int | None = None


def watermark_message(
    shard: str, time: float | None = None, *, ended: bool = False, elsewhere: bool = False
) -> Message:
    """A message that carries a watermark and nothing else; its position is not kept."""
    watermark = Watermark(shard, time, ended, elsewhere)
    return Message(b"", Position(shard, 0), shard, marker=True, watermark=watermark)


class Record(Struct, frozen=True):
    """One CloudTrail record: its number in its object (from 1), its exact original text, and its fields.

    Attributes:
        projected: the fields as they were decoded for matching; None if the record was decoded in full.
    """

    index: int
    text: bytes
    event: Any
    projected: Any = None


class Match(Struct, frozen=True):
    """A rule that matches a record. `origin` is the message's name."""

    rule: Any
    record: Record
    origin: str


class Problem(Struct, frozen=True):
    """Something that could not be read: the object, the record in it (0 for the whole object), and why."""

    origin: str
    reason: str
    index: int = 0
    text: bytes = b""
    warning: bool = False  # it was read nevertheless


class Window(Struct, frozen=True, gc=False):
    """The time range of an alarm's alert, in RFC 3339: from the first breaching period to the evaluation."""

    start: str
    end: str


class Moment(Struct, frozen=True, gc=False):
    """The main fields of one event of a window."""

    time: str
    event_name: str | None = None
    principal: str | None = None
    source_ip: str | None = None


class Named(Struct, frozen=True, gc=False):
    """A value and the number of events that have it."""

    name: str
    count: int


class Distinct(Struct, frozen=True, gc=False):
    """The number of different values, and the most frequent ones."""

    distinct: int
    top: tuple[Named, ...]


class AlertContext(Struct, frozen=True, gc=False):
    """Who did what from where, over all events that an alarm's alert counts.

    Attributes:
        value: the statistic of the last period; None when it has no datapoint.
        suppressed: the number of alerts with the same state and dimensions held back since the last one.
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


class Target(Struct, frozen=True, gc=False, array_like=True):
    """What a call touched: its kind in plain words, such as "access key", and its name, id or ARN.

    Attributes:
        more: the number of further targets of this kind, which are not listed.
    """

    kind: str
    name: str
    more: int = 0


class Alert(Struct, frozen=True, kw_only=True):
    """What a sink receives, with the fields of the native format. A field without a single value is None.

    Attributes:
        id: the same on every retry, replay and machine.
        time: event time in RFC 3339.
        summary: one sentence for people.
        targets: what the call touched; empty for an alarm.
        effect: what a successful call brought about, where that matters: "opens port 22 to 0.0.0.0/0".
        records: exact original texts of CloudTrail records; of an alarm's alert the first few.
        state: of an alarm's alert, as `window` and `context`.
        provisional: raised before the periods of the alarm are closed. The final alert has the same id and
            `confirms` it, or has another id and `replaces` it.
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
    targets: tuple[Target, ...] = ()
    effect: str | None = None
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
