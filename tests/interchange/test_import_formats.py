"""Metric filters and alarms of every format become rules with the same settings, and losses are listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.account import Account, alarm, transformation
from tests.cli.console import trailsieve
from trailsieve.errors import UsageError
from trailsieve.interchange.importers import cloudformation, cloudwatch, terraform
from trailsieve.interchange.importers.metric_filters import rule_drafts
from trailsieve.interchange.importers.model import ImportResult, Item
from trailsieve.interchange.importers.rule_file import rule_file
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule

MODULES = Path(__file__).parent / "modules"
Json = dict[str, Any]
PATTERN = '{ $.eventName = "StopLogging" }'


def rules_of(result: ImportResult, folder: Path) -> list[Rule]:
    """The rules of a rule file, as the loader reads it."""
    file = folder / "imported.toml"
    file.write_text(rule_file(rule_drafts(result), result.unsupported, "here"), "utf-8")
    return list(load_pack(file).rules)


def found(*filters: Json, alarms: tuple[Json, ...] = ()) -> ImportResult:
    return ImportResult([Item("here", item) for item in filters], [Item("here", item) for item in alarms])


def metric_filter(name: str = "f", pattern: str | None = PATTERN, **more: Any) -> Json:
    """A metric filter with the field names of AWS's API."""
    made = {"filterName": name, "filterPattern": pattern, "logGroupName": "trail"}
    return {**made, "metricTransformations": [transformation(name)], **more}


def settings(rule: Rule) -> tuple[Any, ...]:
    assert rule.alarm
    a = rule.alarm
    return (
        a.threshold,
        a.period,
        a.statistic,
        a.comparison,
        a.evaluation_periods,
        a.datapoints_to_alarm,
        a.missing,
    )


def test_terraform_files(tmp_path: Path) -> None:
    denied, console, routes = rules_of(terraform.read(MODULES / "benchmark.tf"), tmp_path)
    assert settings(denied) == (1, 300, "Sum", ">=", 1, 1, "notBreaching")
    assert denied.pattern.text.startswith('{(($.errorCode="*UnauthorizedOperation")')
    assert settings(console) == (0.5, 60, "Maximum", ">", 3, 2, "missing")
    assert console.alarm
    assert console.alarm.notify == ("ALARM", "OK")
    assert console.metric.default == 0
    assert settings(routes) == (2, 3600, "SampleCount", ">=", 1, 1, "ignore")
    assert not routes.enabled


def test_cloudformation(tmp_path: Path) -> None:
    root, policies = rules_of(cloudformation.read(MODULES / "benchmark.yaml"), tmp_path)
    assert settings(root) == (1, 300, "Sum", ">=", 1, 1, "notBreaching")
    assert settings(policies) == (2.5, 60, "Average", "<", 5, 3, "breaching")
    assert [(name, place.text) for name, place in policies.metric.dimensions] == [("Region", "$.awsRegion")]
    assert policies.alarm
    assert policies.alarm.notify == ("INSUFFICIENT_DATA",)


def test_cloudformation_with_other_parameters(tmp_path: Path) -> None:
    root, _ = rules_of(cloudformation.read(MODULES / "benchmark.yaml", {"Strict": "false"}), tmp_path)
    assert settings(root)[:2] == (5, 900)


def test_terraform_variables_that_are_given(tmp_path: Path) -> None:
    denied = rules_of(terraform.read(MODULES / "benchmark.tf", {"unauthorized_threshold": "7"}), tmp_path)[0]
    assert settings(denied)[0] == 7


def test_a_terraform_plan(tmp_path: Path) -> None:
    imported = rules_of(terraform.read(MODULES / "plan.json"), tmp_path)
    assert [settings(rule) for rule in imported] == [
        (1, 300, "Sum", ">=", 1, 1, "notBreaching"),
        (3, 300, "Sum", ">=", 4, 2, "missing"),
        (1, 86400, "Minimum", "<=", 1, 1, "breaching"),
    ]
    assert "notified on ALARM: ${aws_sns_topic.alarms.arn}" in (tmp_path / "imported.toml").read_text("utf-8")


def test_a_live_account(account: Account) -> None:
    result = trailsieve("import", "aws", "--endpoint-url", account.moto.url)
    assert result.code == 0, result.err
    assert result.out.count(b"[[rule]]") == 15
    assert b"notified on ALARM: arn:aws:sns:us-east-1:123456789012:security" in result.out


def test_answers_that_the_aws_cli_printed(tmp_path: Path) -> None:
    filters, alarms = tmp_path / "describe-metric-filters.json", tmp_path / "describe-alarms.json"
    filters.write_text(json.dumps({"metricFilters": [metric_filter()]}))
    alarms.write_text(json.dumps({"MetricAlarms": [alarm("f", Period=60)], "CompositeAlarms": []}))
    result = trailsieve("import", "json", filters, alarms)
    assert result.code == 0
    assert b"pattern = '{ $.eventName = \"StopLogging\" }'" in result.out
    assert b'alarm = { threshold = 1, period = "1m", missing = "notBreaching" }' in result.out


@pytest.mark.parametrize(
    ("filters", "alarms", "line"),
    [
        (["f"], ["f"], "1 rule imported, 0 things not carried over"),
        (["f"], [], "1 rule imported, 1 thing not carried over"),
        (["f", "g", "h"], ["f"], "3 rules imported, 2 things not carried over"),
    ],
)
def test_the_summary_counts_rules_and_losses(
    filters: list[str], alarms: list[str], line: str, tmp_path: Path
) -> None:
    file = tmp_path / "describe.json"
    content = {"metricFilters": list(map(metric_filter, filters)), "MetricAlarms": list(map(alarm, alarms))}
    file.write_text(json.dumps(content))
    assert trailsieve("import", "json", file).err.splitlines()[-1] == f"trailsieve: {line}"


MATH = {
    "Metrics": [
        {"Id": "a", "Expression": "b+c"},
        {"Id": "b", "MetricStat": {"Metric": {"Namespace": "CIS", "MetricName": "f"}}},
    ]
}
LOSSES: dict[str, tuple[ImportResult, str]] = {
    "no alarm": (found(metric_filter()), "no alarm watches the metric"),
    "two filters": (
        found(metric_filter(), metric_filter("g", metricTransformations=[transformation("f")]), alarms=(alarm("f"),)),
        "f, g add to one metric",
    ),
    "alarm alone": (found(metric_filter(), alarms=(alarm("x"),)), "alarm x watches CIS/x, to which no imported metric filter"),
    "service alarm": (
        found(metric_filter(), alarms=(alarm("x", Namespace="AWS/EC2"),)),
        "do not come from log events: 1 on AWS/EC2",
    ),
    "transformed": (found(metric_filter(applyOnTransformedLogs=True)), "read transformed events"),
    "selection": (found(metric_filter(fieldSelectionCriteria="@aws.region = a")), "fieldSelectionCriteria = @aws"),
    "what is new": (found(metric_filter(inventedTomorrow=7)), "inventedTomorrow = 7 is not carried over"),
    "new in alarms": (found(metric_filter(), alarms=(alarm("f", Invented="x"),)), "Invented = x of the alarm"),
    "lambda": (
        found(metric_filter(), alarms=(alarm("f", AlarmActions=["arn:aws:lambda:us-east-1:1:function:x"]),)),
        "the action arn:aws:lambda",
    ),
    "no actions": (found(metric_filter(), alarms=(alarm("f", AlarmActions=[]),)), "has no actions"),
    "unit": (found(metric_filter(), alarms=(alarm("f", Unit="Bytes"),)), "in Bytes, but"),
    "one value": (
        found(
            metric_filter(metricTransformations=[transformation("f", dimensions={"A": "$.a"})]),
            alarms=(alarm("f", Dimensions=[{"Name": "A", "Value": "1"}]),),
        ),
        "watches A = 1 only",
    ),
    "other dimensions": (
        found(metric_filter(metricTransformations=[transformation("f", dimensions={"A": "$.a"})]), alarms=(alarm("f"),)),
        "the alarm watches no dimension, but the filter counts by A",
    ),
    "everything": (found(metric_filter(pattern="")), "matches every event"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES)
def test_what_a_rule_cannot_carry_over_is_listed_above_it(name: str, tmp_path: Path) -> None:
    given, sentence = LOSSES[name]
    assert rules_of(given, tmp_path)
    comments = [
        line for line in (tmp_path / "imported.toml").read_text("utf-8").splitlines() if "# ! " in line
    ]
    assert any(sentence in line for line in comments), comments


BROKEN: dict[str, tuple[ImportResult, str]] = {
    "math": (
        found(metric_filter(), alarms=(alarm("f", MetricName=None, **MATH),)),
        "a metric math expression",
    ),
    "percentile": (
        found(metric_filter(), alarms=(alarm("f", Statistic=None, ExtendedStatistic="p99"),)),
        "rules do not support p99",
    ),
    "anomaly": (
        found(metric_filter(), alarms=(alarm("f", ComparisonOperator="GreaterThanUpperThreshold"),)),
        "rules do not support Sum GreaterThanUpperThreshold",
    ),
    "period": (found(metric_filter(), alarms=(alarm("f", Period=5),)), "10s, 20s, 30s or whole minutes"),
    "range": (
        found(metric_filter(), alarms=(alarm("f", Period=86400, EvaluationPeriods=9),)),
        "at most 7 days",
    ),
    "no pattern": (
        found(metric_filter(pattern="{ $.a == 1 }")),
        "CloudWatch does not accept the pattern: column 7",
    ),
    "treatment": (found(metric_filter(), alarms=(alarm("f", TreatMissingData="x"),)), "TreatMissingData = x"),
    "no number": (
        found(metric_filter(), alarms=(alarm("f", EvaluationPeriods="x"),)),
        "one of its numbers cannot be read",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_that_would_mean_something_else_is_a_comment(name: str, tmp_path: Path) -> None:
    given, sentence = BROKEN[name]
    given.filters.append(Item("here", metric_filter("sound")))
    assert [rule.id for rule in rules_of(given, tmp_path)] == ["sound"]
    text = (tmp_path / "imported.toml").read_text("utf-8")
    assert "# ! not imported: " in text
    assert sentence in text
    assert "# pattern = " in text


def test_patterns_that_are_only_known_later_are_comments(tmp_path: Path) -> None:
    template = tmp_path / "t.json"
    properties = {
        "FilterPattern": {"Fn::Sub": '{ $.account = "${AWS::AccountId}" }'},
        "MetricTransformations": [{"MetricNamespace": "n", "MetricName": "m", "MetricValue": "1"}],
    }
    template.write_text(
        json.dumps({"Resources": {"F": {"Type": "AWS::Logs::MetricFilter", "Properties": properties}}})
    )
    result = trailsieve("import", "cloudformation", template)
    assert result.code == 1
    assert b"# ! not imported: parts of the pattern are known only after deployment" in result.out


def test_names_cannot_break_out_of_their_comment(tmp_path: Path) -> None:
    evil = "x\n[[rule]]\nid = \"evil\"\r\"'''\\"
    given = found(metric_filter(evil, logGroupName=evil), alarms=(alarm(evil, AlarmDescription=evil),))
    given.unsupported.append(evil)
    [rule] = rules_of(given, tmp_path)
    assert rule.id == evil
    assert rule.description == evil.strip()


HCL: dict[str, tuple[str, str]] = {
    "string": (r'"a\"b\\c\u0041${var.x}$${y}%%{z}"', 'a"b\\cAV${y}%{z}'),
    "heredoc": ('<<-E\n    a\n      "$${b}" ${local.y}\n  E\n', 'a\n  "${b}" W\n'),
    "escapes without an end": ('"%%{$${"\n  # "}', "%{${"),
    "escapes around quotes": (r'"$${\"a\"} %%%{b\\\"}"', '${"a"} %%{b\\"}'),
    "heredoc with escapes": ("<<E\n$$${x %%{ ${var.x}$\nE\n", "$${x %{ V$\n"),
    "condition": ('var.x == "V" && !false ? "yes" : "no"', "yes"),
    "functions": ('join("-", concat([upper("a")], [for k, v in { p = 1 } : "${k}${v}" if v > 0]))', "A-p1"),
    "format": ('format("%s-%d", lookup(local.m, "k", "z"), 3)', "kk-3"),
    "merged": ('merge(local.m, { "k" = "new" })["k"]', "new"),
    "splat": ('join(",", [{ n = "a" }, { n = "b" }][*].n)', "a,b"),
    "arithmetic": ('"n${(1 + 2) * 3 - 4 / 2}"', "n7"),
    "only later": (
        "data.aws_caller_identity.current.account_id",
        "${data.aws_caller_identity.current.account_id}",
    ),
    "only later, with an escape": ('"$${${data.a.b.c}"', "${${data.a.b.c}"),
    "no such function": ("cidrsubnet(var.x, 1, 2)", "${cidrsubnet(var.x,1,2)}"),
}


@pytest.mark.parametrize("name", HCL)
def test_expressions_of_hcl(name: str, tmp_path: Path) -> None:
    text, value = HCL[name]
    file = tmp_path / "x.tf"
    file.write_text(
        f'variable "x" {{\n  default = "V"\n}}\nlocals {{\n  y = "W"\n  m = {{ k = "kk" }}\n}}\n'
        f'resource "aws_cloudwatch_log_metric_filter" "f" {{\n  name = {text}\n}}\n'
    )
    [item] = terraform.read(file).filters
    assert item.content["filterName"] == value


FILTER = 'resource "aws_cloudwatch_log_metric_filter" "f"'
UNSUPPORTED: dict[str, tuple[str, list[str], str]] = {
    "module": ('module "m" {\n  source = "./m"\n}\n', [], "module.m: modules are not followed"),
    "count": (f'{FILTER} {{\n  count = data.a.b.c\n  name = "x"\n}}\n', ["x"], "imported once"),
    "for_each": (f'{FILTER} {{\n  for_each = data.a.b.c\n  name = "x"\n}}\n', [], "not imported"),
    "dynamic": (
        f'{FILTER} {{\n  name = "x"\n  dynamic "metric_transformation" {{\n  }}\n}}\n',
        ["x"],
        "the dynamic block metric_transformation",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_what_only_terraform_can_evaluate_is_named(name: str, tmp_path: Path) -> None:
    text, names, reason = UNSUPPORTED[name]
    (tmp_path / "x.tf").write_text(text)
    result = terraform.read(tmp_path)
    assert [item.content["filterName"] for item in result.filters] == names
    assert [reason in sentence for sentence in result.unsupported] == [True]


def test_names_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tf").write_text(
        'locals {\n  a = local.b\n  b = local.a\n}\nresource "aws_cloudwatch_log_metric_filter" "f" {\n  name = local.a\n}\n'
    )
    with pytest.raises(UsageError, match="in a circle"):
        terraform.read(tmp_path)


def test_names_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ['  a0 = "x"'] + [f'  a{n} = "${{local.a{n - 1}}}${{local.a{n - 1}}}"' for n in range(1, 40)]
    body = "\n".join(lines)
    (tmp_path / "x.tf").write_text(
        f'locals {{\n{body}\n}}\nresource "aws_cloudwatch_log_metric_filter" "f" {{\n  name = local.a39\n}}\n'
    )
    with pytest.raises(UsageError, match="too large"):
        terraform.read(tmp_path)


def test_anchors_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["x0: &x0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 10)}]" for n in range(1, 9)]
    lines += ["Resources:", "  F: {Type: AWS::Logs::MetricFilter, Properties: {FilterName: *x8}}"]
    (tmp_path / "t.yaml").write_text("\n".join(lines))
    with pytest.raises(UsageError, match="too large"):
        cloudformation.read(tmp_path / "t.yaml")


READERS: dict[str, Callable[[Path], ImportResult]] = {
    "json": cloudwatch.read,
    "cloudformation": cloudformation.read,
    "terraform": terraform.read,
}


@pytest.mark.parametrize("text", ["", "{", "[]", "nonsense: [", '{"Resources": []}', "\x00", "[" * 100_000])
@pytest.mark.parametrize("name", READERS)
def test_files_of_another_kind_are_refused_by_name(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"x\.json"):
        READERS[name](file)
