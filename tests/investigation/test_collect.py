"""What is collected is what the records say, however they are split over files and processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.engine.plain import rules
from trailsieve.engine.decode import Decoder
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.processor import Processor
from trailsieve.investigation.collect import Collected, collect
from trailsieve.investigation.collector import Collector
from trailsieve.investigation.folding import STEPS
from trailsieve.investigation.ledger import Ledger
from trailsieve.investigation.model import Activity, Call
from trailsieve.model import Message, Position
from trailsieve.ports import RunContext
from trailsieve.rules.rule import Rule
from trailsieve.sources.memory import MemorySource

RULES = rules(root='{ $.userIdentity.type = "Root" }', denied='{ $.errorCode = "*Denied" }')


def record(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A read by an IAM user."""
    return {
        "eventID": f"e{number}",
        "eventTime": "2026-03-14T02:10:20Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "ListUsers",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "198.51.100.7",
        "userAgent": "aws-cli/2",
        "recipientAccountId": "111122223333",
        "readOnly": True,
        "userIdentity": {
            "type": "IAMUser",
            "arn": "arn:aws:iam::111122223333:user/ann",
            "accessKeyId": "AKIAANN",
        },
        **fields,
    }


def deed(number: int = 0, **fields: Any) -> dict[str, Any]:
    """A call that changes something."""
    request = {"userName": "bob"}
    return record(number, eventName="DeleteUser", readOnly=False, requestParameters=request) | fields


def messages_of(files: Sequence[Sequence[dict[str, Any]]]) -> list[Message]:
    texts = [json.dumps({"Records": content}, separators=(",", ":")).encode() for content in files]
    return [Message(text, Position(str(n), 0), f"f{n}") for n, text in enumerate(texts)]


def collected(
    files: Sequence[Sequence[dict[str, Any]]], chosen: Sequence[Rule] = RULES, workers: int = 1
) -> Collected:
    """What these files hold."""
    source = MemorySource(messages_of(files), whole_objects=True)
    return collect(chosen, source, RunContext(), workers=workers)


def in_parts(files: Sequence[Sequence[dict[str, Any]]], ledger: Ledger) -> Activity:
    """The same, collected from each file by itself."""
    observer = Collector(ledger.add)
    processor = Processor(Decoder(), Matcher(RULES, None, observer))
    for message in messages_of(files):
        processor.process(message)
        for part in processor.observed():
            observer.add(part)
    return ledger.activity()


def without_places(activity: Activity) -> Activity:
    """The same without the names of the files."""
    calls = [structs.replace(call, example="") for call in activity.calls]
    grants = [structs.replace(grant, example="") for grant in activity.grants]
    return structs.replace(activity, calls=calls, grants=grants)


def only(files: Sequence[Sequence[dict[str, Any]]]) -> Call:
    (call,) = collected(files).activity.calls
    return call


def test_reads_are_one_call_whenever_they_were() -> None:
    call = only([[record(1), record(2, eventTime="2026-03-15T11:00:00Z")]])
    assert (call.count, call.first, call.last) == (2, "2026-03-14T02:10:20Z", "2026-03-15T11:00:00Z")
    assert call.actor.principal == "arn:aws:iam::111122223333:user/ann"
    assert (call.actor.access_key, call.example, call.read_only) == ("AKIAANN", "f0#1", True)


def test_changes_are_told_apart_by_ten_minutes_and_target() -> None:
    later = deed(2, eventTime="2026-03-14T02:20:00Z")
    other = deed(3, requestParameters={"userName": "eve"})
    calls = collected([[deed(1), later, other, deed(4, eventTime="2026-03-14T02:19:59Z")]]).activity.calls
    assert [(call.targets[0].name, call.count) for call in calls] == [("eve", 1), ("bob", 2), ("bob", 1)]


def test_a_change_that_was_delivered_twice_counts_once() -> None:
    files = [[deed(1), deed(2)], [deed(2), record(3)], [deed(1)]]
    for workers in (1, 2):
        calls = collected(files, workers=workers).activity.calls
        assert {call.event_name: call.count for call in calls} == {"DeleteUser": 2, "ListUsers": 1}


def test_calls_have_the_rules_that_matched_them() -> None:
    denied = record(1, errorCode="AccessDenied")
    found = {call.error_code: call.rules for call in collected([[denied, record(2)]]).activity.calls}
    assert found == {"AccessDenied": ("denied",), "": ()}


def test_the_twenty_first_target_counts_with_others() -> None:
    files = [[deed(n, requestParameters={"userName": f"u{n}"}) for n in range(30)]]
    calls = collected(files).activity.calls
    assert sorted(call.count for call in calls) == [1] * 20 + [10]


def test_keys_and_sessions_are_grants() -> None:
    made = {"accessKey": {"accessKeyId": "AKIANEW", "userName": "bob"}}
    session = {
        "credentials": {"accessKeyId": "ASIA1"},
        "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/ops/x"},
    }
    key = deed(1, eventName="CreateAccessKey", responseElements=made)
    role = record(2, eventName="AssumeRole", eventSource="sts.amazonaws.com", responseElements=session)
    grants = collected([[key, role]]).activity.grants
    assert [(grant.kind, grant.access_key, grant.by.access_key) for grant in grants] == [
        ("access key", "AKIANEW", "AKIAANN"),
        ("session", "ASIA1", "AKIAANN"),
    ]


records = st.builds(
    lambda make, number, minute, fields: make(number, eventTime=f"2026-03-14T02:{minute:02}:00Z", **fields),
    st.sampled_from([record, deed]),
    st.integers(0, 30),
    st.integers(0, 59),
    st.fixed_dictionaries(
        {},
        optional={
            "errorCode": st.sampled_from(["AccessDenied", "Throttled", 7]),
            "sourceIPAddress": st.sampled_from(["192.0.2.1", None, ["odd"], "\ud800"]),
            "requestParameters": st.sampled_from([None, {"userName": "u1"}, {"userName": "u2"}, "odd"]),
            "userIdentity": st.sampled_from([None, {"type": "Root"}, "odd", {"type": "IAMUser", "arn": "a"}]),
            "eventID": st.sampled_from([None, "same", 5]),
            "readOnly": st.sampled_from([None, True, False, "true"]),
        },
    ),
)


@given(st.lists(records, max_size=30), st.lists(st.integers(0, 30), max_size=5))
def test_what_is_collected_does_not_depend_on_how_records_are_split(
    found: list[dict[str, Any]], cuts: list[int]
) -> None:
    edges = [0, *sorted(cuts), len(found)]
    files = [found[start:end] for start, end in pairwise(edges)]
    whole = without_places(collected([found]).activity)
    assert without_places(in_parts(files, Ledger())) == whole
    assert sum(hour.records for hour in whole.hours) == len(found)


@given(st.lists(records, max_size=20))
def test_records_that_are_read_one_by_one_give_the_same(found: list[dict[str, Any]]) -> None:
    slowly = [*RULES, *rules(text='"no record has this"')]
    assert without_places(collected([found], slowly).activity) == without_places(collected([found]).activity)


@pytest.mark.parametrize("most", [1, 10, 50])
def test_too_many_calls_are_folded_and_still_counted(most: int) -> None:
    files = [
        [make(m * 100 + n, userIdentity={"arn": f"arn:aws:iam::1:user/{m}-{n}"}) for n in range(40)]
        for m, make in enumerate([record, deed, record, deed])
    ]
    found = in_parts(files, Ledger(most))
    assert len(found.calls) <= max(most, 2)
    assert sum(call.count for call in found.calls) == 160
    assert found.folded.startswith(STEPS[0].text)


FIELDS = [*record(), "requestParameters", "responseElements", "resources", "additionalEventData", "errorCode"]


HOSTILE = {
    "long": "x" * 2**20,
    "surrogates": "\ud800" * 600,
    "list": ["odd"],
    "nested": {"a": {"b": "c" * 2**20}},
    "number": 10**30,
    "null": None,
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_fields_leave_short_texts(value: Any) -> None:
    files = [[record(n, **{field: value}) for n, field in enumerate(FIELDS)]]
    files.append([deed(100 + n, **{field: value}) for n, field in enumerate(FIELDS)])
    found = collected(files)
    assert found.stats.records == sum(call.count for call in found.activity.calls) == 2 * len(FIELDS)
    texts = [
        text
        for call in found.activity.calls
        for part in (structs.astuple(call), structs.astuple(call.actor), *map(structs.astuple, call.targets))
        for text in part
        if isinstance(text, str)
    ]
    assert max(map(len, texts)) <= 512
    "".join(texts).encode()
