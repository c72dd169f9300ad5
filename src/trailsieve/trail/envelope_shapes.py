"""The JSON envelopes of AWS: the keys that identify each, and what it contains.

Each function opens one kind of envelope and names the page where AWS documents it. It raises UnreadableError
if the envelope does not have the documented form.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

import msgspec
from msgspec import Raw

from trailsieve.errors import UnreadableError, counted
from trailsieve.jsontext import REFUSALS
from trailsieve.trail.envelope_contents import ObjectName

ABSENT = Raw(b"")  # the value of a key that is missing
MAX_PARTS = 500_000  # of one payload; what AWS sends holds a few thousand
_LEAST_PART = 16  # bytes of a value on average, where there are many


class Shape(msgspec.Struct):
    """The keys of all envelopes; their values stay undecoded."""

    Records: Raw = ABSENT
    records: Raw = ABSENT
    Type: Raw = ABSENT
    NextShardIterator: Raw = ABSENT
    Data: Raw = ABSENT
    Message: Raw = ABSENT
    Messages: Raw = ABSENT
    Body: Raw = ABSENT
    body: Raw = ABSENT
    data: Raw = ABSENT
    kinesis: Raw = ABSENT
    s3: Raw = ABSENT
    Sns: Raw = ABSENT
    awslogs: Raw = ABSENT
    messageType: Raw = ABSENT
    logGroup: Raw = ABSENT
    logEvents: Raw = ABSENT
    message: Raw = ABSENT
    detail: Raw = ABSENT
    detailType: Raw = msgspec.field(default=ABSENT, name="detail-type")
    s3Bucket: Raw = ABSENT
    s3ObjectKey: Raw = ABSENT
    Event: Raw = ABSENT
    eventVersion: Raw = ABSENT
    eventName: Raw = ABSENT
    eventSource: Raw = ABSENT
    eventID: Raw = ABSENT
    eventTime: Raw = ABSENT


Part = bytes | Raw
Decode = Callable[[Part], bytes]
KEYS = Shape.__struct_fields__
decode_shape = msgspec.json.Decoder(Shape).decode
_decode_array = msgspec.json.Decoder(list[Raw]).decode


@dataclass(frozen=True, slots=True)
class Inner:
    """An envelope around one payload. If the payload cannot be read, neither can the envelope."""

    name: str
    payload: Part
    decode: Decode = bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """An envelope around several payloads, each read on its own."""

    name: str
    detail: str
    payloads: Sequence[Part]
    decode: Decode = bytes


@dataclass(frozen=True, slots=True)
class LogFile:
    """A CloudTrail file."""

    records: Sequence[Part]


@dataclass(frozen=True, slots=True)
class EventBridgeEvent:
    """An EventBridge event around one record."""

    detail_type: str
    record: bytes


@dataclass(frozen=True, slots=True)
class Notification:
    """Names of S3 objects that hold records. Iterating may raise UnreadableError."""

    name: str
    objects: Iterable[ObjectName]


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """A message that holds no record by design, such as a health check or a test event."""

    name: str
    detail: str


Envelope = Inner | Parts | LogFile | EventBridgeEvent | Notification | ControlMessage


def file_or_event_list(shape: Shape) -> Envelope:
    """`Records`: a CloudTrail file, an S3 notification, or a Lambda event of S3, SQS, SNS or Kinesis."""
    parts = array_of(shape.Records)
    first = bytes(parts[0]) if parts else b""
    if first and any(key in first for key in (b'"s3"', b'"Sns"', b'"kinesis"', b'"body"')):
        return Parts("event list", f"{len(parts)} elements", parts)
    return LogFile(parts)


def kinesis_response(shape: Shape) -> Envelope:
    """What `aws kinesis get-records` prints."""
    parts = array_of(shape.Records)
    return Parts(
        "Kinesis GetRecords response",
        counted(len(parts), "record"),
        parts,
        lambda part: from_base64(string_of(_shape_of(part).Data)),
    )


def s3_event(shape: Shape) -> Envelope:
    """The key is form-encoded.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    name = bytes(shape.eventName).decode("utf-8", "replace")
    if "ObjectCreated" not in name:
        return ControlMessage("S3 notification", name)
    found = _object_of(shape.s3)
    key = unquote_plus(found.key, errors="surrogateescape")
    return Notification("S3 notification", [ObjectName(found.bucket, key, found.size)])


def cloudtrail_notification(shape: Shape) -> Envelope:
    """CloudTrail's own SNS message; its keys are not encoded."""
    bucket = string_of(shape.s3Bucket).decode()
    keys = array_of(shape.s3ObjectKey)
    objects = (ObjectName(bucket, string_of(key).decode()) for key in keys)
    return Notification("CloudTrail notification", objects)


def s3_test_event(shape: Shape) -> Envelope:
    """What S3 sends once when notifications are configured; it has no `Records`."""
    name = string_of(shape.Event).decode()
    if not name.startswith("s3:"):
        raise UnreadableError(f"unknown envelope: an event named {name[:40]!r}")
    return ControlMessage("S3 test event", name)


def sns(shape: Shape) -> Envelope:
    """Source: docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html."""
    kind = string_of(shape.Type).decode()
    if kind != "Notification":
        return ControlMessage("SNS", kind)
    return Inner("SNS", shape.Message, string_of)


def lambda_sns(shape: Shape) -> Envelope:
    """One element of the event that SNS passes to a Lambda function."""
    return Inner("Lambda event", shape.Sns)


def sqs(shape: Shape) -> Envelope:
    """A message as the API returns it (`Body`) or as a Lambda function receives it (`body`)."""
    return Inner("SQS message", shape.Body if shape.Body is not ABSENT else shape.body, string_of)


def sqs_response(shape: Shape) -> Envelope:
    """What `aws sqs receive-message` prints."""
    return Parts("SQS ReceiveMessage response", "", array_of(shape.Messages))


def subscription(shape: Shape) -> Envelope:
    """Each log event's message is a record.

    Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    kind = string_of(shape.messageType).decode()
    if kind != "DATA_MESSAGE":
        return ControlMessage("CloudWatch Logs subscription", kind)
    events = array_of(shape.logEvents)
    group = string_of(shape.logGroup).decode() if shape.logGroup is not ABSENT else ""
    return Parts(
        "CloudWatch Logs subscription",
        f"{len(events)} log events of {group}",
        events,
        lambda event: string_of(_shape_of(event).message),
    )


def lambda_logs(shape: Shape) -> Envelope:
    """The event that CloudWatch Logs passes to a Lambda function: gzip in base64."""
    return Inner("Lambda event", shape.awslogs, lambda logs: string_of(_shape_of(logs).data))


def eventbridge(shape: Shape) -> Envelope:
    """Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html."""
    kind = string_of(shape.detailType).decode()
    if kind.startswith("Object "):
        return Notification("S3 event through EventBridge", [_object_of(shape.detail)])
    if "via CloudTrail" not in kind:
        raise UnreadableError(f"not a CloudTrail event: EventBridge detail-type {kind!r}")
    return EventBridgeEvent(kind, bytes(shape.detail))


def firehose(shape: Shape) -> Envelope:
    """Source: docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html."""
    parts = array_of(shape.records)
    return Parts(
        "Firehose",
        counted(len(parts), "record"),
        parts,
        lambda part: from_base64(string_of(_shape_of(part).data)),
    )


def lambda_kinesis(shape: Shape) -> Envelope:
    """One element of the event that Kinesis passes to a Lambda function."""
    return Inner(
        "Kinesis record", shape.kinesis, lambda record: from_base64(string_of(_shape_of(record).data))
    )


ENVELOPES: tuple[tuple[tuple[str, ...], Callable[[Shape], Envelope]], ...] = (
    (("Records", "NextShardIterator"), kinesis_response),
    (("Records",), file_or_event_list),
    (("s3", "eventSource"), s3_event),
    (("messageType", "logEvents"), subscription),
    (("detailType", "detail"), eventbridge),
    (("Type", "Message"), sns),
    (("s3Bucket", "s3ObjectKey"), cloudtrail_notification),
    (("Sns",), lambda_sns),
    (("kinesis",), lambda_kinesis),
    (("awslogs",), lambda_logs),
    (("Messages",), sqs_response),
    (("Body",), sqs),
    (("body", "eventSource"), sqs),
    (("records",), firehose),
    (("Event",), s3_test_event),
)


def array_of(raw: Part) -> list[Raw]:
    """The elements of a JSON array.

    Raises:
        UnreadableError: not a JSON array, or one of so many tiny values that they would fill the memory.
    """
    text = bytes(raw)
    commas = text.count(b",")
    if commas > max(MAX_PARTS, len(text) // _LEAST_PART):
        raise UnreadableError(f"too much: a JSON array of {commas:,} small values")
    try:
        return _decode_array(raw)
    except REFUSALS as error:
        raise UnreadableError(f"unreadable JSON array: {error}") from None


def string_of(raw: Part) -> bytes:
    """The UTF-8 bytes of a JSON string.

    Raises:
        UnreadableError: not a JSON string.
    """
    try:
        return msgspec.json.decode(raw, type=str).encode("utf-8", "surrogatepass")
    except REFUSALS:
        raise UnreadableError("the content of the envelope is not a string") from None


def from_base64(text: Part) -> bytes:
    """The bytes that a base64 text encodes.

    Raises:
        UnreadableError: not base64, and so no format that is known.
    """
    payload = bytes(text)
    try:
        return base64.b64decode(payload.strip(), validate=True)
    except (binascii.Error, ValueError):
        start = payload[:20].decode("utf-8", "replace")
        raise UnreadableError(f"neither JSON, gzip nor base64: it starts with {start!r}") from None


def _shape_of(raw: Part) -> Shape:
    try:
        return decode_shape(raw)
    except REFUSALS:
        raise UnreadableError("a part of the envelope is not a JSON object") from None


class _Bucket(msgspec.Struct):
    name: str


class _Object(msgspec.Struct):
    key: str
    size: int = 0


class _Location(msgspec.Struct):
    bucket: _Bucket
    object: _Object


def _object_of(raw: Raw) -> ObjectName:
    """The object that `{"bucket": {"name": …}, "object": {"key": …}}` names."""
    try:
        found = msgspec.json.decode(raw, type=_Location)
    except REFUSALS:
        raise UnreadableError("an S3 notification without a bucket name and a key") from None
    return ObjectName(found.bucket.name, found.object.key, found.object.size)
