"""A record's own account of itself: nothing is required, anything may stand anywhere."""

from __future__ import annotations

import pytest

from trailsieve.errors import UnreadableError
from trailsieve.trail.event import Event, read_event, value_of


def test_the_fields_under_their_names() -> None:
    event = read_event(
        b'{"eventID":"e1","eventTime":"2026-03-14T02:00:00Z","@timestamp":"t","timestamp":"other","more":[1],'
        b'"userIdentity":{"type":"Root","arn":"arn:aws:iam::111122223333:root"},"awsRegion":null}'
    )
    assert event == Event(
        eventID="e1",
        eventTime="2026-03-14T02:00:00Z",
        timestamp="t",
        userIdentity={"type": "Root", "arn": "arn:aws:iam::111122223333:root"},
    )


@pytest.mark.parametrize("odd", [b"", rb',"eventName":"\ud800"', b',"number":' + b"9" * 10_000])
def test_request_and_response(odd: bytes) -> None:
    text = b'{"requestParameters":{"userName":"mia"},"resources":[1]' + odd + b"}"
    event = read_event(text)
    assert value_of(event.requestParameters) == {"userName": "mia"}
    assert value_of(event.resources) == [1]
    assert value_of(event.responseElements) is None


@pytest.mark.parametrize(("text", "value"), [(b'"\xff"', "\ufffd"), (b"[" * 5000 + b"]" * 5000, list)])
def test_odd_values_of_fields_that_are_kept_as_text(text: bytes, value: object) -> None:
    found = value_of(read_event(b'{"requestParameters":' + text + b"}").requestParameters)
    assert value in (found, found.__class__)


@pytest.mark.parametrize("value", [b"1", b"null", b"true", b"[[]]", b'{"a":{}}', b'""'])
def test_any_type_in_any_field(value: bytes) -> None:
    fields = [*Event.__struct_encode_fields__]
    text = b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name in fields) + b"}"
    event = read_event(text)
    assert len({repr(value_of(getattr(event, name))) for name in Event.__struct_fields__}) == 1


@pytest.mark.parametrize(
    "text",
    [
        rb'{"eventID":"e1","eventName":"\ud800"}',
        b'{"eventID":"e1","eventName":"\xff"}',
        b'{"eventID":"e1","deep":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"eventID":"e1","number":' + b"9" * 10_000 + b"}",
        b'{"eventID":"e0","eventID":"e1"}',
        b' \r\n{"eventID":"e1"}\n',
    ],
    ids=["lone surrogate", "invalid UTF-8", "10,000 levels", "10,000 digits", "duplicate key", "blanks"],
)
def test_an_odd_record_is_read(text: bytes) -> None:
    assert read_event(text).eventID == "e1"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON: empty"),
        (b" \n", "not JSON: empty"),
        (b"[1]", "a record is a JSON object; this is a list"),
        (b'"x"', "a record is a JSON object; this is a string"),
        (b"1", "a record is a JSON object; this is a number"),
        (b"1.5", "a record is a JSON object; this is a number"),
        (b"null", "a record is a JSON object; this is null"),
        (b"true", "a record is a JSON object; this is true or false"),
        (b'{"a":}', "not JSON: expecting value, byte 5"),
        (b'{"a":1}x', "not JSON: extra data, byte 7"),
        ('{"é":}'.encode(), "not JSON: expecting value, byte 6"),
    ],
)
def test_what_is_no_record_says_why(text: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        read_event(text)
    assert caught.value.reason == reason
