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


_decode = jsontext.decoder(Event).decode


def read_event(text: bytes) -> Event:
    """The main fields of a record, given its JSON text.

    Raises:
        UnreadableError: the text is not JSON, or not a JSON object.
    """
    try:
        return _decode(text)
    except jsontext.REFUSALS:
        content = jsontext.decode(text)
    if content.__class__ is not dict:
        raise UnreadableError(f"a record is a JSON object; this is {_kind(content)}")
    names = zip(Event.__struct_fields__, Event.__struct_encode_fields__, strict=True)
    return Event(**{field: content.get(name) for field, name in names})


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"
