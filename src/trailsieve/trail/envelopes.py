"""Envelopes that records travel in, recognised by their shape and peeled in any nesting.

gzip, base64, KPL aggregation, JSON lines, arrays, CloudTrail files, CloudWatch Logs subscriptions,
EventBridge, SNS, SQS, Firehose, Lambda events of those, and the notices that tell of new S3 objects. What AWS
documents of each shape stands beside its handler.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import unquote_plus

import msgspec
from msgspec import Raw

from trailsieve.errors import UnreadableError
from trailsieve.jsontext import REFUSALS, decode_object, encode
from trailsieve.trail import kpl, scan
from trailsieve.trail.cloudtrail import split
from trailsieve.trail.compression import DEFAULT_LIMIT, gunzip, is_gzip

_MAX_DEPTH = 12  # layers; nothing that AWS sends has more than six
_MAX_PARTS = 500_000  # of one payload; what AWS sends holds some thousands
_MAX_LAYERS = 10_000  # that are told of
_LEAST_PART = 16  # bytes of a value on the average, where there are many
_PLAIN = b'{"eventVersion"'  # how CloudTrail begins every record
_ABSENT = Raw(b"")  # the value of a key that is not there


class ObjectName(msgspec.Struct, frozen=True):
    """An object in S3 that a notice tells of. `size` is 0 where the notice does not say."""

    bucket: str
    key: str
    size: int = 0


@dataclass(slots=True)
class Layer:
    """An envelope that was peeled: how deep it lay, its name, what it said of itself, how many in a row."""

    depth: int
    name: str
    detail: str = ""
    times: int = 1


@dataclass(slots=True)
class Peeled:
    """What was in a payload.

    Attributes:
        records: the exact text of every record.
        objects: S3 objects to read.
        notices: parts that hold no record by design: health checks and test events.
        problems: the reason and the text of what is no known envelope.
        layers: what was peeled, outermost first.
        advice: what a person ought to know of these envelopes.
    """

    records: list[bytes] = field(default_factory=list)
    objects: list[ObjectName] = field(default_factory=list)
    notices: int = 0
    problems: list[tuple[str, bytes]] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    advice: set[str] = field(default_factory=set)


class _Shape(msgspec.Struct):
    """The keys of all envelopes; their values stay text."""

    Records: Raw = _ABSENT
    records: Raw = _ABSENT
    Type: Raw = _ABSENT
    NextShardIterator: Raw = _ABSENT
    Data: Raw = _ABSENT
    Message: Raw = _ABSENT
    Messages: Raw = _ABSENT
    Body: Raw = _ABSENT
    body: Raw = _ABSENT
    data: Raw = _ABSENT
    kinesis: Raw = _ABSENT
    s3: Raw = _ABSENT
    Sns: Raw = _ABSENT
    awslogs: Raw = _ABSENT
    messageType: Raw = _ABSENT
    logGroup: Raw = _ABSENT
    logEvents: Raw = _ABSENT
    message: Raw = _ABSENT
    detail: Raw = _ABSENT
    detailType: Raw = msgspec.field(default=_ABSENT, name="detail-type")
    s3Bucket: Raw = _ABSENT
    s3ObjectKey: Raw = _ABSENT
    Event: Raw = _ABSENT
    eventVersion: Raw = _ABSENT
    eventName: Raw = _ABSENT
    eventSource: Raw = _ABSENT
    eventID: Raw = _ABSENT
    eventTime: Raw = _ABSENT


Part = bytes | Raw
_KEYS = _Shape.__struct_fields__
_shape = msgspec.json.Decoder(_Shape)
_shapes = msgspec.json.Decoder(list[Raw])
_RECORD_FIELDS = ("eventVersion", "eventName", "eventSource", "eventID", "eventTime")
_EVENTBRIDGE_LEFT_OUT = (
    "events come through EventBridge, which leaves out read-only management events (List*, Get*, Describe*): "
    "patterns that look for them see nothing, unless the state of the EventBridge rule is "
    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)


def peel(payload: bytes, limit: int = DEFAULT_LIMIT) -> Peeled:
    """Takes the records out of all envelopes; never raises for what the payload holds.

    Args:
        limit: bytes of everything that is unpacked, at most.
    """
    peeler = _Peeler(limit)
    peeler.attempt(payload, 0)
    return peeler.found


def peel_lines(payload: bytes, limit: int = DEFAULT_LIMIT) -> Peeled:
    """The same for a file, which may also hold one payload a line, such as base64."""
    found = peel(payload, limit)
    lines = [line for line in payload.splitlines() if line.strip()]
    if len(lines) < 2 or not found.problems or found.records or found.objects or found.notices:
        return found
    peeler = _Peeler(limit)
    peeler.layer(0, "lines", f"{len(lines):,}")
    peeler.each(lines, 1)
    return peeler.found


def is_plain_record(payload: bytes) -> bool:
    """Whether a payload is surely one record in no envelope, by its first and last bytes."""
    return payload.startswith(_PLAIN) and payload.endswith(b"}")


@dataclass(slots=True)
class _Peeler:
    budget: int
    parts: int = 0
    found: Peeled = field(default_factory=Peeled)

    def attempt(self, part: Part, depth: int, content: Callable[[Part], bytes] = bytes) -> None:
        """Peels the content of one part; what is wrong with it costs this part only."""
        self.count(1)
        payload = bytes(part)
        try:
            payload = content(part)
            self.peel(payload, depth)
        except UnreadableError as error:
            self.found.problems.append((error.reason, payload))

    def peel(self, payload: bytes, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise UnreadableError(f"more than {_MAX_DEPTH} envelopes in one another")
        if is_gzip(payload):
            self.gzip(payload, depth)
        elif kpl.is_aggregated(payload):
            self.aggregated(payload, depth)
        else:
            self.text(payload, depth)

    def count(self, parts: int) -> None:
        """A payload of a few bytes may unpack to so many parts that they fill the memory."""
        self.parts += parts
        if self.parts > _MAX_PARTS:
            raise UnreadableError(f"too much: more than {_MAX_PARTS:,} parts in one message")

    def layer(self, depth: int, name: str, detail: str = "") -> None:
        layers = self.found.layers
        if layers and (layers[-1].depth, layers[-1].name, layers[-1].detail) == (depth, name, detail):
            layers[-1].times += 1
        elif len(layers) < _MAX_LAYERS:
            layers.append(Layer(depth, name, detail))

    def gzip(self, payload: bytes, depth: int) -> None:
        data, warning = gunzip(payload, self.budget)
        self.budget -= len(data)
        self.layer(depth, "gzip", warning or f"{len(payload):,} → {len(data):,} bytes")
        self.peel(bytes(data), depth + 1)

    def aggregated(self, payload: bytes, depth: int) -> None:
        parts = kpl.deaggregate(payload)
        self.layer(depth, "KPL aggregation", f"{len(parts)} user records")
        self.each(parts, depth + 1)

    def text(self, payload: bytes, depth: int) -> None:
        match payload.lstrip()[:1]:
            case b"{":
                self.objects(payload, depth)
            case b"[":
                parts = self.array(Raw(payload))
                self.layer(depth, "JSON array", f"{len(parts)} elements")
                self.each(parts, depth + 1)
            case b"":
                raise UnreadableError("empty: no bytes in it")
            case b'"':
                self.layer(depth, "JSON string")
                self.peel(self.string(Raw(payload)), depth + 1)
            case _:
                self.layer(depth, "base64")
                self.peel(_from_base64(payload), depth + 1)

    def objects(self, payload: bytes, depth: int) -> None:
        """One object, or several one after another: JSON lines, or what Firehose joins without a break."""
        texts = _objects_in(payload)
        if len(texts) > 1:
            self.layer(depth, "JSON lines", f"{len(texts)} objects")
            self.each(texts, depth + 1)
        else:
            self.object(texts[0], depth)

    def object(self, text: bytes, depth: int) -> None:
        try:
            shape = _shape.decode(text)
        except REFUSALS:
            self.odd_object(text, depth)
            return
        there = {key for key in _KEYS if getattr(shape, key) is not _ABSENT}
        handler = next((handler for keys, handler in _ENVELOPES if there.issuperset(keys)), None)
        if handler:
            handler(self, shape, depth)
        elif not there.isdisjoint(_RECORD_FIELDS):
            self.record(text, depth)
        else:
            raise UnreadableError(f"unknown envelope: a JSON object with the keys {_keys(text)}")

    def odd_object(self, text: bytes, depth: int) -> None:
        """JSON with a lone surrogate or very deep nesting somewhere: one odd record must not hide the others."""
        content = decode_object(text) or {}
        if isinstance(content.get("Records"), list):
            texts = split(text).texts
            self.layer(depth, "CloudTrail file", f"{len(texts)} records")
            self.count(len(texts))
            self.found.records += texts
        elif "detail-type" in content and isinstance(content.get("detail"), dict):
            self.layer(depth, "EventBridge event")
            self.record(encode(content["detail"]).encode(), depth + 1)
        else:
            self.record(text, depth)

    def record(self, text: bytes, depth: int) -> None:
        self.layer(depth, "CloudTrail record")
        self.found.records.append(text)

    def array(self, raw: Raw) -> list[Raw]:
        commas = bytes(raw).count(b",")
        if commas > max(_MAX_PARTS, len(bytes(raw)) // _LEAST_PART):
            raise UnreadableError(f"too much: a JSON array of {commas:,} small values")
        try:
            return _shapes.decode(raw)
        except REFUSALS as error:
            raise UnreadableError(f"a JSON array that cannot be read: {error}") from None

    def string(self, raw: Raw) -> bytes:
        try:
            return msgspec.json.decode(raw, type=str).encode("utf-8", "surrogatepass")
        except REFUSALS:
            raise UnreadableError("an envelope whose content is no string") from None

    def each(self, parts: Iterable[Part], depth: int, content: Callable[[Part], bytes] = bytes) -> None:
        for part in parts:
            self.attempt(part, depth, content)

    # --- the envelopes ---

    def file_or_event_list(self, shape: _Shape, depth: int) -> None:
        """`Records`: a CloudTrail file, an S3 notification, or a Lambda event of S3, SQS, SNS or Kinesis."""
        parts = self.array(shape.Records)
        first = bytes(parts[0]) if parts else b""
        if first and any(key in first for key in (b'"s3"', b'"Sns"', b'"kinesis"', b'"body"')):
            self.layer(depth, "event list", f"{len(parts)} elements")
            self.each(parts, depth + 1)
            return
        self.layer(depth, "CloudTrail file", f"{len(parts)} records")
        self.count(len(parts))
        self.found.records.extend(bytes(part) for part in parts)

    def kinesis_answer(self, shape: _Shape, depth: int) -> None:
        """What `aws kinesis get-records` prints."""
        parts = self.array(shape.Records)
        self.layer(depth, "Kinesis answer", f"{len(parts)} records")
        self.each(parts, depth + 1, lambda part: _from_base64(self.string(_decoded(part).Data)))

    def s3_event(self, shape: _Shape, depth: int) -> None:
        """The key is form-encoded.

        Source: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
        """
        name = bytes(shape.eventName).decode("utf-8", "replace")
        if "ObjectCreated" in name:
            found = _object_of(shape.s3)
            key = unquote_plus(found.key, errors="surrogateescape")
            self.tells_of(ObjectName(found.bucket, key, found.size), "S3 notification", depth)
        else:
            self.notice("S3 notification", name, depth)

    def tells_of(self, found: ObjectName, name: str, depth: int) -> None:
        self.layer(depth, name, f"s3://{found.bucket}/{found.key}")
        self.found.objects.append(found)

    def trail_notice(self, shape: _Shape, depth: int) -> None:
        """CloudTrail's own SNS message; its keys are not encoded."""
        bucket = self.string(shape.s3Bucket).decode()
        for key in self.array(shape.s3ObjectKey):
            self.tells_of(ObjectName(bucket, self.string(key).decode()), "CloudTrail notice", depth)

    def test_event(self, shape: _Shape, depth: int) -> None:
        """What S3 sends once when notifications are set up; it has no Records."""
        name = self.string(shape.Event).decode()
        if not name.startswith("s3:"):
            raise UnreadableError(f"unknown envelope: an event {name[:40]!r}")
        self.notice("S3 test event", name, depth)

    def notice(self, name: str, detail: str, depth: int) -> None:
        self.layer(depth, name, detail)
        self.found.notices += 1

    def sns(self, shape: _Shape, depth: int) -> None:
        """Source: docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html."""
        kind = self.string(shape.Type).decode()
        if kind == "Notification":
            self.layer(depth, "SNS")
            self.peel(self.string(shape.Message), depth + 1)
        else:
            self.notice("SNS", kind, depth)

    def lambda_sns(self, shape: _Shape, depth: int) -> None:
        self.layer(depth, "Lambda event")
        self.peel(bytes(shape.Sns), depth + 1)

    def sqs(self, shape: _Shape, depth: int) -> None:
        self.layer(depth, "SQS message")
        self.peel(self.string(shape.Body if shape.Body is not _ABSENT else shape.body), depth + 1)

    def received(self, shape: _Shape, depth: int) -> None:
        """What `aws sqs receive-message` prints."""
        self.layer(depth, "SQS answer")
        self.each(self.array(shape.Messages), depth + 1)

    def subscription(self, shape: _Shape, depth: int) -> None:
        """Each log event's message is a record.

        Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
        """
        kind = self.string(shape.messageType).decode()
        if kind != "DATA_MESSAGE":
            self.notice("CloudWatch Logs subscription", kind, depth)
            return
        events = self.array(shape.logEvents)
        group = self.string(shape.logGroup).decode() if shape.logGroup is not _ABSENT else ""
        self.layer(depth, "CloudWatch Logs subscription", f"{len(events)} log events of {group}")
        self.each(events, depth + 1, lambda event: self.string(_decoded(event).message))

    def lambda_logs(self, shape: _Shape, depth: int) -> None:
        self.layer(depth, "Lambda event")
        self.peel(self.string(_decoded(shape.awslogs).data), depth + 1)

    def eventbridge(self, shape: _Shape, depth: int) -> None:
        """Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html."""
        kind = self.string(shape.detailType).decode()
        if kind.startswith("Object "):
            self.tells_of(_object_of(shape.detail), "EventBridge event of S3", depth)
        elif "via CloudTrail" in kind:
            self.layer(depth, "EventBridge", kind)
            self.found.advice.add(_EVENTBRIDGE_LEFT_OUT)
            self.record(bytes(shape.detail), depth + 1)
        else:
            raise UnreadableError(f"EventBridge event {kind!r}: not one of CloudTrail")

    def firehose(self, shape: _Shape, depth: int) -> None:
        """Source: docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html."""
        parts = self.array(shape.records)
        self.layer(depth, "Firehose", f"{len(parts)} records")
        self.each(parts, depth + 1, lambda part: _from_base64(self.string(_decoded(part).data)))

    def lambda_kinesis(self, shape: _Shape, depth: int) -> None:
        self.layer(depth, "Kinesis record")
        self.peel(_from_base64(self.string(_decoded(shape.kinesis).data)), depth + 1)


_Handler = Callable[[_Peeler, _Shape, int], None]
_ENVELOPES: tuple[tuple[tuple[str, ...], _Handler], ...] = (
    (("Records", "NextShardIterator"), _Peeler.kinesis_answer),
    (("Records",), _Peeler.file_or_event_list),
    (("s3", "eventSource"), _Peeler.s3_event),
    (("messageType", "logEvents"), _Peeler.subscription),
    (("detailType", "detail"), _Peeler.eventbridge),
    (("Type", "Message"), _Peeler.sns),
    (("s3Bucket", "s3ObjectKey"), _Peeler.trail_notice),
    (("Sns",), _Peeler.lambda_sns),
    (("kinesis",), _Peeler.lambda_kinesis),
    (("awslogs",), _Peeler.lambda_logs),
    (("Messages",), _Peeler.received),
    (("Body",), _Peeler.sqs),
    (("body", "eventSource"), _Peeler.sqs),
    (("records",), _Peeler.firehose),
    (("Event",), _Peeler.test_event),
)


def _decoded(raw: Part) -> _Shape:
    try:
        return _shape.decode(raw)
    except REFUSALS:
        raise UnreadableError("an envelope whose parts are no objects") from None


class _Bucket(msgspec.Struct):
    name: str


class _Object(msgspec.Struct):
    key: str
    size: int = 0


class _Placed(msgspec.Struct):
    bucket: _Bucket
    object: _Object


def _object_of(raw: Raw) -> ObjectName:
    """The object that `{"bucket": {"name": …}, "object": {"key": …}}` names."""
    try:
        placed = msgspec.json.decode(raw, type=_Placed)
    except REFUSALS:
        raise UnreadableError("a notice of S3 without the name of a bucket and a key") from None
    return ObjectName(placed.bucket.name, placed.object.key, placed.object.size)


def _objects_in(payload: bytes) -> list[bytes]:
    try:
        msgspec.json.decode(payload, type=Raw)
        return [payload.strip()]
    except REFUSALS:
        pass
    try:
        return [payload[start:end] for start, end in islice(scan.values(payload), _MAX_PARTS + 1)]
    except (scan.TruncatedError, UnreadableError) as error:
        raise UnreadableError(f"truncated JSON: it {error}") from None


def _from_base64(payload: bytes) -> bytes:
    try:
        return base64.b64decode(payload.strip(), validate=True)
    except (binascii.Error, ValueError):
        start = payload[:20].decode("utf-8", "replace")
        raise UnreadableError(f"neither JSON, gzip nor base64: it starts with {start!r}") from None


def _keys(text: bytes) -> str:
    try:
        keys: Any = list(msgspec.json.decode(text, type=dict[str, Raw]))
    except REFUSALS:
        return "(unreadable)"
    return ", ".join(keys[:8]) + (", …" if len(keys) > 8 else "")


def lines_of(found: Peeled) -> Iterator[str]:
    """The peel for a person: one line an envelope, with equal neighbours counted."""
    for layer in found.layers:
        times = f" ×{layer.times}" if layer.times > 1 else ""
        yield "  " * layer.depth + layer.name + times + (f"  ({layer.detail})" if layer.detail else "")
