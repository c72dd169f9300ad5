"""What a call touched, for requests as records have them and for the worst ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.model import Target
from trailsieve.trail.targets import effect_of, targets_of
from trailsieve.trail.targets.effects import _BY_REQUEST as BY_REQUEST
from trailsieve.trail.targets.table import calls_of, sources

_CALLS = [(source, name) for source in sources() for name in calls_of(source)]
EFFECTS = [(f"{source}.amazonaws.com", name) for source, calls in BY_REQUEST.items() for name in calls]
_FIELDS = [
    *(
        "userName",
        "policyArn",
        "bucketName",
        "key",
        "name",
        "instancesSet",
        "items",
        "instanceId",
        "ipPermissions",
    ),
    *(
        "ipRanges",
        "cidrIp",
        "role",
        "arn",
        "accessKey",
        "accessKeyId",
        "CreateFlowLogsRequest",
        "ResourceId",
        "ARN",
    ),
    *(
        "type",
        "credentials",
        "topicArn",
        "keyId",
        "policyDocument",
        "assumeRolePolicyDocument",
        "groupId",
        "nested",
    ),
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Allow", "*", "AKIA1", "all", "arn:aws:iam::999988887777:root", "0.0.0.0/0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELDS), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def test_many_targets_are_counted_beyond_the_tenth() -> None:
    request = {"instancesSet": {"items": [{"instanceId": f"i-{number}"} for number in range(25)]}}
    found = targets_of("ec2.amazonaws.com", "TerminateInstances", request)
    assert len(found) == 10
    assert found[-1] == Target("instance", "i-9", 15)


@settings(max_examples=examples(200))
@given(st.sampled_from(_CALLS), _JSON, _JSON, _JSON)
def test_any_json_has_targets_that_can_be_shown(
    call: tuple[str, str], request: Any, response: Any, resources: Any
) -> None:
    for target in targets_of(*call, request, response, resources):
        assert target.name
        assert len(target.name) <= 1024
        target.name.encode()


def test_long_names_are_cut() -> None:
    (target,) = targets_of("iam.amazonaws.com", "CreateUser", {"userName": "\ud800" * 2_000_000})
    assert len(target.name) == 1024
    assert target.name.encode()


@pytest.mark.parametrize("value", [None, [], {}, 7, "iam.amazonaws.com"])
def test_a_call_without_a_name_has_no_table(value: Any) -> None:
    assert targets_of(value, value, {"userName": "mia"}) == (Target("user", "mia"),)


@settings(max_examples=examples(500))
@given(st.sampled_from(EFFECTS), _JSON, _JSON, _JSON, _JSON)
def test_any_json_has_an_effect_or_none(
    call: tuple[str, str], request: Any, response: Any, identity: Any, additional: Any
) -> None:
    effect = effect_of(*call, request, response, identity=identity, additional=additional)
    assert effect is None or (0 < len(effect) <= 200 and effect.encode() and effect.isprintable())


def test_deep_nesting_is_no_recursion() -> None:
    deep: Any = {"instanceId": "i-1"}
    for _ in range(5000):
        deep = {"instancesSet": {"items": [deep]}, "Statement": [deep], "Principal": deep}
    for source, name in EFFECTS:
        assert len(effect_of(source, name, deep, deep, identity=deep, additional=deep) or "") <= 200
        assert len(targets_of(source, name, deep, deep, deep)) <= 10
