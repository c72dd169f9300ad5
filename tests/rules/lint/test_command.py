"""`trailsieve lint`: places, formats, exit codes, what is left out on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from tests.cli.console import trailsieve
from tests.rules.lint.sarif_schema import sarif_schema
from trailsieve.rules.lint import codes

RULES = """\
# ours
[[rule]]
id = "stopped"
pattern = '{ $.eventName = "StopLoging" }'

[[rule]]
id = "first"
title = "One of them"
pattern = '''
{ $.eventSource = "kms.amazonaws.com" &&
  $.resources[0].type = "AWS::KMS::Key" }
'''
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text(RULES, "utf-8")
    return file


def test_an_issue_for_people() -> None:
    result = trailsieve("lint", '{ $.readOnly = "false" }')
    assert result.code == 1
    assert result.lines == [
        'column 3: TS202 error: `$.readOnly = "false"` never matches: readOnly is always a boolean, '
        "and no comparison is true of that",
        '    { $.readOnly = "false" }',
        "      ^",
        "  proof: CloudTrail records it like this, and the term is false",
        '  event: {"readOnly": false}',
        "  fix:   $.readOnly IS FALSE",
        "",
        "1 error",
    ]


def test_no_issues_is_exit_code_0() -> None:
    result = trailsieve("lint", "{ $.readOnly IS FALSE && $.errorCode = Acc* }", "cis-aws-tuned")
    assert (result.code, result.lines) == (0, ["no issues in 1 pattern and 15 rules"])


@pytest.mark.parametrize(
    ("subject", "said"),
    [("cis-aws-tuned", "15 rules"), ("cis-aws-tuned-4.1", "1 rule"), ("rulez", "1 pattern")],
)
def test_what_was_checked_is_printed(subject: str, said: str) -> None:
    assert trailsieve("lint", subject).lines == [f"no issues in {said}"]


def test_places_are_lines_and_columns_of_the_file(rules: Path) -> None:
    result = trailsieve("lint", rules)
    places = [line.split(": ")[0] for line in result.lines if ": TS" in line]
    assert places == [f"{rules}:4:14", f"{rules}:11:3"]
    assert result.lines[-1] == "1 error, 1 warning"


def test_a_pattern_written_with_escapes_is_placed_at_its_rule(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('\n[[rule]]\nid = "a"\npattern = "{ $.readOnly = \\"x\\" }"\n', "utf-8")
    assert trailsieve("lint", tmp_path).lines[0].startswith(f"{tmp_path}/a.toml:2:1: TS202")


def test_a_rule_by_its_id() -> None:
    result = trailsieve("lint", "cis-aws-4.1", "--format", "json")
    [issue] = json.loads(result.out)["issues"]
    assert (issue["code"], issue["rule"], issue["level"]) == ("TS401", "cis-aws-4.1", "warning")
    assert json.loads(issue["event"]) == {"errorCode": "UnauthorizedOperation"}


def test_what_a_rule_ignores_is_not_reported(rules: Path) -> None:
    rules.write_text(RULES.replace("[[rule]]\n", '[[rule]]\nlint_ignore = ["TS206", "TS302"]\n'), "utf-8")
    assert trailsieve("lint", rules).code == 0


def test_lint_ignore_is_a_list_of_strings(rules: Path) -> None:
    rules.write_text(RULES.replace("[[rule]]\n", "[[rule]]\nlint_ignore = [1]\n"), "utf-8")
    result = trailsieve("lint", rules)
    assert result.code == 2
    assert "`lint_ignore`: expected a list of strings" in result.err


def test_json_has_all_of_an_issue(rules: Path) -> None:
    first, second = json.loads(trailsieve("lint", rules, "--format", "json").out)["issues"]
    assert first == {
        "code": "TS302",
        "level": "error",
        "message": "unknown eventName `StopLoging`",
        "rule": "stopped",
        "file": str(rules),
        "line": 4,
        "column": 14,
        "pattern": '{ $.eventName = "StopLoging" }',
        "proof": first["proof"],
        "event": None,
        "fix": 'did you mean $.eventName = "StopLogging"?',
    }
    assert second["event"]


def test_sarif_is_valid(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(rules.parent)
    result = trailsieve("lint", "rules.toml", "cis-aws", "{ $.x = 1 && $.x = 2 }", "--format", "sarif")
    log = json.loads(result.out)
    jsonschema.Draft4Validator(sarif_schema()).validate(log)
    [run] = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == list(codes())
    assert run["results"][0]["ruleId"] == "TS302"
    assert run["results"][0]["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "rules.toml"},
        "region": {"startLine": 4, "startColumn": 14},
    }
    assert run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith(
        "file:///"
    )
    assert "physicalLocation" not in run["results"][-1]["locations"][0]


def test_sarif_without_issues_is_valid() -> None:
    jsonschema.Draft4Validator(sarif_schema()).validate(
        json.loads(trailsieve("lint", "{ $.x = 1 }", "--format", "sarif").out)
    )


def test_limits_of_cloudwatch_are_an_issue_unless_they_do_not_matter() -> None:
    pattern = "{ $.x = %a% || $.x = %b% || $.x = %c% }"
    assert trailsieve("lint", pattern).code == 1
    assert trailsieve("lint", "--no-limits", pattern).code == 0


@pytest.mark.parametrize("subject", ["{ $.x == 1 }", "nosuch.toml", "cis-aws-9.9"])
def test_wrong_use_is_exit_code_2(subject: str) -> None:
    result = trailsieve("lint", subject)
    assert (result.code, result.out) == (2, b"")


def test_control_characters_do_not_reach_the_terminal() -> None:
    result = trailsieve("lint", '{ $.x = "\u202e\x1b" && $.x = "y" }')
    assert "\x1b" not in result.out.decode()
    assert "\u202e" not in result.out.decode()


def test_colour_on_a_terminal_only() -> None:
    assert b"\x1b[31m" in trailsieve("--color", "always", "lint", "{ $.x = 1 && $.x = 2 }").out
    assert b"\x1b" not in trailsieve("lint", "{ $.x = 1 && $.x = 2 }").out
