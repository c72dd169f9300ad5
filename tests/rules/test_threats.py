"""The pack aws-threats: what each rule must say, that its tests cover it, and that its alarms are raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from trailsieve import load_pack
from trailsieve.analysis.rule_tests import run_tests
from trailsieve.rules.coverage import coverage
from trailsieve.rules.lint.run import lint_pack
from trailsieve.rules.rule import Pack, Rule, RuleTests
from trailsieve.rules.rule_tests import AlertTest

PACK = load_pack("aws-threats")
TACTICS = {
    *("initial-access", "execution", "persistence", "privilege-escalation", "defense-evasion"),
    *("credential-access", "discovery", "lateral-movement", "collection", "exfiltration", "impact"),
}
COUNTED = [rule for rule in PACK.rules if rule.alarm and not rule.sequence]
every_rule = pytest.mark.parametrize("rule", PACK.rules, ids=lambda rule: rule.id)

Event = dict[str, Any]


@every_rule
def test_a_rule_says_what_an_analyst_needs(rule: Rule) -> None:
    assert re.fullmatch(r"aws-threats(-[a-z0-9]+)+", rule.id)
    meaning, reason, next_, false_positives = rule.description.split("\n\n")
    assert meaning
    assert reason.startswith(f"{rule.severity.capitalize()}, because ")
    assert next_.startswith("Look next: ")
    assert false_positives.startswith("False positives: ")
    assert all(reference.startswith("https://") for reference in rule.references)


@every_rule
def test_a_rule_is_tagged_with_techniques_and_tactics(rule: Rule) -> None:
    assert any(re.fullmatch(r"attack\.t\d{4}(\.\d{3})?", tag) for tag in rule.tags)
    assert {tag.removeprefix("attack.") for tag in rule.tags} & TACTICS
    assert {tag for tag in rule.tags if re.fullmatch(r"attack\.[a-z-]+", tag)} <= {
        f"attack.{tactic}" for tactic in TACTICS
    }
    assert len({*rule.tags}) == len(rule.tags)


def test_the_tests_hold_and_cover_every_term() -> None:
    assert [result for result in run_tests(PACK) if result.failure or result.untested] == []
    assert all(rule.tests.match and rule.tests.ignore for rule in PACK.rules if not rule.sequence)
    missing = [(rule.rule, term) for rule in coverage(PACK) for term in rule.terms if term.missing]
    assert missing == []


def test_lint_finds_nothing() -> None:
    assert [(issue.rule, issue.issue.code, issue.issue.message) for issue in lint_pack(PACK)] == []


@pytest.mark.parametrize("rule", COUNTED, ids=lambda rule: rule.id)
def test_an_alarm_is_raised_at_its_threshold_and_not_below(rule: Rule) -> None:
    assert rule.alarm
    events = list(burst(rule, int(rule.alarm.threshold or 0)))
    assert failures(rule, events, 1) == []
    assert failures(rule, events[1:], 0) == []


def failures(rule: Rule, events: list[Event], alerts: int) -> list[str]:
    """What is wrong when the rule must raise that many alerts for the events."""
    tested = replace(rule, tests=RuleTests(alerts=(AlertTest(tuple(events), alerts),)))
    return [result.failure for result in run_tests(Pack("one", (tested,))) if result.failure]


def burst(rule: Rule, number: int) -> Iterator[Event]:
    """Matching events of one principal within 100 seconds, each with another value of the counted field."""
    assert rule.alarm
    counted = rule.alarm.count_distinct
    samples = [event for event in rule.tests.match if isinstance(event, dict)]
    for index in range(number):
        event = {**samples[index % len(samples)], "eventID": f"event-{index}", "recipientAccountId": "1"}
        event["eventTime"] = f"2026-03-14T02:00:{index * 60 // number:02}Z"
        event["userIdentity"] = {"arn": "arn:aws:iam::111122223333:user/mia", **event.get("userIdentity", {})}
        if not counted or counted.text != "$.sourceIPAddress":
            event["sourceIPAddress"] = "203.0.113.7"
        if counted and index >= len(distinct(samples, counted.text)):
            put(event, counted.text.removeprefix("$.").split("."), index)
        yield event


def distinct(samples: list[Event], selector: str) -> set[str]:
    """The values of a field of the samples, if they are all different; else none."""
    values = [str(found) for event in samples if (found := value_of(event, selector)) is not None]
    return {*values} if len({*values}) == len(samples) else set()


def value_of(event: Event, selector: str) -> object:
    found: Any = event
    for name in selector.removeprefix("$.").split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def put(event: Event, path: list[str], index: int) -> None:
    """Gives a field a value of its own: an address with another last number, or other text with a number."""
    for name in path[:-1]:
        event[name] = {**event.get(name, {})}
        event = event[name]
    old = str(event.get(path[-1], "value"))
    event[path[-1]] = f"203.0.113.{index}" if path[-1] == "sourceIPAddress" else f"{old}{index}"
