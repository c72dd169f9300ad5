"""ECS, OCSF and ASFF are valid whatever a record holds, by validators that are not ours."""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from datetime import datetime
from typing import Any

import botocore.session
import botocore.validate
import jsonschema
import pytest
from hypothesis import given
from msgspec.structs import replace
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from tests.formats.alerts import ALARM, CONFIRMATION, KINDS, MATCH, OVER, PROVISIONAL, TOUCHED, alerts
from trailsieve.formats import asff, ecs, ocsf, resource_types
from trailsieve.model import Alert, Target

every_kind = pytest.mark.parametrize("alert", KINDS.values(), ids=KINDS)


@functools.cache
def validator(version: str) -> Any:
    """The published schema of Detection Finding with the cloud profile, closed to unknown fields."""
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    closed = schema.get_class_schema("detection_finding", ["cloud"])
    for definition in (closed, *closed["$defs"].values()):
        if definition.get("properties"):
            definition["additionalProperties"] = False
    return jsonschema.Draft202012Validator(closed)


@every_kind
@pytest.mark.parametrize("version", ["1.4.0", "1.5.0", "1.6.0", "1.7.0", "1.8.0"])
def test_ocsf_is_valid_by_the_published_schemas(alert: Alert, version: str) -> None:
    problems = [
        f"{error.json_path}: {error.message}"
        for error in validator(version).iter_errors(ocsf.document(alert))
    ]
    assert problems == []


def test_the_validator_refuses_what_is_wrong() -> None:
    good = ocsf.document(MATCH)
    wrong: list[dict[str, Any]] = [{"time": "now"}, {"severity_id": 7}, {"finding_info": {}}, {"made_up": 1}]
    for bad in (*wrong, {"cloud": {}}):
        assert list(validator(ocsf.VERSION).iter_errors({**good, **bad}))


@given(alerts)
def test_ocsf_is_valid_whatever_a_record_holds(alert: Alert) -> None:
    document = json.loads(ocsf.encode(alert))
    assert [error.message for error in validator(ocsf.VERSION).iter_errors(document)] == []
    assert document["type_uid"] == document["class_uid"] * 100 + document["activity_id"]
    assert document["metadata"]["uid"] == alert.id


def test_an_alarm_that_is_over_closes_its_finding() -> None:
    assert ocsf.document(OVER)["activity_id"] == 3
    assert ocsf.document(OVER)["finding_info"]["uid"] == ocsf.document(ALARM)["finding_info"]["uid"]
    assert ocsf.document(MATCH)["finding_info"]["uid"] == MATCH.id
    assert asff.document(OVER)["RecordState"] == "ARCHIVED"
    assert asff.document(ALARM)["RecordState"] == "ACTIVE"


def test_a_confirmation_updates_what_the_provisional_alert_made() -> None:
    early, final = ocsf.document(PROVISIONAL), ocsf.document(CONFIRMATION)
    assert (early["activity_name"], final["activity_name"]) == ("Create", "Update")
    assert early["finding_info"]["uid"] == final["finding_info"]["uid"]
    early, final = asff.document(PROVISIONAL), asff.document(CONFIRMATION)
    assert early["Id"] == final["Id"]
    assert datetime.fromisoformat(early["UpdatedAt"]) < datetime.fromisoformat(final["UpdatedAt"])


@functools.cache
def finding_shape() -> Any:
    """What BatchImportFindings takes, as botocore models it."""
    model = botocore.session.get_session().get_service_model("securityhub")
    return model.operation_model("BatchImportFindings").input_shape


def check_finding(finding: dict[str, Any]) -> None:
    """By botocore's validator, which knows types and required fields, then by what only AWS's page says."""
    report = botocore.validate.ParamValidator().validate({"Findings": [finding]}, finding_shape())
    assert not report.has_errors(), report.generate_report()
    known = finding_shape().members["Findings"].member
    check_known(finding, known)
    assert finding["SchemaVersion"] == "2018-10-08"
    longest = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "ProductArn": 2048}
    for name, limit in longest.items():
        assert 0 < len(finding[name]) <= limit
    assert re.fullmatch(r"\d{12}", finding["AwsAccountId"])
    for name in ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt"):
        assert datetime.fromisoformat(finding[name]).tzinfo
    # On an update these would undo what the customer has set; and these are the customer's own.
    assert not finding.keys() & {"Severity", "Types", "Confidence", "Criticality"}
    assert not finding.keys() & {"Note", "Workflow", "UserDefinedFields", "VerificationState"}
    assert 0 < len(finding["Resources"]) <= 32
    assert all(0 < len(resource["Id"]) <= 512 for resource in finding["Resources"])
    assert len(finding["ProductFields"]) <= 50
    assert all(len(name) <= 128 and len(text) <= 2048 for name, text in finding["ProductFields"].items())
    assert len(json.dumps(finding).encode()) <= 240_000


def check_known(value: Any, shape: Any) -> None:
    """botocore leaves unknown members unmentioned: none may be there, however deep; nor an empty text."""
    if shape.type_name == "structure":
        assert not value.keys() - shape.members.keys()
        for name, inner in value.items():
            check_known(inner, shape.members[name])
    elif shape.type_name == "list":
        for inner in value:
            check_known(inner, shape.member)
    elif shape.type_name == "string":
        assert value.strip()
        allowed = getattr(shape, "enum", None)
        assert not allowed or value in allowed


@every_kind
def test_asff_is_valid(alert: Alert) -> None:
    check_finding(asff.document(alert))


def test_the_types_of_targets_are_those_of_the_finding_format() -> None:
    details = finding_shape().members["Findings"].member.members["Resources"].member.members["Details"]
    kinds = {"user", "role", "bucket", "instance", "KMS key", "DB instance", *resource_types._TYPES}
    assert {resource_types.finding(kind) for kind in kinds} <= {*details.members, "AwsAccount", "Other"}


def test_what_was_touched_is_a_resource() -> None:
    touched = replace(TOUCHED, targets=(*TOUCHED.targets, Target("account", "999988887777")))
    assert [(each["Type"], each["Id"]) for each in asff.document(touched)["Resources"]] == [
        ("AwsAccount", "AWS::::Account:111122223333"),
        ("AwsIamUser", "arn:aws:iam::111122223333:user/mia"),
        ("AwsIamUser", "bob"),
        ("AwsIamPolicy", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("AwsEc2Instance", "i-0123456789abcdef0"),
        ("AwsAccount", "AWS::::Account:999988887777"),
    ]
    assert [(each["type"], each.get("name")) for each in ocsf.document(touched)["resources"]] == [
        ("AWS::Account", None),
        ("AWS::IAM::User", "bob"),
        ("AWS::IAM::Policy", "AdministratorAccess"),
        ("AWS::EC2::Instance", "i-0123456789abcdef0"),
        ("AWS::Account", "999988887777"),
    ]
    assert ecs.document(touched)["user"]["target"] == {"name": "bob"}


@given(alerts)
def test_asff_is_valid_whatever_a_record_holds(alert: Alert) -> None:
    check_finding(json.loads(asff.encode(alert)))


def test_asff_of_another_account_and_partition() -> None:
    finding = asff.document(MATCH, "999988887777", "cn-north-1")
    check_finding(finding)
    assert (
        finding["ProductArn"] == "arn:aws-cn:securityhub:cn-north-1:999988887777:product/999988887777/default"
    )


@given(alerts)
def test_ecs_has_the_types_that_a_mapping_insists_on(alert: Alert) -> None:
    document = json.loads(ecs.encode(alert))
    assert datetime.fromisoformat(document["@timestamp"]).tzinfo
    for ip in (document.get("source", {}).get("ip"), *document.get("related", {}).get("ip", [])):
        if ip is not None:
            ipaddress.ip_address(ip)
    assert document["event"]["id"] == alert.id
    assert document["event"]["kind"] == "alert"
    # No key comes from a record: a mapping has as many fields as this has, and no more.
    assert document.keys() <= {
        *("@timestamp", "ecs", "message", "event", "rule", "cloud", "user", "source", "user_agent", "error"),
        *("related", "threat", "tags", "trailsieve"),
    }
