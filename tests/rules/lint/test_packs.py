"""Findings about rules that stand together: TS501 to TS505."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.lint.examples import linted

WIDE = '[[rule]]\nid = "wide"\nseverity = "high"\npattern = \'{ $.errorCode = "AccessDenied*" }\'\n'
NARROW = '[[rule]]\nid = "narrow"\nseverity = "low"\npattern = \'{ $.errorCode = "AccessDenied" }\'\n'
ALARM = 'alarm = { threshold = 3, period = "5m" }\n'


def told(text: str, folder: Path) -> list[tuple[str, str]]:
    return [(located.rule, located.issue.code) for located in linted(text, folder)]


@pytest.mark.parametrize("text", [WIDE + NARROW, NARROW + WIDE])
def test_the_narrow_rule_is_reported_whatever_the_order(text: str, tmp_path: Path) -> None:
    assert told(text, tmp_path) == [("narrow", "TS503")]


@pytest.mark.parametrize(
    "text",
    [
        WIDE + NARROW.replace("low", "critical"),
        WIDE + NARROW + ALARM,
        WIDE + NARROW + "enabled = false\n",
        WIDE + NARROW + "lint_ignore = ['TS503']\n",
        WIDE + NARROW + "exceptions = [{ pattern = '{ $.recipientAccountId = 1 }', reason = 'sandbox' }]\n",
    ],
)
def test_a_narrow_rule_with_a_reason_is_not(text: str, tmp_path: Path) -> None:
    assert told(text, tmp_path) == []


def test_rules_with_the_same_pattern_and_other_alarms_are_meant(tmp_path: Path) -> None:
    again = WIDE.replace('"wide"', '"again"')
    assert told(WIDE + again, tmp_path) == [("again", "TS501")]
    assert told(WIDE + again + ALARM, tmp_path) == []


def test_patterns_of_exceptions_are_read_too(tmp_path: Path) -> None:
    text = WIDE + "exceptions = [{ pattern = '{ $.userIdentity.type = \"root\" }', reason = 'x' }]\n"
    [located] = linted(text, tmp_path)
    assert located.issue.code == "TS305"
    assert located.issue.message.startswith("in the exception `")
