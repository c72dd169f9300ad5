"""The built-in packs: which rules there are, what each must say, and that their tests hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from trailsieve import load_pack
from trailsieve.analysis.rule_tests import run_tests
from trailsieve.model import SEVERITIES
from trailsieve.rules.rule import Rule

PACKS = {name: load_pack(name) for name in ("cis-aws", "cis-aws-tuned")}
RULES = [rule for pack in PACKS.values() for rule in pack.rules]
IN_CONTRACT = (
    '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") '
    '&& ($.sourceIPAddress != "delivery.logs.amazonaws.com") && ($.eventName != "HeadBucket") }'
)
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_has_the_fifteen_controls_in_order(name: str) -> None:
    pack = PACKS[name]
    assert pack.name == name
    assert re.fullmatch(r"\d+\.\d+\.\d+", pack.version)
    assert pack.description
    assert [rule.id for rule in pack.rules] == [f"{name}-4.{number}" for number in range(1, 16)]


@every_rule
def test_a_rule_says_what_a_person_needs(rule: Rule) -> None:
    assert rule.enabled
    assert rule.title != rule.id
    assert rule.severity in SEVERITIES
    assert len(rule.description) > 80
    assert rule.references
    assert all(reference.startswith("https://") for reference in rule.references)


@every_rule
def test_a_rule_is_tagged_with_attack_and_cis(rule: Rule) -> None:
    number = rule.id.rpartition("-")[2]
    assert any(re.fullmatch(r"attack\.t\d{4}(\.\d{3})?", tag) for tag in rule.tags)
    assert {f"cis-aws-{version}:{number}" for version in ("1.4", "1.5", "2.0", "3.0", "4.0", "5.0")} <= {
        *rule.tags
    }
    assert len({*rule.tags}) == len(rule.tags)


@every_rule
def test_the_tests_of_a_rule_hold(rule: Rule) -> None:
    assert rule.tests.match
    assert rule.tests.ignore
    results = [result for result in run_tests(load_pack(rule.file)) if result.rule == rule.id]
    assert len(results) >= 2
    assert [result.failure for result in results] == [""] * len(results)


def test_tuned_rules_differ_from_the_published_ones_and_say_how() -> None:
    for plain, tuned in zip(PACKS["cis-aws"].rules, PACKS["cis-aws-tuned"].rules, strict=True):
        assert "\n\n" in tuned.description or plain.pattern.text == tuned.pattern.text, tuned.id


def test_4_1_and_4_13_are_the_published_texts() -> None:
    plain = PACKS["cis-aws"]
    first, thirteenth = plain.rule("cis-aws-4.1"), plain.rule("cis-aws-4.13")
    assert first
    assert first.pattern.text == IN_CONTRACT
    assert thirteenth
    assert thirteenth.pattern.text.startswith(
        "{ ($.eventSource = ec2.amazonaws.com) && ($.eventName = CreateRoute) || ($.eventName = CreateRouteTable)"
    )


def test_patterns_are_as_published(shared: Path) -> None:
    """Blanks aside; 4.13 is the text that audits use, which only its users print."""
    published = json.loads((shared / "language" / "cis_patterns.json").read_text("utf-8"))["controls"]
    wild = [
        json.loads(line)["pattern"]
        for line in (shared / "language" / "wild_patterns.jsonl").read_text("utf-8").splitlines()
    ]
    for control, rule in zip(published, PACKS["cis-aws"].rules, strict=True):
        assert control["control_ids"]["CIS v5.0"] == rule.id.rpartition("-")[2]
        known = [entry["pattern"] for entry in control["patterns"]]
        texts = wild if rule.id == "cis-aws-4.13" else known
        assert without_blanks(rule.pattern.text) in {without_blanks(text) for text in texts}, rule.id


def without_blanks(pattern: str) -> str:
    """The pattern without the blanks outside its quotes."""
    return re.sub(r'("[^"]*")|\s+', lambda match: match[1] or "", pattern)


def test_control_numbers_are_as_published(shared: Path) -> None:
    published = json.loads((shared / "language" / "cis_patterns.json").read_text("utf-8"))["controls"]
    for control, *rules in zip(published, *(pack.rules for pack in PACKS.values()), strict=True):
        ids = control["control_ids"]
        wanted = {f"cis-aws-{version}:{ids[f'CIS v{version}']}" for version in ("1.4", "3.0", "5.0")}
        wanted |= {f"cis-aws-1.2:{ids['CIS v1.2']}"} if "CIS v1.2" in ids else set()
        wanted |= {f"security-hub:{ids['Security Hub']}"} if "Security Hub" in ids else set()
        for rule in rules:
            assert wanted <= {*rule.tags}, rule.id
            assert ("Security Hub" in ids) == any(tag.startswith("security-hub:") for tag in rule.tags)
