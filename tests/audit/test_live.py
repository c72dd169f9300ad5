"""The audit of an account in moto, asked over HTTP: right, broken at each link, and without permissions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from tests.audit.account import ACCOUNT, GROUP, GROUP_ARN, RULES, TOPIC, TRAIL, Account
from tests.audit.conftest import post
from tests.cli.console import Result, trailsieve
from trailsieve.audit import collect
from trailsieve.wire.aws import AwsConfig, session

Break = Callable[[Account], Any]


def audit(account: Account, *arguments: str | Path) -> Result:
    return trailsieve("audit", "aws", "--endpoint-url", account.moto.url, *arguments)


def findings(result: Result) -> dict[str, Any]:
    """The findings by control."""
    return {found["control"]: found for found in json.loads(result.out)["results"]}


def test_a_right_account_passes_all_controls(account: Account) -> None:
    result = audit(account)
    assert result.code == 0, result.out.decode()
    assert result.lines[-1] == "15 pass · 0 fail · 0 cannot tell"


def _trail(**change: Any) -> Break:
    return lambda account: account.client("cloudtrail").update_trail(Name=TRAIL, **change)


def _stopped(account: Account) -> None:
    account.client("cloudtrail").stop_logging(Name=TRAIL)


def _no_trail(account: Account) -> None:
    account.client("cloudtrail").delete_trail(Name=TRAIL)


def _selectors(*selectors: dict[str, Any], advanced: bool = False) -> Break:
    key = "AdvancedEventSelectors" if advanced else "EventSelectors"
    return lambda account: account.client("cloudtrail").put_event_selectors(
        TrailName=TRAIL, **{key: list(selectors)}
    )


def _fields(*fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "Name": "management",
        "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, *fields],
    }


def _no_filter(account: Account) -> None:
    account.client("logs").delete_metric_filter(logGroupName=GROUP, filterName="cis-aws-4.1")


def _other_group(account: Account) -> None:
    _no_filter(account)
    account.client("logs").create_log_group(logGroupName="other")
    account.filter("cis-aws-4.1", RULES[0].pattern.text, "other")


def _pattern(text: str) -> Break:
    def change(account: Account) -> None:
        _no_filter(account)
        account.filter("cis-aws-4.1", text)

    return change


def _alarm(**change: Any) -> Break:
    return lambda account: account.alarm("cis-aws-4.1", **change)


def _no_alarm(account: Account) -> None:
    account.client("cloudwatch").delete_alarms(AlarmNames=["cis-aws-4.1"])


def _unsubscribed(account: Account) -> None:
    sns = account.client("sns")
    for one in sns.list_subscriptions_by_topic(TopicArn=TOPIC)["Subscriptions"]:
        sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def _no_topic(account: Account) -> None:
    account.client("sns").delete_topic(TopicArn=TOPIC)


READ_ONLY = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
WRITE_ONLY = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}
NO_MANAGEMENT = {"ReadWriteType": "All", "IncludeManagementEvents": False}
NO_KMS = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "ExcludeManagementEventSources": ["kms.amazonaws.com"],
}

BROKEN: dict[str, tuple[Break, str, str]] = {
    "no trail": (_no_trail, "trail", "there is no trail"),
    "one region": (_trail(IsMultiRegionTrail=False), "trail", "us-east-1 only"),
    "stopped": (_stopped, "logging", "is not logging"),
    "read-only selectors": (_selectors(READ_ONLY), "selectors", "no write management events"),
    "write-only selectors": (_selectors(WRITE_ONLY), "selectors", "no read management events"),
    "data events only": (_selectors(NO_MANAGEMENT), "selectors", "no management events"),
    "no events of KMS": (_selectors(NO_KMS), "selectors", "kms.amazonaws.com"),
    "advanced, writing only": (
        _selectors(_fields({"Field": "readOnly", "Equals": ["false"]}), advanced=True),
        "selectors",
        "no read management events",
    ),
    "advanced, one service": (
        _selectors(_fields({"Field": "eventSource", "Equals": ["iam.amazonaws.com"]}), advanced=True),
        "selectors",
        "narrowed by",
    ),
    "no filter": (_no_filter, "metric filter", "(1 checked)"),
    "other log group": (_other_group, "metric filter", "is on other, but the trail delivers to"),
    "&& for ||": (
        _pattern('{ ($.errorCode = "*UnauthorizedOperation") && ($.errorCode = "AccessDenied*") }'),
        "pattern",
        "misses events",
    ),
    "no alarm": (_no_alarm, "alarm", "no alarm watches CIS/cis-aws-4.1"),
    "another namespace": (_alarm(Namespace="Other"), "alarm", "in namespace Other"),
    "another metric": (_alarm(MetricName="other"), "alarm", "no alarm watches CIS/cis-aws-4.1"),
    "another dimension": (_alarm(Dimensions=[{"Name": "a", "Value": "b"}]), "alarm", "with dimension a, but"),
    "another unit": (_alarm(Unit="Count"), "alarm", "in Count"),
    "fires on few": (_alarm(ComparisonOperator="LessThanThreshold"), "threshold", "few matches"),
    "beyond the maximum": (_alarm(Statistic="Maximum", Threshold=2), "threshold", "never exceeds"),
    "a billion": (_alarm(Threshold=1e9), "threshold", "1,000,000,000 matches"),
    "always in alarm": (_alarm(TreatMissingData="breaching"), "threshold", "before any match"),
    "actions disabled": (_alarm(ActionsEnabled=False), "actions", "are disabled"),
    "no action": (_alarm(AlarmActions=[]), "actions", "notifies nobody"),
    "no topic": (_no_topic, "subscription", "does not exist"),
    "nobody subscribed": (_unsubscribed, "subscription", "nobody is subscribed"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_the_first_broken_link_is_named(small: Account, case: str) -> None:
    break_it, link, said = BROKEN[case]
    break_it(small)
    found = findings(audit(small, "--controls", "4.1", "--format", "json"))["4.1"]
    assert (found["verdict"], found["broken_link"]) == ("fail", link)
    assert said in found["reason"]
    assert found["remediation"].startswith("aws ")


def test_only_the_control_that_is_broken_fails(account: Account) -> None:
    account.alarm("cis-aws-4.1", ActionsEnabled=False)
    result = audit(account, "--format", "json")
    assert result.code == 1
    assert [name for name, found in findings(result).items() if found["verdict"] != "pass"] == ["4.1"]


RIGHT: dict[str, Break] = {
    "advanced selectors": _selectors(_fields(), advanced=True),
    "two advanced selectors": _selectors(
        _fields({"Field": "readOnly", "Equals": ["true"]}),
        _fields({"Field": "readOnly", "Equals": ["false"]}),
        advanced=True,
    ),
    "two classic selectors": _selectors(READ_ONLY, WRITE_ONLY),
    "the text of v1.2": _pattern(
        '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }'
    ),
    "three in two periods": _alarm(Threshold=3, EvaluationPeriods=2, DatapointsToAlarm=1),
    "maximum": _alarm(Statistic="Maximum"),
    "above zero": _alarm(ComparisonOperator="GreaterThanThreshold", Threshold=0),
}


@pytest.mark.parametrize("case", RIGHT)
def test_other_ways_to_be_right_pass(small: Account, case: str) -> None:
    RIGHT[case](small)
    result = audit(small, "--controls", "4.1")
    assert result.code == 0, result.out.decode()


# --- permissions ---

LINK_OF = {
    "cloudtrail:DescribeTrails": "trail",
    "cloudtrail:GetTrailStatus": "logging",
    "cloudtrail:GetEventSelectors": "selectors",
    "logs:DescribeMetricFilters": "metric filter",
    "cloudwatch:DescribeAlarms": "alarm",
    "sns:ListSubscriptionsByTopic": "subscription",
}
ACTIONS: list[str] = json.loads(trailsieve("audit", "policy").out)["Statement"][0]["Action"]
_MOTO = {"cloudwatch:DescribeAlarms": "monitoring:DescribeAlarms"}  # what moto calls it


def _as_auditor(account: Account, actions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on permissions are checked, and we are a user with these only."""
    iam = account.client("iam")
    iam.create_user(UserName="auditor")
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": [_MOTO.get(action, action) for action in actions], "Resource": "*"}
        ],
    }
    iam.put_user_policy(UserName="auditor", PolicyName="audit", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="auditor")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    post(account.moto, "reset-auth", "0")


def test_the_policy_names_just_what_is_called(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    called: set[str] = set()
    original = BaseClient._make_api_call

    def record(client: Any, operation: str, parameters: Any) -> Any:
        service = {"monitoring": "cloudwatch"}.get(
            client.meta.service_model.signing_name, client.meta.service_model.signing_name
        )
        called.add(f"{service}:{operation}")
        return original(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", record)
    assert audit(account).code == 0
    # Who one is may be asked without a permission.
    assert called == {*ACTIONS, "sts:GetCallerIdentity"}


def test_the_policy_is_enough(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_auditor(account, ACTIONS, monkeypatch)
    result = audit(account)
    assert result.code == 0, result.out.decode() + result.err


@pytest.mark.parametrize("denied", ACTIONS)
def test_a_permission_that_is_denied_is_named(
    account: Account, monkeypatch: pytest.MonkeyPatch, denied: str
) -> None:
    _as_auditor(account, [action for action in ACTIONS if action != denied], monkeypatch)
    result = audit(account, "--format", "json")
    assert result.code == 1
    for found in findings(result).values():
        assert (found["verdict"], found["broken_link"]) == ("cannot tell", LINK_OF[denied])
        assert f"needs {denied}" in found["reason"]
        assert json.loads(found["remediation"])["Action"] == denied


def test_a_denial_hides_no_other_fault(small: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    small.alarm("cis-aws-4.1", ActionsEnabled=False)
    _as_auditor(small, [one for one in ACTIONS if one != "cloudtrail:GetTrailStatus"], monkeypatch)
    found = findings(audit(small, "--controls", "4.1", "--format", "json"))["4.1"]
    assert (found["verdict"], found["broken_link"]) == ("fail", "actions")


def test_wrong_credentials_end_the_audit(small: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_auditor(small, ACTIONS, monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIANOBODYNOBODY")
    result = audit(small)
    assert (result.code, result.out) == (3, b"")
    assert "cannot be asked" in result.err


def test_without_a_region_it_says_so(small: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    result = audit(small)
    assert result.code == 3
    assert "--region" in result.err


# --- several accounts, saved answers ---


def test_saved_answers_are_judged_alike(account: Account, tmp_path: Path) -> None:
    account.alarm("cis-aws-4.3", ActionsEnabled=False)
    live = audit(account, "--save", tmp_path / "answers")
    again = trailsieve("audit", "aws", "--from", tmp_path / "answers")
    assert (again.code, again.out) == (live.code, live.out)
    assert (tmp_path / "answers" / ACCOUNT / "us-east-1" / "describe-trails.json").is_file()


def test_each_account_of_a_file_is_judged(small: Account, tmp_path: Path) -> None:
    listed = tmp_path / "accounts.txt"
    listed.write_text(f"{ACCOUNT}   # the first\n\n210987654321\n")
    result = audit(
        small,
        "--accounts",
        listed,
        "--role-arn",
        "arn:aws:iam::{account}:role/audit",
        "--controls",
        "4.1",
        "--format",
        "json",
    )
    found = json.loads(result.out)["results"]
    assert [(one["account"], one["verdict"], one["broken_link"]) for one in found] == [
        (ACCOUNT, "pass", None),
        ("210987654321", "fail", "trail"),
    ]


def test_an_account_that_refuses_the_role_keeps_no_other_from_being_judged(
    small: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refusing(config: AwsConfig) -> Any:
        if config.role_arn == "arn:aws:iam::210987654321:role/audit":
            answer: Any = {"Error": {"Code": "AccessDenied", "Message": "no trust"}}
            raise ClientError(answer, "AssumeRole")
        return session(config)

    monkeypatch.setattr(collect, "session", refusing)
    listed = tmp_path / "accounts.txt"
    listed.write_text(f"arn:aws:iam::210987654321:role/audit\narn:aws:iam::{ACCOUNT}:role/audit\n")
    result = audit(small, "--accounts", listed, "--controls", "4.1", "--format", "json")
    assert result.code == 1
    refused, judged = json.loads(result.out)["results"]
    assert (refused["account"], refused["verdict"]) == ("210987654321", "cannot tell")
    assert "no trust" in refused["reason"]
    assert (judged["account"], judged["verdict"]) == (ACCOUNT, "pass")


def test_pages_are_read_to_the_end(account: Account) -> None:
    for number in range(120):
        account.alarm(f"another-{number}", MetricName=f"another-{number}")
    account.filter("cis-aws-4.1", RULES[0].pattern.text)
    result = audit(account)
    assert result.code == 0, result.out.decode()
    assert GROUP_ARN.endswith(f":{GROUP}:*")
