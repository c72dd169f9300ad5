"""Tests of rules that go beyond matching: extracted values, alerts, lines of text; and the mistakes in their tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trailsieve import RuleError, load_pack
from trailsieve.analysis.rule_tests import run_tests
from trailsieve.rules.testing import TestResult

JSON = """
[[rule]]
id = "denied"
severity = "high"
pattern = '{ $.errorCode = "AccessDenied" }'
"""
LINES = "[[rule]]\nid = 'lines'\npattern = '[ip, user, status = 4*]'\n"


def event(number: int, who: str = "mia", **more: Any) -> str:
    fields = f'eventID = "e{number}", eventTime = "2026-03-14T02:0{number}:00Z", errorCode = "AccessDenied"'
    return f'{{ {fields}, userIdentity = {{ arn = "arn:aws:iam::111122223333:user/{who}" }} }}'


def results(folder: Path, text: str) -> list[TestResult]:
    (folder / "rules.toml").write_text(text, "utf-8")
    return list(run_tests(load_pack(folder / "rules.toml")))


def failures(folder: Path, text: str) -> list[str]:
    return [result.failure for result in results(folder, text)]


def test_values_that_a_pattern_must_extract(tmp_path: Path) -> None:
    good = '{ text = "10.0.0.1 mia 404", values = { "$ip" = "10.0.0.1", "$status" = "404" } }'
    wrong = '{ text = "10.0.0.1 mia 404", values = { "$user" = "jo", "$nobody" = "x" } }'
    missed = '{ text = "10.0.0.1 mia 200", values = { "$ip" = "10.0.0.1" } }'
    tried = results(tmp_path, f"{LINES}tests = {{ extract = [{good}, {wrong}, {missed}] }}\n")
    assert [result.name for result in tried] == [f"extract number {number}" for number in (1, 2, 3)]
    assert tried[0].failure == ""
    assert tried[1].failure == (
        "does not extract what it must: 10.0.0.1 mia 404\n"
        '$user must be "jo" and is "mia"\n$nobody must be "x" and is absent'
    )
    assert tried[2].failure.startswith("should match this event but does not: 10.0.0.1 mia 200\n✗ no match")


def test_lines_inline_and_in_files(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text("10.0.0.1 mia 404\n10.0.0.2 jo 403\n", "utf-8")
    tests = 'tests = { match = ["access.log", { text = "a b 400" }], ignore = [{ text = "a b 200" }] }\n'
    assert failures(tmp_path, LINES + tests) == ["", "", "", ""]


def test_a_record_with_a_text_is_a_record_to_json_patterns(tmp_path: Path) -> None:
    rule = "[[rule]]\nid = 'a'\npattern = '{ $.text = \"x\" }'\ntests = { match = [{ text = \"x\" }] }\n"
    assert failures(tmp_path, rule) == [""]


def test_alerts_of_matches(tmp_path: Path) -> None:
    tests = f"""[rule.tests]
alerts = [
    {{ events = [{event(1)}, {event(2)}, {event(2)}], expect = 2 }},
    {{ events = [{event(2, "jo")}, {event(1)}], expect = [
        {{ kind = "match", severity = "high", principal = "arn:aws:iam::111122223333:user/mia" }},
        {{ time = "2026-03-14T02:02:00Z" }},
    ] }},
    {{ events = [{{ eventName = "ListUsers" }}], expect = [] }},
]
"""
    assert failures(tmp_path, JSON + tests) == ["", "", ""]


def test_alerts_of_alarms(tmp_path: Path) -> None:
    alarm = 'alarm = { threshold = 2, period = "5m", by = ["$.userIdentity.arn"] }\n'
    events = ", ".join([event(1), event(2), event(3, "jo")])
    expect = '{ kind = "alarm", state = "ALARM", count = 2, window = { start = "2026-03-14T02:00:00Z" } }'
    tests = f"[rule.tests]\nalerts = [{{ events = [{events}], expect = [{expect}] }}]\n"
    assert failures(tmp_path, JSON + alarm + tests) == [""]
    broken = tests.replace("count = 2", "count = 3")
    [failure] = failures(tmp_path, JSON + alarm + broken)
    assert failure.startswith("alert 1: count: expected 3, got 2\nraised:\n  {")


def test_an_exception_keeps_alerts_away(tmp_path: Path) -> None:
    exception = "exceptions = [{ pattern = '{ $.userIdentity.arn = \"*/mia\" }', reason = 'known' }]\n"
    tests = f"[rule.tests]\nalerts = [{{ events = [{event(1)}, {event(2, 'jo')}], expect = 1 }}]\n"
    assert failures(tmp_path, JSON + exception + tests) == [""]


def test_too_few_alerts_are_a_failure_that_shows_what_was_raised(tmp_path: Path) -> None:
    tests = f"[rule.tests]\nalerts = [{{ events = [{event(1)}], expect = 2 }}]\n"
    [result] = results(tmp_path, JSON + tests)
    assert result.failure.startswith("expected 2 alerts, got 1\nraised:\n  {")
    assert result.place == f"{tmp_path}/rules.toml:2"


def test_an_event_that_an_alarm_cannot_count_is_told(tmp_path: Path) -> None:
    alarm = 'alarm = { threshold = 1, period = "5m" }\n'
    tests = '[rule.tests]\nalerts = [{ events = [{ errorCode = "AccessDenied" }], expect = 0 }]\n'
    [failure] = failures(tmp_path, JSON + alarm + tests)
    assert "cannot count an event: a record without an event time" in failure


def test_a_missing_file_of_an_alert_test_is_a_failure(tmp_path: Path) -> None:
    [failure] = failures(tmp_path, JSON + '[rule.tests]\nalerts = [{ events = ["no.json"], expect = 1 }]\n')
    assert failure.startswith("cannot read it: ")


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("extracts = []", "unknown key `tests.extracts`; did you mean `extract`?"),
        ("extract = [{ text = 'a' }]", "`tests.extract.values` is missing"),
        ("extract = [{ text = 'a', values = { a = 1 } }]", "`tests.extract.values`: expected a table"),
        ("extract = [{ text = 'a', values = {} }]", "`tests.extract` needs a space-delimited pattern"),
        ("alerts = [{ events = [] }]", "`tests.alerts.expect` is missing"),
        ("alerts = [{ events = [1], expect = 1 }]", "`tests.alerts.events`: expected a list of file names"),
        ("alerts = [{ events = [], expect = -1 }]", "`tests.alerts.expect`: expected a number of alerts"),
        ("alerts = [{ events = [], expect = true }]", "`tests.alerts.expect`: expected a number of alerts"),
    ],
)
def test_mistakes_in_the_table(tests: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(f"{JSON}tests = {{ {tests} }}\n", "utf-8")
    with pytest.raises(RuleError, match=r"rules\.toml:6: rule denied: ") as told:
        load_pack(tmp_path)
    assert said in str(told.value)
