"""The fields of a CloudTrail record that say who did what, when and where.

None is required: real records lack any of them, and each may hold any JSON value. Source:
docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from trailsieve import jsontext
from trailsieve.errors import UnreadableError


class Event(msgspec.Struct, gc=False, rename={"timestamp": "@timestamp"}):
    """The main fields of one record under CloudTrail's names; None for a field that is absent."""

    eventID: Any = None  # noqa: N815
    eventTime: Any = None  # noqa: N815
    eventName: Any = None  # noqa: N815
    eventSource: Any = None  # noqa: N815
    awsRegion: Any = None  # noqa: N815
    recipientAccountId: Any = None  # noqa: N815
    sourceIPAddress: Any = None  # noqa: N815
    userAgent: Any = None  # noqa: N815
    errorCode: Any = None  # noqa: N815
    userIdentity: Any = None  # noqa: N815
    timestamp: Any = None  # the time, in records that passed through Logstash


class Details(msgspec.Struct, gc=False):
    """What was asked and answered in one record: read for matches alone, since it is most of the record."""

    requestParameters: Any = None  # noqa: N815
    responseElements: Any = None  # noqa: N815
    additionalEventData: Any = None  # noqa: N815
    resources: Any = None
    errorMessage: Any = None  # noqa: N815


_decode = jsontext.decoder(Event).decode
_decode_details = jsontext.decoder(Details).decode


def read_event(text: bytes) -> Event:
    """The main fields of a record, given its JSON text.

    Raises:
        UnreadableError: the text is not JSON, or not a JSON object.
    """
    try:
        return _decode(text)
    except jsontext.REFUSALS:
        return Event(**_fields(text, Event))


def read_details(text: bytes) -> Details:
    """The request and response in a record, given its JSON text.

    Raises:
        UnreadableError: the text is not JSON, or not a JSON object.
    """
    try:
        return _decode_details(text)
    except jsontext.REFUSALS:
        return Details(**_fields(text, Details))


def _fields(text: bytes, kind: type[msgspec.Struct]) -> dict[str, Any]:
    content = jsontext.decode(text)
    if content.__class__ is not dict:
        raise UnreadableError(f"a record is a JSON object; this is {_kind(content)}")
    names = zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True)
    return {field: content.get(name) for field, name in names}


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"
