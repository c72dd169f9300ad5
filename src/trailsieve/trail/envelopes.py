"""Removes the envelopes that records travel in, recognised by their shape and in any nesting.

gzip, base64, KPL aggregation, JSON lines, arrays, CloudTrail files, CloudWatch Logs subscriptions,
EventBridge, SNS, SQS, Firehose, Lambda events of those, and notifications of new S3 objects. The JSON
envelopes and their sources are in `envelope_shapes`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from msgspec import Raw

from trailsieve.errors import UnreadableError, counted
from trailsieve.jsontext import REFUSALS, decode_object, encode
from trailsieve.trail import envelope_shapes, kpl, scan
from trailsieve.trail.cloudtrail import split
from trailsieve.trail.compression import DEFAULT_LIMIT, gunzip, is_gzip
from trailsieve.trail.envelope_contents import EnvelopeContents, Layer
from trailsieve.trail.envelope_shapes import (
    ABSENT,
    ENVELOPES,
    KEYS,
    ControlMessage,
    Decode,
    Envelope,
    EventBridgeEvent,
    Inner,
    LogFile,
    Notification,
    Part,
    Parts,
    array_of,
    decode_shape,
    from_base64,
    string_of,
)

_MAX_DEPTH = 12  # layers; nothing that AWS sends has more than six
_MAX_LAYERS = 10_000  # that are listed
_PLAIN = b'{"eventVersion"'  # how CloudTrail begins every record
_RECORD_FIELDS = ("eventVersion", "eventName", "eventSource", "eventID", "eventTime")
_EVENTBRIDGE_OMITS = (
    "events come through EventBridge, which leaves out read-only management events (List*, Get*, Describe*): "
    "patterns for them match nothing unless the state of the EventBridge rule is "
    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)


def unwrap(payload: bytes, limit: int = DEFAULT_LIMIT) -> EnvelopeContents:
    """The records and S3 object names in a payload, whatever envelopes surround them.

    Never raises for what the payload holds: what cannot be read is listed in `problems`.

    Args:
        limit: bytes that the whole payload may decompress to, at most.
    """
    unwrapper = Unwrapper(limit)
    unwrapper.attempt(payload, 0)
    return unwrapper.contents


def unwrap_lines(payload: bytes, limit: int = DEFAULT_LIMIT) -> EnvelopeContents:
    """Like `unwrap`, for a file that may also hold one payload per line, such as lines of base64."""
    whole = unwrap(payload, limit)
    lines = [line for line in payload.splitlines() if line.strip()]
    if len(lines) < 2 or not whole.problems or whole.records or whole.objects or whole.control_messages:
        return whole
    unwrapper = Unwrapper(limit)
    unwrapper.layer(0, "lines", f"{len(lines):,}")
    unwrapper.each(lines, 1)
    return unwrapper.contents


def is_plain_record(payload: bytes) -> bool:
    """Whether a payload is certainly one record without an envelope, judged by its first and last bytes."""
    return payload.startswith(_PLAIN) and payload.endswith(b"}")


@dataclass(slots=True)
class Unwrapper:
    """Unwraps one payload, part by part. `budget` is how many bytes may still be decompressed."""

    budget: int
    parts: int = 0
    contents: EnvelopeContents = field(default_factory=EnvelopeContents)

    def attempt(self, part: Part, depth: int, decode: Decode = bytes) -> None:
        """Unwraps one part. If it cannot be read, that is noted and affects no other part."""
        self._count(1)
        payload = bytes(part)
        try:
            payload = decode(part)
            self._unwrap(payload, depth)
        except UnreadableError as error:
            self.contents.problems.append((error.reason, payload))

    def each(self, parts: Iterable[Part], depth: int, decode: Decode = bytes) -> None:
        """Unwraps several parts."""
        for part in parts:
            self.attempt(part, depth, decode)

    def layer(self, depth: int, name: str, detail: str = "") -> None:
        """Notes an envelope."""
        layers = self.contents.layers
        if layers and (layers[-1].depth, layers[-1].name, layers[-1].detail) == (depth, name, detail):
            layers[-1].times += 1
        elif len(layers) < _MAX_LAYERS:
            layers.append(Layer(depth, name, detail))

    def _count(self, parts: int) -> None:
        """A payload of a few bytes may unpack to so many parts that they fill the memory."""
        self.parts += parts
        if self.parts > envelope_shapes.MAX_PARTS:
            raise UnreadableError(f"too much: more than {envelope_shapes.MAX_PARTS:,} parts in one message")

    def _unwrap(self, payload: bytes, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise UnreadableError(f"more than {_MAX_DEPTH} nested envelopes")
        if is_gzip(payload):
            self._gzip(payload, depth)
        elif kpl.is_aggregated(payload):
            parts = kpl.deaggregate(payload)
            self._open(Parts("KPL aggregation", f"{len(parts)} user records", parts), depth)
        else:
            self._text(payload, depth)

    def _gzip(self, payload: bytes, depth: int) -> None:
        data, warning = gunzip(payload, self.budget)
        self.budget -= len(data)
        self.layer(depth, "gzip", warning or f"{len(payload):,} → {len(data):,} bytes")
        self._unwrap(bytes(data), depth + 1)

    def _text(self, payload: bytes, depth: int) -> None:
        match payload.lstrip()[:1]:
            case b"{":
                self._objects(payload, depth)
            case b"[":
                parts = array_of(payload)
                self._open(Parts("JSON array", f"{len(parts)} elements", parts), depth)
            case b"":
                raise UnreadableError("empty: the payload has no bytes")
            case b'"':
                self._open(Inner("JSON string", payload, string_of), depth)
            case _:
                self._open(Inner("base64", payload, from_base64), depth)

    def _objects(self, payload: bytes, depth: int) -> None:
        """One object, or several in a row: JSON lines, or what Firehose joins without a separator."""
        texts = _objects_in(payload)
        if len(texts) > 1:
            self._open(Parts("JSON lines", counted(len(texts), "object"), texts), depth)
        else:
            self._object(texts[0], depth)

    def _object(self, text: bytes, depth: int) -> None:
        try:
            shape = decode_shape(text)
        except REFUSALS:
            self._odd_object(text, depth)
            return
        present = {key for key in KEYS if getattr(shape, key) is not ABSENT}
        handler = next((handler for keys, handler in ENVELOPES if present.issuperset(keys)), None)
        if handler:
            self._open(handler(shape), depth)
        elif not present.isdisjoint(_RECORD_FIELDS):
            self._record(text, depth)
        else:
            raise UnreadableError(f"unknown envelope: a JSON object with the keys {_keys(text)}")

    def _open(self, envelope: Envelope, depth: int) -> None:
        match envelope:
            case Inner(name, payload, decode):
                self.layer(depth, name)
                self._unwrap(decode(payload), depth + 1)
            case Parts(name, detail, payloads, decode):
                self.layer(depth, name, detail)
                self.each(payloads, depth + 1, decode)
            case LogFile(records):
                self.layer(depth, "CloudTrail file", counted(len(records), "record"))
                self._count(len(records))
                self.contents.records.extend(bytes(record) for record in records)
            case EventBridgeEvent(detail_type, record):
                self.layer(depth, "EventBridge", detail_type)
                self.contents.advice.add(_EVENTBRIDGE_OMITS)
                self._record(record, depth + 1)
            case Notification(name, objects):
                for found in objects:
                    self.layer(depth, name, found.url)
                    self.contents.objects.append(found)
            case ControlMessage(name, detail):
                self.layer(depth, name, detail)
                self.contents.control_messages += 1

    def _odd_object(self, text: bytes, depth: int) -> None:
        """JSON with a lone surrogate or very deep nesting: one odd record must not hide the others."""
        content = decode_object(text) or {}
        if isinstance(content.get("Records"), list):
            self._open(LogFile(split(text).texts), depth)
        elif "detail-type" in content and isinstance(content.get("detail"), dict):
            event = EventBridgeEvent(str(content["detail-type"]), encode(content["detail"]).encode())
            self._open(event, depth)
        else:
            self._record(text, depth)

    def _record(self, text: bytes, depth: int) -> None:
        self.layer(depth, "CloudTrail record")
        self.contents.records.append(text)


def _objects_in(payload: bytes) -> list[bytes]:
    try:
        msgspec.json.decode(payload, type=Raw)
        return [payload.strip()]
    except REFUSALS:
        pass
    try:
        spans = islice(scan.values(payload), envelope_shapes.MAX_PARTS + 1)
        return [payload[start:end] for start, end in spans]
    except (scan.TruncatedError, UnreadableError) as error:
        raise UnreadableError(f"truncated JSON: it {error}") from None


def _keys(text: bytes) -> str:
    try:
        keys: Any = list(msgspec.json.decode(text, type=dict[str, Raw]))
    except REFUSALS:
        return "(unreadable)"
    return ", ".join(keys[:8]) + (", …" if len(keys) > 8 else "")
