"""Envelopes: every shape, every nesting, and what damage in each costs."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.trail.aggregate import aggregated
from trailsieve.trail import envelope_shapes, envelopes
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.trail.envelopes import unwrap, unwrap_lines

ONE = b'{"eventVersion":"1.08","eventName":"StopLogging","odd":"\xc3\xa9 \\u00e9 \\" }"}'
TWO = b'{"eventVersion":"1.08", "eventName":"GetTrail", "deep":{"Records":[{"s3":1}],"Message":"x"}}'
Wrap = Callable[[bytes], bytes]


def text(value: Any) -> bytes:
    return json.dumps(value).encode()


def b64(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def subscription(*messages: Any, kind: str = "DATA_MESSAGE") -> bytes:
    events = [{"id": str(n), "timestamp": 1, "message": message} for n, message in enumerate(messages)]
    about = {"owner": "1", "logGroup": "trail", "logStream": "s", "subscriptionFilters": ["f"]}
    return text({"messageType": kind, **about, "logEvents": events})


def eventbridge(record: bytes) -> bytes:
    return b'{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":' + record + b"}"


# Envelopes of anything: bytes where they hold bytes or base64, text where they hold a string.
ANY: dict[str, Wrap] = {
    "gzip": gzip.compress,
    "base64": base64.b64encode,
    "KPL": lambda payload: aggregated([payload]),
    "Firehose": lambda payload: text({"requestId": "r", "records": [{"data": b64(payload)}]}),
    "Lambda of Kinesis": lambda payload: text(
        {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": b64(payload)}}]}
    ),
    "Lambda of logs": lambda payload: text({"awslogs": {"data": b64(payload)}}),
    "answer of Kinesis": lambda payload: text(
        {"Records": [{"SequenceNumber": "1", "Data": b64(payload)}], "NextShardIterator": "x"}
    ),
}
OF_TEXT: dict[str, Wrap] = {
    "JSON string": lambda payload: text(payload.decode()),
    "SNS": lambda payload: text({"Type": "Notification", "MessageId": "m", "Message": payload.decode()}),
    "SQS": lambda payload: text({"MessageId": "m", "ReceiptHandle": "r", "Body": payload.decode()}),
    "Lambda of SQS": lambda payload: text(
        {"Records": [{"eventSource": "aws:sqs", "body": payload.decode(), "messageId": "m"}]}
    ),
    "Lambda of SNS": lambda payload: text(
        {"Records": [{"Sns": {"Type": "Notification", "Message": payload.decode()}}]}
    ),
    "answer of SQS": lambda payload: text({"Messages": [{"Body": payload.decode()}]}),
    "subscription": lambda payload: subscription(payload.decode()),
}
OF_JSON: dict[str, Wrap] = {
    "array": lambda payload: b"[" + payload + b"]",
    "blanks": lambda payload: b" \r\n" + payload + b"\n ",
}
OF_RECORD: dict[str, Wrap] = {
    "file": lambda record: b'{"Records":[' + record + b"]}",
    "EventBridge": eventbridge,
    "bare": lambda record: record,
}
EVERY = {**ANY, **OF_TEXT, **OF_JSON}


@pytest.mark.parametrize("record", [ONE, TWO])
@pytest.mark.parametrize("inner", OF_RECORD.values(), ids=OF_RECORD)
@pytest.mark.parametrize("outer", EVERY.values(), ids=EVERY)
def test_every_envelope_around_every_form_of_a_record(outer: Wrap, inner: Wrap, record: bytes) -> None:
    found = unwrap(outer(inner(record)))
    assert found.records == [record]
    assert not found.problems
    assert not found.objects
    assert found.layers


def wrapped(payload: bytes, names: list[str]) -> bytes:
    """The payload in these envelopes, where each can hold what the one within it gives."""
    for name in names:
        wrap = EVERY[name]
        if name not in ANY and not payload.isascii():
            continue  # a string or a list holds no bytes
        if name == "array" and payload[:1] not in b'{["':
            continue
        payload = wrap(payload)
    return payload


@given(
    records=st.lists(st.sampled_from([ONE, TWO, ONE.replace(b"Stop", b"Start")]), min_size=1, max_size=4),
    inner=st.sampled_from(["file", "lines", "joined", "subscription", "KPL", "array"]),
    names=st.lists(st.sampled_from(sorted(set(EVERY))), max_size=5),
)
@settings(max_examples=examples(150))
def test_any_nesting_unwraps_to_the_same_texts(records: list[bytes], inner: str, names: list[str]) -> None:
    whole = {
        "file": b'{"Records":[' + b",".join(records) + b"]}",
        "lines": b"\n".join(records),
        "joined": b"".join(records),
        "subscription": subscription(*[record.decode() for record in records]),
        "KPL": aggregated(records),
        "array": b"[" + b",".join(records) + b"]",
    }[inner]
    with mock.patch.object(envelopes, "_MAX_DEPTH", 3 * len(names) + 2):  # an envelope has up to three layers
        found = unwrap(wrapped(whole, names))
    assert found.records == records
    assert not found.problems


@given(st.binary(max_size=200) | st.recursive(st.just(ONE), lambda inner: inner.map(gzip.compress)))
@settings(max_examples=examples(300))
def test_nothing_raises_and_nothing_vanishes(payload: bytes) -> None:
    found = unwrap(payload)
    assert (
        found.records or found.problems or found.objects or found.control_messages or payload.strip() == b"[]"
    )
    list(found.outline())


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from([field.encode_name for field in msgspec.structs.fields(envelope_shapes.Shape)])


@given(st.dictionaries(keys, values | st.dictionaries(keys, values, max_size=3), max_size=5))
@settings(max_examples=examples(500))
def test_odd_values_under_the_keys_of_envelopes_never_raise(document: dict[str, Any]) -> None:
    unwrap(text(document))
    unwrap(text({"Records": [document]}))
    unwrap(subscription(json.dumps(document)))


@given(st.sampled_from(sorted(EVERY)), st.data())
@settings(max_examples=examples(200))
def test_damage_never_raises(name: str, data: st.DataObject) -> None:
    payload = bytearray(EVERY[name](OF_RECORD["file"](ONE)))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] = data.draw(st.integers(0, 255))
    unwrap(bytes(payload))
    unwrap(bytes(payload[:place]))


PROBLEMS = [
    (b"", "empty"),
    (b" \n", "empty"),
    (b'{"a": 1, "b": 2}', "unknown envelope: a JSON object with the keys a, b"),
    (text({f"k{n}": n for n in range(20)}), "k7, …"),
    (b"no JSON", "neither JSON, gzip nor base64: it starts with 'no JSON'"),
    (b"abcde", "neither JSON, gzip nor base64"),
    (b"\xff\xfe", "neither JSON, gzip nor base64"),
    (gzip.compress(ONE)[:-9], "truncated"),
    (b"\x1f\x8b no gzip", "damaged gzip"),
    (ONE[:-9], "truncated JSON"),
    (b"[1,", "unreadable JSON array"),
    (b"[1]", "neither JSON, gzip nor base64"),
    (text({"Type": "Notification", "Message": 7}), "content of the envelope is not a string"),
    (text({"Body": {"eventVersion": "1"}}), "content of the envelope is not a string"),
    (subscription({"eventVersion": "1"}), "content of the envelope is not a string"),
    (text({"messageType": "DATA_MESSAGE", "logEvents": [7]}), "is not a JSON object"),
    (text({"messageType": "DATA_MESSAGE", "logEvents": {}}), "unreadable JSON array"),
    (text({"records": [{"data": "!"}]}), "neither JSON, gzip nor base64"),
    (text({"records": [7]}), "is not a JSON object"),
    (text({"awslogs": {}}), "content of the envelope is not a string"),
    (text({"detail-type": "Scheduled Event", "detail": {}}), "not a CloudTrail event"),
    (text({"detail-type": "Object Created", "detail": {}}), "without a bucket name"),
    (text({"Event": "other"}), "unknown envelope"),
    (aggregated([ONE])[:-1] + b"\0", "KPL record: wrong checksum"),
]


@pytest.mark.parametrize(("payload", "reason"), PROBLEMS, ids=[reason[:30] for _, reason in PROBLEMS])
@pytest.mark.parametrize("outer", [bytes, gzip.compress, ANY["Firehose"]], ids=["bare", "gzip", "Firehose"])
def test_what_is_no_envelope_is_a_problem_with_its_text(payload: bytes, reason: str, outer: Wrap) -> None:
    found = unwrap(outer(payload))
    assert not found.records
    assert len(found.problems) == 1
    told, original = found.problems[0]
    assert reason in told
    assert told.isprintable()
    assert original == outer(payload) or original in payload  # whole, or the part that is wrong


def test_a_bad_part_costs_itself_only() -> None:
    good = ONE.decode()
    for whole in (
        subscription(good, 7, "no JSON", good),
        text({"records": [{"data": b64(ONE)}, {"data": "!"}, {}, {"data": b64(ONE)}]}),
        text({"Messages": [{"Body": good}, {"Body": 7}, {"odd": 1}, {"Body": good}]}),
        aggregated([ONE, b"no JSON", b"{}", ONE]),
        b"\n".join([ONE, b'{"odd":1}', b'{"odd":2}', ONE]),
        text({"Records": [{"eventSource": "aws:sqs", "body": b} for b in (good, 7, "?", good)]}),
    ):
        found = unwrap(whole)
        assert found.records == [ONE, ONE]
        assert len(found.problems) == 2


def test_control_messages_are_counted_and_objects_named() -> None:
    assert unwrap(subscription("x", kind="CONTROL_MESSAGE")).control_messages == 1
    assert (
        unwrap(text({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})).control_messages == 1
    )
    assert unwrap(text({"Type": "SubscriptionConfirmation", "Message": "m"})).control_messages == 1
    place = {"bucket": {"name": "b"}, "object": {"key": "a+b%2Bc/%C3%A9", "size": 3}}
    created = {"eventSource": "aws:s3", "eventVersion": "2.1", "eventName": "ObjectCreated:Put", "s3": place}
    removed = {**created, "eventName": "ObjectRemoved:Delete"}
    found = unwrap(OF_TEXT["SNS"](text({"Records": [created, removed]})))
    assert found.objects == [ObjectName("b", "a b+c/é", 3)]
    assert found.control_messages == 1
    found = unwrap(text({"detail-type": "Object Created", "source": "aws.s3", "detail": place}))
    assert found.objects == [ObjectName("b", "a+b%2Bc/%C3%A9", 3)]
    found = unwrap(OF_TEXT["SNS"](text({"s3Bucket": "b", "s3ObjectKey": ["k1", "k%202"]})))
    assert found.objects == [ObjectName("b", "k1"), ObjectName("b", "k%202")]


def test_advice_is_given_for_eventbridge_alone() -> None:
    assert any("read-only" in advice for advice in unwrap(OF_TEXT["SQS"](eventbridge(ONE))).advice)
    assert not unwrap(OF_TEXT["SQS"](ONE)).advice


def test_as_many_envelopes_as_allowed_and_one_more() -> None:
    payload = ONE
    for _ in range(envelopes._MAX_DEPTH):
        payload = base64.b64encode(payload)
    assert unwrap(payload).records == [ONE]
    [(reason, _)] = unwrap(base64.b64encode(payload)).problems
    assert "more than 12 nested envelopes" in reason


def test_a_bomb_ends_at_the_limit_however_it_is_wrapped() -> None:
    bomb = gzip.compress(b"[" + b" " * 10_000_000)
    for payload in (bomb, base64.b64encode(gzip.compress(base64.b64encode(bomb))), ANY["KPL"](bomb)):
        [(reason, _)] = unwrap(payload, 1_000_000).problems
        assert "too big: more than" in reason
    several = ANY["KPL"](gzip.compress(b" " * 600_000 + ONE))
    both = aggregated([gzip.compress(b" " * 600_000 + ONE)] * 2)
    assert unwrap(several, 1_000_000).records == [ONE]
    assert len(unwrap(both, 1_000_000).problems) == 1  # the limit is that of the whole message


@pytest.mark.parametrize("part", [b"1", b"{}", b'{"eventVersion":"1"}', b'{"s3":1}', b'{"Records":[1,1,1]}'])
@pytest.mark.parametrize("joint", [b",", b"\n"])
def test_very_many_parts_end_early(part: bytes, joint: bytes) -> None:
    with mock.patch.object(envelope_shapes, "MAX_PARTS", 1000):
        many = joint.join([part] * 5000)
        wholes = (many,) if joint == b"\n" else (b"[" + many + b"]", b'{"Records":[' + many + b"]}")
        for whole in wholes:
            found = unwrap(whole)
            assert len(found.problems) <= 1001
            assert len(found.records) <= 1000 * 3
            assert found.problems[-1][1]
            assert "too much" in found.problems[-1][0] or part == b"1"


def test_the_outline() -> None:
    found = unwrap(gzip.compress(subscription(ONE.decode(), TWO.decode(), OF_RECORD["file"](ONE).decode())))
    assert [line.partition("  (")[0] for line in found.outline()] == [
        "gzip",
        "  CloudWatch Logs subscription",
        "    CloudTrail record ×2",
        "    CloudTrail file",
    ]


def test_files_of_one_payload_a_line() -> None:
    lines = b"\n".join([base64.b64encode(gzip.compress(ONE)), b"", base64.b64encode(TWO), b"???"])
    found = unwrap_lines(lines)
    assert found.records == [ONE, TWO]
    assert len(found.problems) == 1
    assert unwrap_lines(ONE + b"\n" + TWO).records == [ONE, TWO]
    assert len(unwrap_lines(b"a\n").problems) == 1


@pytest.mark.parametrize("odd", [b'"\\ud800"', b"[" * 5000 + b"]" * 5000], ids=["surrogate", "deep"])
def test_one_odd_record_does_not_hide_the_others(odd: bytes) -> None:
    """Whoever could make a record that the fast decoder refuses would else choose what is seen."""
    strange = b'{"eventVersion":"1.08","eventName":"GetUser","odd":' + odd + b"}"
    found = unwrap(b'{"Records": [' + strange + b"," + ONE + b"]}")
    assert (found.records, found.problems) == ([strange, ONE], [])
    [record] = unwrap(eventbridge(strange)).records
    assert record == strange
