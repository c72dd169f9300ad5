"""`trailsieve test`: rule tests from the command line."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.console import trailsieve

GOOD = """
[[rule]]
id = "good"
pattern = '{ $.a = 1 }'
tests = { match = [{ a = 1 }], ignore = [{ a = 2 }, {}] }
"""
WRONG = """
[[rule]]
id = "wrong"
pattern = '{ $.a = 1 && $.b = 2 }'
tests = { match = [{ a = 1, b = 3 }] }
[[rule]]
id = "bare"
pattern = 'x'
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "wrong.toml").write_text(WRONG)
    return tmp_path


def test_good_rules_are_exit_code_0(folder: Path) -> None:
    result = trailsieve("test", folder / "good.toml")
    assert (result.code, result.lines, result.err) == (0, ["3 passed, 0 failed"], "")


def test_a_failure_shows_rule_place_event_and_explanation(folder: Path) -> None:
    result = trailsieve("test", folder)
    assert result.code == 1
    assert result.lines == [
        f"FAILED {folder}/wrong.toml:2: rule wrong: match number 1",
        '    should match this event but does not: {"a":1,"b":3}',
        "    ✗ no match",
        "      ✗ all of",
        "        ✓ $.a = 1   ← 1",
        "        ✗ $.b = 2   ← 3",
        "      it would match if:",
        "        $.b = 2",
        "",
        "no tests: rule bare",
        "3 passed, 1 failed",
    ]


def test_several_packs_in_one_go(folder: Path) -> None:
    result = trailsieve("test", "cis-aws", folder / "good.toml", "cis-aws-tuned")
    passed, _, failed = result.lines[-1].partition(" passed, ")
    assert (result.code, failed) == (0, "0 failed")
    assert int(passed) > 100


def test_junit_has_a_case_a_test(folder: Path) -> None:
    result = trailsieve("test", folder, "--junit", folder / "report.xml")
    suite = ElementTree.parse(folder / "report.xml").getroot()
    assert result.code == 1
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "1")
    assert [case.get("classname") for case in suite] == ["good", "good", "good", "wrong", "bare"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[[rule]]\nid = 'a'\n", "a: `pattern` is missing"),
        ("[[rule]\n", "rules.toml:1: "),
        ("", "there are no rules in this file"),
    ],
)
def test_rules_that_cannot_be_loaded_are_exit_code_2(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(content)
    result = trailsieve("test", tmp_path)
    assert (result.code, result.out) == (2, b"")
    assert said in result.err


def test_a_folder_without_rules_is_exit_code_2(tmp_path: Path) -> None:
    result = trailsieve("test", tmp_path)
    assert result.code == 2
    assert "no rule file (*.toml) in this folder" in result.err


def test_coverage_lists_what_no_test_tries(folder: Path) -> None:
    result = trailsieve("test", folder / "good.toml", folder / "wrong.toml", "--coverage")
    assert result.code == 1
    assert result.lines[8:] == [
        "",
        f"{folder}/wrong.toml:2: rule wrong: 0 of 2 terms",
        '    never false: $.a = 1   add, for example: ignore {"b": "2"}',
        '    never true: $.b = 2   add, for example: match {"a": "1", "b": "2"}',
        "",
        f"{folder}/wrong.toml:6: rule bare: 0 of 1 terms",
        "    never tested: x",
        "",
        "coverage: 1 of 4 terms are both true and false in the tests",
        "no tests: rule bare",
        "3 passed, 1 failed",
    ]


def test_alerts_are_tested_too(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(
        "[[rule]]\nid = 'a'\npattern = '{ $.a = 1 }'\ntests = { alerts = [{ events = [{ a = 1 }], expect = 2 }] }\n"
    )
    result = trailsieve("test", tmp_path)
    assert result.code == 1
    assert result.lines[0] == f"FAILED {tmp_path}/a.toml:1: rule a: alerts number 1"
    assert result.lines[1] == "    expected 2 alerts, got 1"
