"""The nouns that travel between the rooms. Plain data, no behaviour beyond reading themselves.

What travels between processes is a msgspec struct, which is sent in few bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

Severity = Literal["informational", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("informational", "low", "medium", "high", "critical")


Offset = int | str
GONE: Offset = ""  # the offset of a shard that is no more: a checkpoint forgets it


class Position(Struct, frozen=True):
    """A place in a source: `offset` is always the next one to read.

    For files and objects the shard is the path or key, and the offset 0 or the byte to go on from; where a
    source goes on behind a name (the last key of a listing), that name is the offset.
    """

    shard: str
    offset: Offset


class Message(Struct, frozen=True):
    """What a source yields, exactly as it arrived.

    Attributes:
        payload: the bytes, possibly compressed.
        position: where to go on after this message.
        name: what a person calls it: a path, a key, a stream and sequence number.
        lines: the number of the first line when the payload is plain lines, 0 when it is a whole object.
        problem: why the payload could not be had, or "".
        marker: whether there is no payload at all: only the position is to be kept.
    """

    payload: bytes
    position: Position
    name: str
    lines: int = 0
    problem: str = ""
    marker: bool = False


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


class Alert(Struct, frozen=True):
    """What a sink receives. `id` is the same on every retry, replay and machine.

    `records` are exact original texts of CloudTrail records; `time` is event time, RFC 3339, or None when the
    record has none. The other fields are those of the native format.
    """

    id: str
    rule: str
    title: str
    severity: Severity
    kind: Literal["match", "alarm"]
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
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    records: tuple[bytes, ...] = ()
    position: str = ""
