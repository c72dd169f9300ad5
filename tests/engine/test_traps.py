"""Odd records cost themselves and no more: the rest of their file goes on, and the alerts are the plain ones."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence

import pytest

from tests.engine.plain import examine, examine_records, found, log_file, plainly, rules
from trailsieve.rules.load import load_pack

OWN = rules(
    names='{ $.eventName = "Odd*" || $.eventName = "1*" || $.eventName IS NULL || $.eventName IS TRUE }',
    root='{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS }',
    size="{ $.requestParameters.size > 9007199254740992 || $.requestParameters.size = 7 }",
    first='{ $.requestParameters.items[0].name = "odd" || $.requestParameters = "odd" }',
    anywhere='{ $.responseElements.*.state = "odd" || $.errorCode != "fine" }',
)
RULES = [*OWN, *load_pack("cis-aws").rules]


def record(number: int, **fields: object) -> bytes:
    """An ordinary record of some 400 bytes."""
    body = {"eventVersion": "1.11", "eventID": f"id-{number}", "eventName": "DescribeThings"} | fields
    return json.dumps(body | {"padding": "x" * 300}, separators=(",", ":")).encode()


# Before and behind the odd one stand several blocks' worth of records; every tenth raises an alert.
ORDINARY = [record(n, eventName="StopLogging" if n % 10 == 0 else "DescribeThings") for n in range(120)]


def around(*odd: bytes) -> list[bytes]:
    return [*ORDINARY[:60], *odd, *ORDINARY[60:]]


def with_field(name: str, value: bytes) -> bytes:
    """A trail that was stopped, told by a record that has one odd field."""
    return b'{"eventVersion":"1.11","eventID":"odd","eventName":"StopLogging","%s":%s}' % (
        name.encode(),
        value,
    )


TYPES = {
    "string": b'"odd"',
    "number": b"7",
    "fraction": b"1.50",
    "null": b"null",
    "true": b"true",
    "list": b'["odd",{"type":"Root"}]',
    "empty list": b"[]",
    "empty object": b"{}",
    "list of objects": b'[{"name":"odd","type":"Root"}]',
    "object": b'{"type":"Root","size":7,"items":[{"name":"odd"}],"a":{"state":"odd"}}',
    "object of objects": b'{"type":{"type":"Root"},"size":{},"items":{"0":{"name":"odd"}}}',
}
FIELDS = (
    "eventName",
    "errorCode",
    "userIdentity",
    "requestParameters",
    "responseElements",
    "eventID",
    "unread",
)


@pytest.mark.parametrize("value", TYPES.values(), ids=TYPES)
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_any_type(field: str, value: bytes) -> None:
    texts = around(with_field(field, value))
    findings = examine_records(texts, RULES)
    assert found(findings) == plainly(texts, RULES)
    assert (findings.records, findings.problems) == (121, [])


ODD_JSON = {
    "duplicate key, last is loud": b'{"eventName":"DescribeThings","eventName":"StopLogging"}',
    "duplicate key, last is quiet": b'{"eventName":"StopLogging","eventName":"DescribeThings"}',
    "duplicate key, spelled with an escape": rb'{"eventName":"DescribeThings","event\u004eame":"StopLogging"}',
    "duplicate object, last is loud": b'{"userIdentity":{"type":"IAMUser"},"userIdentity":{"type":"Root"}}',
    "duplicate objects are not joined": b'{"userIdentity":{"type":"Root"},"userIdentity":{"arn":"a"}}',
    "duplicate object, last is no object": b'{"userIdentity":{"type":"Root"},"userIdentity":"Root"}',
    "duplicate key in an object": b'{"userIdentity":{"type":"Root","type":"IAMUser"}}',
    "duplicate key beside a lone surrogate": rb'{"eventName":"X","eventName":"StopLogging","unread":"\ud800"}',
    "duplicate quiet key beside a lone surrogate": rb'{"eventName":"StopLogging","eventName":"X","unread":"\ud800"}',
    "lone surrogate in a read field": rb'{"eventName":"Odd\udfff"}',
    "lone surrogate in an unread field": rb'{"eventName":"StopLogging","unread":"\ud800"}',
    "lone surrogate in a key": rb'{"eventName":"StopLogging","\ud800":1}',
    "lone surrogate in an object that is read": rb'{"userIdentity":{"type":"Root","userName":"\udc00"}}',
    "surrogate pair": rb'{"eventName":"Odd\ud83d\ude00"}',
    "invalid UTF-8 in a read field": b'{"eventName":"Odd\xff"}',
    "invalid UTF-8 in an unread field": b'{"eventName":"StopLogging","unread":"\xff\xc0\xaf\xed\xa0\x80"}',
    "invalid UTF-8 in a key": b'{"eventName":"StopLogging","\xff":1}',
    "truncated UTF-8 in an object that is read": b'{"userIdentity":{"type":"Root","userName":"\xe2\x82"}}',
    "NUL, escaped": rb'{"eventName":"Odd\u0000"}',
    "2**53 + 1": b'{"requestParameters":{"size":9007199254740993}}',
    "2**53": b'{"requestParameters":{"size":9007199254740992}}',
    "2**64": b'{"requestParameters":{"size":18446744073709551616}}',
    "7.0": b'{"requestParameters":{"size":7.0}}',
    "7e0": b'{"requestParameters":{"size":7e0}}',
    "300 digits": b'{"requestParameters":{"size":%s}}' % (b"9" * 300),
    "beyond all doubles": b'{"requestParameters":{"size":1e999}}',
    "5,000 digits in a read field": b'{"eventName":"StopLogging","requestParameters":{"size":%s}}'
    % (b"9" * 5000),
    "5,000 digits in an unread field": b'{"eventName":"StopLogging","unread":%s}' % (b"9" * 5000),
    "5,000 digits as a name": b'{"eventName":%s}' % (b"1" * 5000),
    "true is not 1": b'{"eventName":true}',
    "no field at all": b"{}",
    "one long string": b'{"eventName":"StopLogging","unread":"%s"}' % (b"x" * 200_000),
    "one long name": b'{"eventName":"Odd%s"}' % (b"x" * 200_000),
    "blanks between tokens": b'{ "eventName"\t: "StopLogging" ,\r\n "unread" : [ ] }',
    "looks like two records": rb'{"eventName":"StopLogging","unread":"},{\"eventVersion\":\"1\"},{"}',
    "holds what looks like records": b'{"eventVersion":"1","eventName":"StopLogging","unread":[%s]}'
    % b",".join([b'{"eventVersion":"1","eventName":"StopLogging"}'] * 2000),
    "holds what looks like a file": b'{"eventName":"StopLogging","unread":%s}'
    % log_file([b'{"eventVersion":"1"}'] * 3),
}


def pretty(texts: Sequence[bytes]) -> bytes:
    return b'{\n  "Records": [\n    ' + b",\n    ".join(texts) + b"\n  ]\n}\n"


def lines(texts: Sequence[bytes]) -> bytes:
    return b"\n".join(text.replace(b"\r\n", b" ") for text in texts) + b"\n"


def fields_first(texts: Sequence[bytes]) -> bytes:
    return b'{"owner":"x",' + log_file(texts)[1:]


def other_way(texts: list[bytes]) -> bytes:
    """The plain file whose first record is the odd one, which hides where records begin."""
    return log_file(texts[60:] + texts[:60])


@pytest.mark.parametrize("odd", ODD_JSON.values(), ids=ODD_JSON)
def test_an_odd_record_in_the_middle(odd: bytes) -> None:
    texts = around(odd)
    findings = examine_records(texts, RULES)
    assert found(findings) == plainly(texts, RULES)
    assert len([index for index, _ in found(findings) if index != 61]) == 12
    assert findings.records == 121
    assert all(problem.warning for problem in findings.problems)


@pytest.mark.parametrize("shape", [pretty, lines, fields_first, other_way])
@pytest.mark.parametrize("odd", ODD_JSON.values(), ids=ODD_JSON)
def test_an_odd_record_in_a_file_of_another_shape(odd: bytes, shape: Callable[[list[bytes]], bytes]) -> None:
    texts = around(odd)
    moved = texts[60:] + texts[:60] if shape is other_way else texts
    findings = examine(shape(texts), RULES)
    assert found(findings) == plainly(moved, RULES)


def test_all_odd_records_in_one_file() -> None:
    texts = around(*ODD_JSON.values())
    findings = examine_records(texts, RULES)
    assert found(findings) == plainly(texts, RULES)
    assert findings.records == 120 + len(ODD_JSON)


@pytest.mark.parametrize("depth", [500, 2_000, 20_000])
@pytest.mark.parametrize("field", ["unread", "requestParameters", "userIdentity", "responseElements"])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
def test_deep_nesting(field: str, depth: int, opening: bytes, closing: bytes) -> None:
    odd = with_field(field, opening * depth + b"1" + closing * depth)
    findings = examine_records(around(odd), RULES)
    assert found(findings) == plainly(around(with_field(field, opening + b"1" + closing)), RULES)
    assert (findings.records, findings.problems) == (121, [])


NOT_JSON = {
    "NaN": b'{"eventName":"StopLogging","unread":NaN}',
    "Infinity in a read field": b'{"requestParameters":{"size":Infinity}}',
    "leading zero": b'{"eventName":"StopLogging","unread":01}',
    "trailing comma": b'{"eventName":"StopLogging",}',
    "single quotes": b"{'eventName':'StopLogging'}",
    "control character in an unread field": b'{"eventName":"StopLogging","unread":"\x01"}',
    "unknown escape": rb'{"eventName":"StopLogging","unread":"\q"}',
    "misspelt null": b'{"eventName":"StopLogging","unread":nul}',
    "no colon": b'{"eventName" "StopLogging"}',
    "null": b"null",
    "a number": b"42",
    "a string": b'"StopLogging"',
    "a list": b'["StopLogging"]',
}


@pytest.mark.parametrize("shape", [log_file, pretty, lines])
@pytest.mark.parametrize("odd", NOT_JSON.values(), ids=NOT_JSON)
def test_a_record_that_cannot_be_read_is_named(odd: bytes, shape: Callable[[list[bytes]], bytes]) -> None:
    findings = examine(gzip.compress(shape(around(odd))), RULES)
    numbered = ((index + (index > 60), rule) for index, rule in plainly(ORDINARY, RULES))
    assert found(findings) == list(numbered)
    (problem,) = findings.problems
    assert (problem.index, problem.text, problem.warning) == (61, odd, False)
    assert problem.reason
