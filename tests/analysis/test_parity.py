"""Parity: rule and CloudWatch counterpart minute by minute, each difference with its reason, and AWS's own history beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.account import alarm, transformation
from tests.cli.console import Result, trailsieve
from trailsieve.analysis.alarm_history import compare, to_alarm
from trailsieve.analysis.parity import minutes, union, within, without

START = datetime(2026, 3, 14, 10, tzinfo=UTC)
DENIED = '{ $.errorCode = "AccessDenied" }'
Json = dict[str, Any]


def event(minute: float, who: str = "a", **more: Any) -> Json:
    time = (START + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "eventTime": time,
        "eventID": f"{minute}{who}",
        "errorCode": "AccessDenied",
        "userIdentity": {"arn": who},
        **more,
    }


def run(folder: Path, rule: str, events: list[Json], *arguments: str | Path) -> Result:
    (folder / "rules.toml").write_text(f"[[rule]]\nid = 'r'\npattern = '{DENIED}'\n{rule}\n")
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
    return trailsieve("parity", folder / "rules.toml", "--over", folder / "events.jsonl", *arguments)


def differences(result: Result) -> list[tuple[str, str, str, str]]:
    [found] = json.loads(result.out)
    return [
        (d["only"], d["start"][11:16], d["end"][11:16], "; ".join(d["reasons"])) for d in found["differences"]
    ]


CASES: dict[str, tuple[str, list[Json], list[tuple[str, str, str, str]]]] = {
    "the same": (
        'alarm = { threshold = 2, period = "5m", missing = "notBreaching" }',
        [event(1), event(2), event(11)],
        [],
    ),
    "exceptions": (
        'alarm = { threshold = 1, period = "5m", missing = "notBreaching" }\n'
        "exceptions = [{ pattern = '{ $.userIdentity.arn = \"b\" }', reason = \"known\" }]",
        [event(1), event(11, "b"), event(21)],
        [("CloudWatch", "10:15", "10:20", "exceptions hide events: known")],
    ),
    "keys": (
        'alarm = { threshold = 2, period = "5m", by = ["$.userIdentity.arn"], missing = "notBreaching" }',
        [event(1), event(2, "b"), event(11), event(12), event(21)],
        [("CloudWatch", "10:05", "10:10", "the rule counts each $.userIdentity.arn separately, CloudWatch all together")],
    ),
    "metric": (
        'alarm = { threshold = 3, period = "1m", missing = "notBreaching" }\n'
        "metric = { default = 1, cloudwatch_exact = false }",
        [event(1, errorCode="x"), event(1.1, errorCode="y"), event(1.2, errorCode="z"), event(9)],
        [("CloudWatch", "10:02", "10:03", "the metric's value, default or dimensions differ")],
    ),
    "no alarm": ("", [event(1), event(2), event(9)], []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_differences_and_their_reasons(name: str, tmp_path: Path) -> None:
    rule, events, expected = CASES[name]
    result = run(tmp_path, rule, events, "--format", "json")
    assert differences(result) == expected
    assert result.code == int(bool(expected))


def test_the_minutes_before_the_archive_are_not_counted(tmp_path: Path) -> None:
    """CloudWatch's alarm on absence is in ALARM from its creation until the first match."""
    rule = 'alarm = { absent_for = "5m" }'
    events = [event(0.5, errorCode="other"), event(7), event(11)]
    result = run(tmp_path, rule, events, "--format", "json")
    assert json.loads(result.out)[0]["cloudwatch"]["minutes"] == 10
    assert differences(result) == [
        ("CloudWatch", "10:00", "10:10", "CloudWatch is in ALARM until the first match")
    ]


def state(folder: Path, **change: Any) -> Path:
    """What CloudWatch says of the rule's filter and alarm."""
    metric_filter = {
        "filterName": "r",
        "filterPattern": DENIED,
        "metricTransformations": [transformation("r")],
    }
    file = folder / "state.json"
    file.write_text(json.dumps({"metricFilters": [metric_filter], "MetricAlarms": [alarm("r", **change)]}))
    return file


def test_what_stands_in_cloudwatch_may_be_another_alarm(tmp_path: Path) -> None:
    rule = 'alarm = { threshold = 2, period = "5m", missing = "notBreaching" }'
    events = [event(1), event(6), event(7), event(21)]
    result = run(tmp_path, rule, events, "--cloudwatch", state(tmp_path), "--format", "json")
    reason = "the alarm has threshold 2 instead of 1"
    assert differences(result) == [
        ("CloudWatch", "10:05", "10:10", reason),
        ("CloudWatch", "10:25", "10:26", reason),  # it begins where the archive ends
    ]


def test_the_same_alarm_in_cloudwatch_is_no_difference(tmp_path: Path) -> None:
    rule = 'alarm = { threshold = 2, period = "5m", missing = "notBreaching" }'
    given_state = state(tmp_path, Threshold=2.0)
    result = run(tmp_path, rule, [event(1), event(2), event(21)], "--cloudwatch", given_state)
    assert result.code == 0
    assert result.lines[0] == "r  the same in every minute"


def history(moments: list[tuple[str, str]], name: str = "r") -> Json:
    """As `describe-alarm-history` prints it."""
    items = [
        {
            "AlarmName": name,
            "Timestamp": f"2026-03-14T{moment}+00:00",
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from OK to {new}",
            "HistoryData": json.dumps({"version": "1.0", "newState": {"stateValue": new}}),
        }
        for moment, new in moments
    ]
    return {"AlarmHistoryItems": [*items, {"AlarmName": name, "HistoryItemType": "Action", "Timestamp": "x"}]}


def test_the_history_of_the_real_alarm_is_set_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    file.write_text(json.dumps(history([("10:08:30", "ALARM"), ("10:15:00", "OK"), ("18:00:00", "ALARM")])))
    rule = 'alarm = { threshold = 1, period = "5m", missing = "notBreaching" }'
    result = run(tmp_path, rule, [event(1), event(31), event(51)], "--cloudwatch", file)
    assert result.code == 1
    text = result.out.decode()
    assert "1 of 2 real alarms were computed" in text
    assert "2026-03-14T10:08:30Z  210 seconds after the computed alarm" in text
    assert "2026-03-14T18:00:00Z  history only" in text
    assert "2026-03-14T10:35:00Z  computed only" in text


def test_histories_of_older_shape_are_read_by_their_summary() -> None:
    item = {"AlarmName": "a", "HistoryItemType": "StateUpdate", "Timestamp": 60.0, "HistoryData": "{"}
    assert to_alarm([{**item, "HistorySummary": "Alarm updated from OK to ALARM"}]) == {"a": [60]}
    assert compare([100], [(70, 90), (95, 99)], 20).matched == [(100, 95)]


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": 1}')
    result = run(tmp_path, "", [event(1)], "--cloudwatch", tmp_path / "x.json")
    assert result.code == 2
    assert "neither `metricFilters` nor `MetricAlarms`" in result.err


spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (min(pair), max(pair))), max_size=5
).map(union)


def seconds(found: list[tuple[int, int]]) -> set[int]:
    return {second for start, end in found for second in range(start, end)}


@given(spans, spans)
def test_spans_are_sets_of_seconds(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    assert seconds(union([*one, *other])) == seconds(one) | seconds(other)
    assert seconds(without(one, other)) == seconds(one) - seconds(other)
    assert seconds(within(one, (10, 20))) == seconds(one) & set(range(10, 20))
    assert minutes(one) == len({second // 60 for second in seconds(one)})
