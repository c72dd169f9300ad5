"""The table of the fields that name targets, against the service models and the catalogue of calls."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import botocore.session
import pytest

from trailsieve.trail.catalogue.calls import DOMAIN, names_of

_ROWS: dict[str, Any] = tomllib.loads(
    (resources.files("trailsieve.trail.targets") / "calls.toml").read_text("utf-8")
)
_ROWS.pop("anything")
_CALLS = [
    (source, name, row["targets"])
    for source, rows in _ROWS.items()
    for row in rows
    for name in row["calls"].split()
]
# Field names in requests that the service models do not have: S3's REST parameters, EC2's query lists, IAM's and
# Route 53's spelling, and what older versions of an API called them.
_RECORDED = {
    "s3": {"bucketName"},
    "ec2": {
        "instancesSet",
        "resourcesSet",
        "flowLogId",
        "vpcEndpointId",
        "resourceId",
        "securityGroupRule",
        "exportToS3",
    },
    "eks": {"name"},
    "events": {"rule"},
    "guardduty": {"filterName", "threatIntelSetId", "ipSetId", "name"},
    "apigateway": {"restApiInput", "createRestApiInput", "name"},
}
# Sources that are not named as botocore names their services.
_SERVICES = {
    "apigateway": ("apigateway", "apigatewayv2"),
    "bedrock": ("bedrock", "bedrock-runtime"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elb", "elbv2"),
    "es": ("es", "opensearch"),
    "monitoring": ("cloudwatch",),
    "servicequotas": ("service-quotas",),
    "ses": ("ses", "sesv2"),
    "sso": ("sso-admin",),
    "states": ("stepfunctions",),
}


def test_the_table_has_enough_calls_and_none_twice() -> None:
    named = [(source, name) for source, name, _ in _CALLS]
    assert len(named) >= 600
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("source", _ROWS)
def test_every_call_is_in_the_catalogue(source: str) -> None:
    known = names_of(source + DOMAIN)
    named = {name for at, name, _ in _CALLS if at == source}
    assert known is None or not named - known, named - (known or set())


@pytest.mark.parametrize("source", _ROWS)
def test_every_field_is_in_the_service_model(source: str) -> None:
    inputs, recorded = _inputs(source), _RECORDED.get(source, set())
    for row in _ROWS[source] if inputs else ():
        calls = row["calls"].split()
        firsts = {text.split(".")[0] for text in _texts(row)} - {"response"} - recorded
        lower = {first.lower() for first in firsts}
        assert lower <= set().union(*(inputs.get(call, lower) for call in calls)), calls
        for call in calls:
            assert lower & inputs.get(call, lower) or "response" in str(row) or recorded, call


def _inputs(source: str) -> dict[str, set[str]]:
    """The members of each call's request, in small letters."""
    loader = botocore.session.get_session().get_component("data_loader")
    known = set(loader.list_available_services("service-2"))
    found: dict[str, set[str]] = {}
    for service in known & set(_SERVICES.get(source, (source,))):
        model = loader.load_service_model(service, "service-2")
        for name, operation in model["operations"].items():
            shape = model["shapes"][operation["input"]["shape"]] if "input" in operation else {}
            found.setdefault(name, set()).update(member.lower() for member in shape.get("members", {}))
    return found


def _texts(row: dict[str, Any]) -> list[str]:
    return [
        text for texts in row["targets"].values() for text in ([texts] if isinstance(texts, str) else texts)
    ]
