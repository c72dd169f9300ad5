"""The fields of a CloudTrail record that tell who did what, when and where.

Nothing is required: real records lack any of them, and a field may hold any JSON value. Source:
docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from trailsieve import jsontext
from trailsieve.errors import UnreadableError


class Event(msgspec.Struct, gc=False, rename={"timestamp": "@timestamp"}):
    """One record's own account of itself, under CloudTrail's names; None for what is absent."""

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
    timestamp: Any = None  # what Logstash calls the time of records that passed through it


_decode = jsontext.decoder(Event).decode


def read_event(text: bytes) -> Event:
    """The event of a record's text.

    Raises:
        UnreadableError: it is no JSON, or no JSON object.
    """
    try:
        return _decode(text)
    except jsontext.REFUSALS:
        content = jsontext.decode(text)
    if content.__class__ is not dict:
        raise UnreadableError(f"a record is a JSON object, this is {_kind(content)}")
    names = zip(Event.__struct_fields__, Event.__struct_encode_fields__, strict=True)
    return Event(**{field: content.get(name) for field, name in names})


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"
