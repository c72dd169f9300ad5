"""Every command on rules of which one waits for a sequence of matches and has no pattern of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import Result, trailsieve

RULES = """
[[rule]]
id = "denied"
enabled = false
pattern = '{ $.errorCode = "AccessDenied" }'
[[rule]]
id = "key"
pattern = '{ $.eventName = "CreateAccessKey" }'
[[rule]]
id = "denied-then-key"
title = "Key made after a denied call"
severity = "high"
alarm = { sequence = ["denied", "key"], within = "10m", by = ["$.userIdentity.arn"] }
[[rule.tests.alerts]]
events = [EVENTS]
expect = [{ count = 2, window = { start = "2026-03-14T02:01:00Z" }, dimensions = { "$.userIdentity.arn" = "mia" } }]
[[rule.tests.alerts]]
events = [REVERSED]
expect = 0
"""
DENIED = (
    '{ eventID = "1", eventTime = "2026-03-14T02:01:00Z", errorCode = "AccessDenied", userIdentity = WHO }'
)
KEY = '{ eventID = "2", eventTime = "2026-03-14T02:0NZ", eventName = "CreateAccessKey", userIdentity = WHO }'


def text_of(result: Result) -> str:
    return result.out.decode()


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    late, soon = KEY.replace("0N", "05:00"), KEY.replace("0N", "00:00")
    text = RULES.replace("EVENTS", f"{DENIED}, {late}").replace("REVERSED", f"{DENIED}, {soon}")
    file.write_text(text.replace("WHO", '{ arn = "mia" }'))
    return file


@pytest.fixture
def events(tmp_path: Path) -> Path:
    file = tmp_path / "events.jsonl"
    records = [
        {"eventTime": "2026-03-14T02:01:00Z", "errorCode": "AccessDenied"},
        {"eventTime": "2026-03-14T02:05:00Z", "eventName": "CreateAccessKey"},
    ]
    who = {"userIdentity": {"arn": "mia"}}
    lines = [json.dumps({"eventID": str(n), **record, **who}) for n, record in enumerate(records)]
    file.write_text("\n".join(lines) + "\n")
    return file


def test_replay(rules: Path, events: Path) -> None:
    found = trailsieve("replay", events, "--rules", rules).objects
    assert [(alert["rule"], alert["kind"], alert["count"]) for alert in found] == [
        ("key", "match", 1),
        ("denied-then-key", "alarm", 2),
    ]
    with_workers = trailsieve("replay", events, "--rules", rules, "--workers", "2").objects
    assert with_workers == found


def test_match_shows_matches_of_patterns(rules: Path, events: Path) -> None:
    assert [found["rule"] for found in trailsieve("match", "--rules", rules, events).objects] == ["key"]


def test_alert_tests_run_with_the_rules_that_are_named(rules: Path) -> None:
    result = trailsieve("test", rules, "--coverage")
    assert "2 passed, 0 failed" in text_of(result)
    assert "denied-then-key" not in text_of(result)
    assert "coverage: 0 of 2 terms" in text_of(result)


def test_alert_tests_find_rules_of_built_in_packs_only(rules: Path) -> None:
    rules.write_text(rules.read_text().replace('"denied", "key"]', '"denied", "elsewhere"]'))
    result = trailsieve("test", rules)
    assert result.code == 1
    assert "the rules of its sequence are in another pack: elsewhere" in text_of(result)
    rules.write_text(rules.read_text().replace('"elsewhere"]', '"cis-aws-4.3"]'))
    assert "another pack" not in text_of(trailsieve("test", rules))


def test_lint_has_nothing_to_say_of_it(rules: Path) -> None:
    assert "denied-then-key" not in text_of(trailsieve("lint", rules))


def test_show_and_list(rules: Path) -> None:
    shown = text_of(trailsieve("rules", "show", "denied-then-key", "--rules", rules))
    assert "alarm       denied, then key within 10 minutes, by $.userIdentity.arn" in shown
    assert "pattern" not in shown
    assert "denied-then-key" in text_of(trailsieve("rules", "list", rules))


@pytest.mark.parametrize("to", ["cloudformation", "terraform", "cli", "eventbridge", "athena", "opensearch"])
def test_export_leaves_it_out_with_the_reason(to: str, rules: Path) -> None:
    result = trailsieve("rules", "export", rules, "--to", to)
    assert result.code == 1
    assert "denied-then-key: not exported: its alarm is a sequence of matches" in result.err
    assert "denied-then-key" not in text_of(result)


def test_diff(rules: Path) -> None:
    result = trailsieve("diff", rules, rules)
    assert result.code == 0
    assert "denied-then-key: not compared: it has a sequence, not a pattern" in result.err
    result = trailsieve("diff", f"{rules}:denied-then-key", "{ $.a = 1 }")
    assert (result.code, "has a sequence, not a pattern" in result.err) == (2, True)


def test_tune_and_parity(rules: Path, events: Path) -> None:
    result = trailsieve("tune", "denied-then-key", "--rules", rules, "--over", events)
    assert (result.code, "tune the rules that it names" in result.err) == (2, True)
    result = trailsieve("parity", rules, "--over", events)
    assert "denied-then-key: not compared: its alarm is a sequence of matches" in result.err
    assert "denied-then-key" not in text_of(result)


def test_a_rule_that_is_not_there_is_reported_with_its_line(rules: Path, events: Path) -> None:
    rules.write_text(rules.read_text().replace('["denied", "key"]', '["denied", "kee"]'))
    result = trailsieve("replay", events, "--rules", rules)
    assert result.code == 2
    assert (
        f"{rules}:9: rule denied-then-key: `alarm.sequence`: no rule 'kee' in the packs in use" in result.err
    )
    assert "did you mean `key`?" in result.err
