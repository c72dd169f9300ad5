"""What is collected is what the records say, however they are split over files and processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.engine.plain import rules
from trailsieve.investigation.collect import Collected, collect
from trailsieve.investigation.model import Call
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


def collected(
    files: Sequence[Sequence[dict[str, Any]]], chosen: Sequence[Rule] = RULES, workers: int = 1
) -> Collected:
    """What these files hold."""
    messages = [
        Message(
            json.dumps({"Records": content}, separators=(",", ":")).encode(), Position(str(n), 0), f"f{n}"
        )
        for n, content in enumerate(files)
    ]
    return collect(chosen, MemorySource(messages, whole_objects=True), RunContext(), workers=workers)


def only(files: Sequence[Sequence[dict[str, Any]]]) -> Call:
    (call,) = collected(files).activity.calls
    return call


def test_reads_are_one_call_whenever_they_were() -> None:
    call = only([[record(1), record(2, eventTime="2026-03-15T11:00:00Z")]])
    assert (call.count, call.first, call.last) == (2, "2026-03-14T02:10:20Z", "2026-03-15T11:00:00Z")
    assert call.actor.principal == "arn:aws:iam::111122223333:user/ann"
    assert (call.actor.access_key, call.example, call.read_only) == ("AKIAANN", "f0#1", True)
