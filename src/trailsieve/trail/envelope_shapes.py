"""The kinds of JSON envelopes: by which keys each is known, and what is in it.

What AWS documents of a shape stands beside its handler.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

import msgspec
from msgspec import Raw

from trailsieve.errors import UnreadableError
from trailsieve.jsontext import REFUSALS
from trailsieve.trail.envelope_contents import ObjectName

if TYPE_CHECKING:
    from trailsieve.trail.envelopes import Peeler

ABSENT = Raw(b"")  # the value of a key that is not there
_EVENTBRIDGE_LEFT_OUT = (
    "events come through EventBridge, which leaves out read-only management events (List*, Get*, Describe*): "
    "patterns that look for them see nothing, unless the state of the EventBridge rule is "
    "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
)


class Shape(msgspec.Struct):
    """The keys of all envelopes; their values stay text."""

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
KEYS = Shape.__struct_fields__
decode_shape = msgspec.json.Decoder(Shape).decode


def file_or_event_list(peeler: Peeler, shape: Shape, depth: int) -> None:
    """`Records`: a CloudTrail file, an S3 notification, or a Lambda event of S3, SQS, SNS or Kinesis."""
    parts = peeler.array(shape.Records)
    first = bytes(parts[0]) if parts else b""
    if first and any(key in first for key in (b'"s3"', b'"Sns"', b'"kinesis"', b'"body"')):
        peeler.layer(depth, "event list", f"{len(parts)} elements")
        peeler.each(parts, depth + 1)
        return
    peeler.layer(depth, "CloudTrail file", f"{len(parts)} records")
    peeler.count(len(parts))
    peeler.found.records.extend(bytes(part) for part in parts)


def kinesis_answer(peeler: Peeler, shape: Shape, depth: int) -> None:
    """What `aws kinesis get-records` prints."""
    parts = peeler.array(shape.Records)
    peeler.layer(depth, "Kinesis answer", f"{len(parts)} records")
    peeler.each(parts, depth + 1, lambda part: from_base64(peeler.string(_decoded(part).Data)))


def s3_event(peeler: Peeler, shape: Shape, depth: int) -> None:
    """The key is form-encoded.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    name = bytes(shape.eventName).decode("utf-8", "replace")
    if "ObjectCreated" in name:
        found = _object_of(shape.s3)
        key = unquote_plus(found.key, errors="surrogateescape")
        tells_of(peeler, ObjectName(found.bucket, key, found.size), "S3 notification", depth)
    else:
        notice(peeler, "S3 notification", name, depth)


def tells_of(peeler: Peeler, found: ObjectName, name: str, depth: int) -> None:
    """A notice of an object."""
    peeler.layer(depth, name, f"s3://{found.bucket}/{found.key}")
    peeler.found.objects.append(found)


def trail_notice(peeler: Peeler, shape: Shape, depth: int) -> None:
    """CloudTrail's own SNS message; its keys are not encoded."""
    bucket = peeler.string(shape.s3Bucket).decode()
    for key in peeler.array(shape.s3ObjectKey):
        tells_of(peeler, ObjectName(bucket, peeler.string(key).decode()), "CloudTrail notice", depth)


def test_event(peeler: Peeler, shape: Shape, depth: int) -> None:
    """What S3 sends once when notifications are set up; it has no Records."""
    name = peeler.string(shape.Event).decode()
    if not name.startswith("s3:"):
        raise UnreadableError(f"unknown envelope: an event {name[:40]!r}")
    notice(peeler, "S3 test event", name, depth)


def notice(peeler: Peeler, name: str, detail: str, depth: int) -> None:
    """A part that holds no record by design."""
    peeler.layer(depth, name, detail)
    peeler.found.notices += 1


def sns(peeler: Peeler, shape: Shape, depth: int) -> None:
    """Source: docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html."""
    kind = peeler.string(shape.Type).decode()
    if kind == "Notification":
        peeler.layer(depth, "SNS")
        peeler.peel(peeler.string(shape.Message), depth + 1)
    else:
        notice(peeler, "SNS", kind, depth)


def lambda_sns(peeler: Peeler, shape: Shape, depth: int) -> None:
    """One element of what SNS hands to a Lambda function."""
    peeler.layer(depth, "Lambda event")
    peeler.peel(bytes(shape.Sns), depth + 1)


def sqs(peeler: Peeler, shape: Shape, depth: int) -> None:
    """A message as the API gives it (`Body`), or as a Lambda function gets it (`body`)."""
    peeler.layer(depth, "SQS message")
    peeler.peel(peeler.string(shape.Body if shape.Body is not ABSENT else shape.body), depth + 1)


def received(peeler: Peeler, shape: Shape, depth: int) -> None:
    """What `aws sqs receive-message` prints."""
    peeler.layer(depth, "SQS answer")
    peeler.each(peeler.array(shape.Messages), depth + 1)


def subscription(peeler: Peeler, shape: Shape, depth: int) -> None:
    """Each log event's message is a record.

    Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    kind = peeler.string(shape.messageType).decode()
    if kind != "DATA_MESSAGE":
        notice(peeler, "CloudWatch Logs subscription", kind, depth)
        return
    events = peeler.array(shape.logEvents)
    group = peeler.string(shape.logGroup).decode() if shape.logGroup is not ABSENT else ""
    peeler.layer(depth, "CloudWatch Logs subscription", f"{len(events)} log events of {group}")
    peeler.each(events, depth + 1, lambda event: peeler.string(_decoded(event).message))


def lambda_logs(peeler: Peeler, shape: Shape, depth: int) -> None:
    """What CloudWatch Logs hands to a Lambda function: base64 of a gzip."""
    peeler.layer(depth, "Lambda event")
    peeler.peel(peeler.string(_decoded(shape.awslogs).data), depth + 1)


def eventbridge(peeler: Peeler, shape: Shape, depth: int) -> None:
    """Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html."""
    kind = peeler.string(shape.detailType).decode()
    if kind.startswith("Object "):
        tells_of(peeler, _object_of(shape.detail), "EventBridge event of S3", depth)
    elif "via CloudTrail" in kind:
        peeler.layer(depth, "EventBridge", kind)
        peeler.found.advice.add(_EVENTBRIDGE_LEFT_OUT)
        peeler.record(bytes(shape.detail), depth + 1)
    else:
        raise UnreadableError(f"EventBridge event {kind!r}: not one of CloudTrail")


def firehose(peeler: Peeler, shape: Shape, depth: int) -> None:
    """Source: docs.aws.amazon.com/firehose/latest/dev/httpdeliveryrequestresponse.html."""
    parts = peeler.array(shape.records)
    peeler.layer(depth, "Firehose", f"{len(parts)} records")
    peeler.each(parts, depth + 1, lambda part: from_base64(peeler.string(_decoded(part).data)))


def lambda_kinesis(peeler: Peeler, shape: Shape, depth: int) -> None:
    """One element of what Kinesis hands to a Lambda function."""
    peeler.layer(depth, "Kinesis record")
    peeler.peel(from_base64(peeler.string(_decoded(shape.kinesis).data)), depth + 1)


Handler = Callable[["Peeler", Shape, int], None]
ENVELOPES: tuple[tuple[tuple[str, ...], Handler], ...] = (
    (("Records", "NextShardIterator"), kinesis_answer),
    (("Records",), file_or_event_list),
    (("s3", "eventSource"), s3_event),
    (("messageType", "logEvents"), subscription),
    (("detailType", "detail"), eventbridge),
    (("Type", "Message"), sns),
    (("s3Bucket", "s3ObjectKey"), trail_notice),
    (("Sns",), lambda_sns),
    (("kinesis",), lambda_kinesis),
    (("awslogs",), lambda_logs),
    (("Messages",), received),
    (("Body",), sqs),
    (("body", "eventSource"), sqs),
    (("records",), firehose),
    (("Event",), test_event),
)


def _decoded(raw: Part) -> Shape:
    try:
        return decode_shape(raw)
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


def from_base64(payload: bytes) -> bytes:
    """The bytes behind base64 text.

    Raises:
        UnreadableError: it is none, which makes the payload nothing that is known.
    """
    try:
        return base64.b64decode(payload.strip(), validate=True)
    except (binascii.Error, ValueError):
        start = payload[:20].decode("utf-8", "replace")
        raise UnreadableError(f"neither JSON, gzip nor base64: it starts with {start!r}") from None
