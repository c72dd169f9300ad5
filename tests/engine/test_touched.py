"""What alerts say that a call touched, from the record to the sentence and every format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from trailsieve.engine.alerts import alert_of
from trailsieve.formats import encoder
from trailsieve.model import Alert, Match, Record, Target
from trailsieve.rules.load import load_pack
from trailsieve.trail.event import read_event

RULE = load_pack("cis-aws").rules[0]
EVENT: dict[str, Any] = {
    "eventID": "e1",
    "eventTime": "2026-03-14T02:00:00Z",
    "eventSource": "iam.amazonaws.com",
    "eventName": "PutUserPolicy",
    "sourceIPAddress": "192.0.2.7",
    "userIdentity": {"type": "IAMUser", "userName": "mia", "arn": "arn:aws:iam::111122223333:user/mia"},
    "requestParameters": {
        "userName": "mia",
        "policyName": "p",
        "policyDocument": '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}',
    },
}


def alert(**fields: Any) -> Alert:
    text = json.dumps({**EVENT, **fields}).encode()
    return alert_of(Match(RULE, Record(1, text, read_event(text)), "file.json"))


def test_an_alert_says_what_was_touched_and_brought_about() -> None:
    found = alert()
    assert found.targets == (Target("user", "mia"), Target("policy", "p"))
    assert found.effect == "allows itself every action on every resource"
    assert found.summary == (
        "user/mia called PutUserPolicy of iam.amazonaws.com on user mia and policy p from 192.0.2.7: "
        "allows itself every action on every resource"
    )


def test_a_refused_call_brought_nothing_about() -> None:
    found = alert(errorCode="AccessDenied")
    assert found.targets == (Target("user", "mia"), Target("policy", "p"))
    assert found.effect is None
    assert found.summary.endswith("on user mia and policy p from 192.0.2.7: AccessDenied")


def test_the_id_does_not_depend_on_it() -> None:
    assert alert().id == alert(requestParameters=None).id


def test_a_sentence_counts_what_it_does_not_name() -> None:
    items = [{"instanceId": f"i-{number}"} for number in range(12)]
    found = alert(
        eventSource="ec2.amazonaws.com",
        eventName="StopInstances",
        requestParameters={"instancesSet": {"items": items}},
    )
    assert "on instance i-0, instance i-1, instance i-2 and 9 more from" in found.summary
    assert json.loads(encoder("native")(found))["targets"][-1] == {
        "kind": "instance",
        "name": "i-9",
        "more": 2,
    }


@pytest.mark.parametrize(
    "request_parameters",
    [
        {"userName": "x" * 1_000_000, "policyName": ["y" * 9000] * 50, "policyDocument": "z" * 1_000_000},
        {"userName": "\ud800<script>\u202e", "policyName": "\x1b[2J\n"},
        {"userName": {"a": 1}, "policyName": [None, 10**30, {}], "policyDocument": [[]]},
        [1, 2],
        "text",
    ],
)
@pytest.mark.parametrize("name", ["native", "ecs", "ocsf", "asff", "cef", "leef", "slack", "teams"])
def test_hostile_requests_do_no_harm(request_parameters: Any, name: str) -> None:
    found = alert(requestParameters=request_parameters)
    assert all(len(target.name) <= 1024 for target in found.targets)
    assert found.summary.isprintable()
    assert len(encoder(name)(replace(found, records=()))) < 60_000
