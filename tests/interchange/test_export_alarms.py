"""What other services cannot say of the kinds of alarms is listed; what they can say is exported."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType

import pytest

from tests.alarms.worlds import reference_of
from trailsieve.interchange.exporters import (
    athena,
    aws_cli,
    cloudformation,
    eventbridge,
    opensearch,
    terraform,
)
from trailsieve.interchange.exporters.model import ExportTarget
from trailsieve.pattern.compiler import compile
from trailsieve.rules.alarm import Alarm
from trailsieve.rules.alarm_checks import completed
from trailsieve.rules.rule import Rule

TARGET = ExportTarget("trail", "arn:aws:sns:us-east-1:111122223333:security", "Mine")
CLOUDWATCH = (cloudformation, terraform, aws_cli)
QUERIES = (athena, eventbridge, opensearch)
DISTINCT = Alarm(
    threshold=3,
    period=300,
    count_distinct=reference_of("$.sourceIPAddress"),
    by=(reference_of("$.userIdentity.arn"), reference_of("$.awsRegion")),
)


def rule(alarm: Alarm, name: str = "r") -> Rule:
    return Rule(name, "R", "low", compile("{ $.eventName = ConsoleLogin }"), alarm=alarm)


@pytest.mark.parametrize("exporter", CLOUDWATCH, ids=lambda module: module.__name__.rpartition(".")[2])
def test_cloudwatch_counts_neither_different_values_nor_by_fields_of_the_event(exporter: ModuleType) -> None:
    export = exporter.export([rule(DISTINCT)], TARGET)
    assert export.losses["r"][:2] == [
        "count_distinct: CloudWatch counts the matches, not the different values of $.sourceIPAddress",
        "each $.userIdentity.arn, $.awsRegion has its own alarm; CloudWatch counts all of them in one alarm",
    ]


def test_athena_counts_different_values_by_several_fields() -> None:
    export = athena.export([rule(DISTINCT)], TARGET)
    start = "from_unixtime(floor(to_unixtime(from_iso8601_timestamp(eventtime)) / 300) * 300) AS period"
    assert export.text.partition("SELECT ")[2] == (
        f"{start}, useridentity.arn AS by_1, awsregion AS by_2, count(DISTINCT sourceipaddress) AS different\n"
        "FROM cloudtrail_logs\nWHERE eventname = 'ConsoleLogin'\nGROUP BY 1, 2, 3\n"
        "HAVING count(DISTINCT sourceipaddress) >= 3\nORDER BY 1;\n"
    )
    assert not [loss for loss in export.losses["r"] if "alarm" in loss]


def test_cloudwatch_says_absence_as_missing_data_that_breaches() -> None:
    alarm = completed(Alarm(absent_for=3600), ())
    export = cloudformation.export([rule(alarm)], TARGET)
    made = json.loads(export.text)["Resources"]["RAlarm"]["Properties"]
    assert (made["Statistic"], made["ComparisonOperator"], made["Threshold"], made["TreatMissingData"]) == (
        *("SampleCount", "LessThanThreshold"),
        *(1, "breaching"),
    )
    assert export.losses["r"][0] == (
        "absent_for: CloudWatch is in ALARM from the creation of the alarm until the first match"
    )


ABSENCE = {
    "absent_for": completed(Alarm(absent_for=3600), ()),
    "too few": Alarm(threshold=5, comparison="<"),
    "too few different values": replace(DISTINCT, comparison="<="),
    "missing data": Alarm(missing="breaching"),
}


@pytest.mark.parametrize("alarm", ABSENCE.values(), ids=ABSENCE)
@pytest.mark.parametrize("exporter", QUERIES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_an_alarm_on_absence_is_no_query_for_the_matches(exporter: ModuleType, alarm: Alarm) -> None:
    export = exporter.export([rule(alarm), rule(Alarm(statistic="Minimum", comparison="<"), "s")], TARGET)
    assert export.unsupported == {
        "r": "its alarm is raised when matches are missing, and a query finds matches only"
    }
    assert list(export.losses) == ["s"]


@pytest.mark.parametrize("exporter", QUERIES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_a_disabled_rule_is_no_query(exporter: ModuleType) -> None:
    export = exporter.export([replace(rule(DISTINCT), enabled=False)], TARGET)
    assert export.unsupported == {"r": "it is disabled, and a query cannot be"}
    assert "ConsoleLogin" not in export.text
    made = json.loads(cloudformation.export([replace(rule(DISTINCT), enabled=False)], TARGET).text)
    assert made["Resources"]["RAlarm"]["Properties"]["ActionsEnabled"] is False
