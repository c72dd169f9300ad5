"""Removes the envelopes that records travel in, recognised by their shape and in any nesting.

gzip, base64, KPL aggregation, JSON lines, arrays, CloudTrail files, CloudWatch Logs subscriptions,
EventBridge, SNS, SQS, Firehose, Lambda events of those, and notifications of new S3 objects. The JSON
envelopes and their sources are in `envelope_shapes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from trailsieve.trail.envelope_contents import MAX_UNREADABLE, EnvelopeContents, Layer
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

STREAM_LIMIT = 64 * 2**20  # bytes of one message of a stream or queue after decompression, at most
_MAX_DEPTH = 12  # layers; nothing that AWS sends has more than six
_MANY_VALUES, _SMALL_VALUE = 10_000, 32  # so many JSON values in a row, of so many bytes each, are no records
_MAX_LAYERS = 10_000  # that are listed
_PLAIN = b'{"eventVersion"'  # how CloudTrail begins every record
_decode_values = msgspec.json.Decoder(Raw).decode_lines  # of values that follow each other
_RECORD_FIELDS = ("eventVersion", "eventName", "eventSource", "eventID", "eventTime")
_NOT_AN_OBJECT = "a record is a JSON object; this is another value"
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
    try:
        unwrapper.attempt(payload, 0)
    except MemoryError:
        unwrapper.contents = EnvelopeContents()
        unwrapper.contents.add_problem("too big: not enough memory to unwrap it", payload)
    unwrapper.contents.size = limit - unwrapper.budget
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


def is_one_value(text: bytes) -> bool:
    """Whether a text is exactly one JSON value."""
    try:
        msgspec.json.decode(text, type=Raw)
    except REFUSALS:
        return False
    return True


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
            self.contents.add_problem(error.reason, payload)

    def each(self, parts: Iterable[Part], depth: int, decode: Decode = bytes) -> None:
        """Unwraps several parts."""
        for part in parts:
            if self.contents.unreadable > MAX_UNREADABLE:
                return
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
                self._file(records)
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

    def _file(self, records: Sequence[Part]) -> None:
        texts = [bytes(record) for record in records]
        objects = [text for text in texts if text.startswith(b"{")]
        self.contents.records += objects
        if len(objects) < len(texts):
            others = (text for text in texts if not text.startswith(b"{"))
            for text in islice(others, MAX_UNREADABLE + 1):
                self.contents.add_problem(_NOT_AN_OBJECT, text)

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
    if is_one_value(payload):
        return [payload.strip()]
    if payload.count(b"}") <= envelope_shapes.MAX_PARTS:
        try:
            return _checked([bytes(value) for value in _decode_values(payload)])
        except REFUSALS:
            pass
    spans = scan.values(payload)
    try:
        first = _checked([payload[start:end] for start, end in islice(spans, _MANY_VALUES)])
        rest = islice(spans, max(0, envelope_shapes.MAX_PARTS + 1 - len(first)))
        return first + [payload[start:end] for start, end in rest]
    except scan.TruncatedError as error:
        raise UnreadableError(f"truncated JSON: it {error}") from None


def _checked(values: list[bytes]) -> list[bytes]:
    """The values, unless they are so many and so small that no records can be among them."""
    if len(values) >= _MANY_VALUES and sum(map(len, values)) < len(values) * _SMALL_VALUE:
        raise UnreadableError(f"too much: at least {_MANY_VALUES:,} small values, no records")
    return values


def _keys(text: bytes) -> str:
    try:
        keys: Any = list(msgspec.json.decode(text, type=dict[str, Raw]))
    except REFUSALS:
        return "(unreadable)"
    return ", ".join(keys[:8]) + (", …" if len(keys) > 8 else "")
