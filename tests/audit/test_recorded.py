"""Links that moto cannot break: answers as the AWS CLI prints them, of made-up accounts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.audit.account import ACCOUNT, GROUP, NAMESPACE, REGION, TOPIC, TRAIL_ARN, Change, Recorded
from tests.cli.console import trailsieve
from trailsieve import jsontext
from trailsieve.audit.model import ControlResult
from trailsieve.audit.run import audit, chosen
from trailsieve.cloudwatch.snapshot import ApiCall, ApiResponse, Snapshot, load


def judged(account: Recorded, control: str = "4.1") -> ControlResult:
    [found] = audit(account.snapshot(), chosen([control]))
    return found


def outcome(found: ControlResult) -> tuple[str, str]:
    return found.verdict, found.chain.broken.name if found.chain.broken else ""


def _status(**more: Any) -> Change:
    return lambda account: account.status.update(more)


def _filter(**more: Any) -> Change:
    return lambda account: account.filter_of("4.1").update(more)


def _metric(**more: Any) -> Change:
    return lambda account: account.filter_of("4.1")["metricTransformations"][0].update(more)


def _alarm(**more: Any) -> Change:
    return lambda account: account.alarm_of("4.1").update(more)


def _subscription(arn: str) -> Change:
    return lambda account: account.subscriptions[0].update(SubscriptionArn=arn)


def _expression(account: Recorded) -> None:
    alarm = account.alarm_of("4.1")
    metric = {"Namespace": alarm.pop("Namespace"), "MetricName": alarm.pop("MetricName")}
    query = {"Id": "m1", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Sum"}, "ReturnData": False}
    alarm["Metrics"] = [query, {"Id": "e1", "Expression": "m1 * 2", "ReturnData": True}]


def _no_group(account: Recorded) -> None:
    del account.trail["CloudWatchLogsLogGroupArn"]


def _other_account(account: Recorded) -> None:
    account.trail["CloudWatchLogsLogGroupArn"] = f"arn:aws:logs:{REGION}:210987654321:log-group:{GROUP}:*"


CASES: dict[str, tuple[Change, str, str]] = {
    "bucket refuses": (_status(LatestDeliveryError="AccessDenied"), "fail", "logging"),
    "no log group": (_no_group, "fail", "log group"),
    "log group refuses": (_status(LatestCloudWatchLogsDeliveryError="AccessDenied"), "fail", "log group"),
    "log group lags": (
        _status(LatestCloudWatchLogsDeliveryTime="2026-03-01T00:00:00+00:00"),
        "fail",
        "log group",
    ),
    "log group of another account": (_other_account, "unknown", "metric filter"),
    "narrowed by fields": (
        _filter(fieldSelectionCriteria='@aws.region = "us-east-1"'),
        "unknown",
        "metric filter",
    ),
    "transformed logs": (_filter(applyOnTransformedLogs=True), "unknown", "metric filter"),
    "no metric": (_filter(metricTransformations=[]), "fail", "metric filter"),
    "unreadable pattern": (_filter(filterPattern="{ $.a ~ 1 }"), "unknown", "pattern"),
    "counts by dimension": (_metric(dimensions={"user": "$.userIdentity.arn"}), "fail", "alarm"),
    "counts by system fields": (_filter(emitSystemFieldDimensions=["@aws.account"]), "fail", "alarm"),
    "watches one value": (
        lambda account: (
            _metric(dimensions={"user": "$.userIdentity.arn"})(account),
            _alarm(Dimensions=[{"Name": "user", "Value": "mia"}])(account),
        )[0],
        "unknown",
        "alarm",
    ),
    "an expression": (_expression, "unknown", "alarm"),
    "counts nothing": (_metric(metricValue="0"), "fail", "threshold"),
    "counts a field": (_metric(metricValue="$.size"), "unknown", "threshold"),
    "the default is enough": (_metric(defaultValue=1.0), "fail", "threshold"),
    "the default adds up": (_metric(defaultValue=0.5), "fail", "threshold"),
    "average with default": (
        lambda account: (_metric(defaultValue=0.0)(account), _alarm(Statistic="Average")(account))[0],
        "fail",
        "threshold",
    ),
    "a percentile": (_alarm(Statistic=None, ExtendedStatistic="p90"), "unknown", "threshold"),
    "only OK is told": (_alarm(AlarmActions=[], OKActions=[TOPIC]), "fail", "actions"),
    "a function": (
        _alarm(AlarmActions=[f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:page"]),
        "unknown",
        "actions",
    ),
    "pending": (_subscription("PendingConfirmation"), "fail", "subscription"),
    "deleted": (_subscription("Deleted"), "fail", "subscription"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_link_that_does_not_hold_is_named(case: str) -> None:
    change, verdict, link = CASES[case]
    account = Recorded()
    change(account)
    assert outcome(judged(account)) == (verdict, link)


RIGHT: dict[str, Change] = {
    "as it is": lambda account: None,
    "organization trail": lambda account: account.trail.update(IsOrganizationTrail=True),
    "default of zero": _metric(defaultValue=0.0),
    "one metric as a query": _alarm(
        Namespace=None,
        MetricName=None,
        Metrics=[
            {
                "Id": "m1",
                "MetricStat": {
                    "Metric": {"Namespace": NAMESPACE, "MetricName": "cis-aws-4.1"},
                    "Period": 300,
                    "Stat": "Sum",
                },
            }
        ],
    ),
    "one of two subscriptions": lambda account: account.subscriptions.insert(
        0, {**account.subscriptions[0], "SubscriptionArn": "PendingConfirmation"}
    ),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_account_passes(case: str) -> None:
    account = Recorded()
    RIGHT[case](account)
    assert outcome(judged(account)) == ("pass", "")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('ALARM("cis-aws-4.1")', ("pass", "")),
        ('ALARM("other") OR ALARM("cis-aws-4.1")', ("pass", "")),
        (f"ALARM(arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:cis-aws-4.1)", ("pass", "")),
        ('ALARM("cis-aws-4.1") AND ALARM("other")', ("unknown", "actions")),
        ('ALARM("cis-aws-4.10")', ("fail", "actions")),
    ],
)
def test_a_composite_alarm_may_act_in_place_of_its_alarm(rule: str, expected: tuple[str, str]) -> None:
    account = Recorded()
    account.alarm_of("4.1")["AlarmActions"] = []
    account.composites = [
        {"AlarmName": "any", "AlarmRule": rule, "ActionsEnabled": True, "AlarmActions": [TOPIC]}
    ]
    assert outcome(judged(account)) == expected


def test_events_that_a_trail_leaves_out_only_matter_to_controls_that_ask_for_them() -> None:
    account = Recorded()
    account.selectors["EventSelectors"][0]["ExcludeManagementEventSources"] = ["kms.amazonaws.com"]
    found = audit(account.snapshot(), chosen([]))
    assert {one.control for one in found if one.verdict == "fail"} == {"4.1", "4.3", "4.7"}


def test_the_corrected_selectors_keep_data_events() -> None:
    account = Recorded()
    data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
    account.selectors["EventSelectors"] = [
        {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True, "DataResources": [data]}
    ]
    broken = judged(account).chain.broken
    assert broken is not None
    assert jsontext.encode(data) in broken.remediation


def test_a_member_account_is_judged_by_the_group_of_its_organization() -> None:
    """The organization's trail is seen by the member; its log group is the management account's."""
    management, member = Recorded(), "210987654321"
    management.trail["IsOrganizationTrail"] = True
    snapshot = management.snapshot()
    for call, subject, content in (
        ("describe-trails", "", {"trailList": [management.trail]}),
        ("get-trail-status", "management", management.status),
        ("get-event-selectors", "management", management.selectors),
    ):
        snapshot.responses[ApiCall(member, REGION, call, subject)] = ApiResponse(content)
    snapshot.accounts.append(member)
    found = audit(snapshot, chosen(["4.1"]))
    assert [(one.account, one.verdict) for one in found] == [(ACCOUNT, "pass"), (member, "pass")]


# --- folders of answers ---


def _flat(account: Recorded, folder: Path) -> Path:
    """What somebody saves who runs the AWS CLI by hand."""
    for (call, _), content in account.contents().items():
        (folder / f"{call}.json").write_text(json.dumps(content))
    return folder


def test_answers_saved_by_hand_need_no_folders(tmp_path: Path) -> None:
    result = trailsieve("audit", "aws", "--from", _flat(Recorded(), tmp_path))
    assert result.code == 0, result.out.decode()
    assert result.lines[0] == f"account {ACCOUNT}"


def test_an_answer_that_is_not_there_is_named(tmp_path: Path) -> None:
    (_flat(Recorded(), tmp_path) / "describe-alarms.json").unlink()
    result = trailsieve("audit", "aws", "--from", tmp_path, "--controls", "4.1")
    assert result.code == 1
    assert "? alarm: describe-alarms.json is missing" in result.out.decode()


def test_trails_that_were_not_saved_are_not_taken_for_none(tmp_path: Path) -> None:
    (_flat(Recorded(), tmp_path) / "describe-trails.json").unlink()
    result = trailsieve("audit", "aws", "--from", tmp_path, "--controls", "4.1")
    assert "? trail: describe-trails.json is missing" in result.out.decode()


def test_a_snapshot_is_the_same_after_it_was_saved(tmp_path: Path) -> None:
    snapshot = Recorded().snapshot()
    denied = ApiCall(ACCOUNT, REGION, "list-subscriptions-by-topic", "odd/na me")
    snapshot.responses[denied] = ApiResponse(error="AuthorizationError", message="no")
    snapshot.save(tmp_path)
    again = load(tmp_path)
    assert again.responses == snapshot.responses
    assert again.accounts == snapshot.accounts


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "not a JSON object"),
        ("{", "cannot be read as JSON"),
        ('{"trailList": [{"TrailARN": 1, "IsMultiRegionTrail": true, "Name": []}], "x": 1}', ""),
        ('{"trailList": "none"}', ""),
    ],
)
def test_odd_answers_never_crash(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "describe-trails.json").write_text(content)
    result = trailsieve("audit", "aws", "--from", tmp_path)
    assert result.code == (2 if said else 1)
    assert said in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--controls", "4.16"], "4.16: no such control"),
        (["--profile", "x"], "does not call AWS"),
        (["--format", "xml"], "xml"),
    ],
)
def test_wrong_use_is_said(tmp_path: Path, arguments: list[str], said: str) -> None:
    result = trailsieve("audit", "aws", "--from", _flat(Recorded(), tmp_path), *arguments)
    assert result.code == 2
    assert said in result.err


def test_an_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    result = trailsieve("audit", "aws", "--from", tmp_path)
    assert result.code == 2
    assert "aws cloudtrail describe-trails" in result.err


def test_two_trails_one_right() -> None:
    account = Recorded()
    snapshot: Snapshot = account.snapshot()
    call = ApiCall(ACCOUNT, REGION, "describe-trails")
    other = {**account.trail, "Name": "other", "TrailARN": f"{TRAIL_ARN}2", "IsMultiRegionTrail": False}
    snapshot.responses[call].content["trailList"].insert(0, other)
    [found] = audit(snapshot, chosen(["4.1"]))
    assert found.verdict == "pass"


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("123456789012", [], "account ids need --role-arn"),
        ("12345", ["--role-arn", "arn:aws:iam::{account}:role/audit"], "neither an account id"),
        ("# nobody", [], "it has no accounts"),
        (None, [], "cannot be read"),
    ],
)
def test_a_wrong_file_of_accounts_is_said(
    tmp_path: Path, text: str | None, arguments: list[str], said: str
) -> None:
    path = tmp_path / "accounts.txt"
    if text is not None:
        path.write_text(text)
    result = trailsieve("audit", "aws", "--accounts", path, *arguments)
    assert result.code == 2
    assert said in result.err
