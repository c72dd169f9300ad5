"""The fields of a CloudTrail record that say who did what, when and where.

None is required: real records lack any of them, and each may hold any JSON value. Source:
docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from typing import Any

import msgspec

from trailsieve import jsontext
from trailsieve.errors import UnreadableError

_NULL = msgspec.Raw(b"null")


class Event(msgspec.Struct, gc=False, rename={"timestamp": "@timestamp"}):
    """The main fields of one record under CloudTrail's names; None for a field that is absent.

    What was asked and answered is most of a record, and read for few of them: `value_of` decodes it.
    """

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
    requestParameters: msgspec.Raw = _NULL  # noqa: N815
    responseElements: msgspec.Raw = _NULL  # noqa: N815
    additionalEventData: msgspec.Raw = _NULL  # noqa: N815
    resources: msgspec.Raw = _NULL
    errorMessage: msgspec.Raw = _NULL  # noqa: N815


_decode = jsontext.decoder(Event).decode
_decode_value = jsontext.decoder(Any).decode


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
            raise UnreadableError(f"a record is a JSON object; this is {_kind(content)}") from None
        names = zip(Event.__struct_fields__, Event.__struct_encode_fields__, strict=True)
        fields: dict[str, Any] = {field: content.get(name) for field, name in names}
        return Event(**fields)


def value_of(field: Any) -> Any:
    """The value of a field of an event that was kept as JSON text; of another field, its value."""
    if field is _NULL or field.__class__ is not msgspec.Raw:
        return None if field is _NULL else field
    try:
        return _decode_value(field)
    except jsontext.REFUSALS:
        return jsontext.decode(bytes(field))


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"
