"""What is noted on stderr about a valid pattern that probably does not mean what its author thinks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.console import trailsieve
from trailsieve import compile

# Each with an event that its author wants, and one that the author does not want.
SUSPICIOUS = [
    ('.userIdentity.type == "Root"', '{"userIdentity": {"type": "Root"}}', '{"userIdentity": {"type": "x"}}'),
    ("userIdentity.type = Root", '{"userIdentity": {"type": "Root"}}', '{"userIdentity": {"type": "x"}}'),
    ("errorCode contains Denied", '{"errorCode": "AccessDenied"}', '{"errorCode": "x"}'),
    ('eventName like "Console%"', '{"eventName": "ConsoleLogin"}', '{"eventName": "x"}'),
    ('where eventName == "ConsoleLogin"', '{"eventName": "ConsoleLogin"}', '{"eventName": "x"}'),
    (
        "eventName DeleteTrail OR StopLogging",
        '{"eventName": "StopLogging"}',
        '{"eventName": "x", "by": "DeleteTrail"}',
    ),
    ('eventName = "Delete.*"', '{"eventName": "DeleteTrail"}', '{"eventName": "x"}'),
    ('{ $.eventName = "Delete.*" }', '{"eventName": "DeleteTrail"}', '{"eventName": "x"}'),
    ('{ $.eventName = "Put%Policy" }', '{"eventName": "PutRolePolicy"}', '{"eventName": "PutObject"}'),
    ('"Delete.*"', "DeleteTrail", "x"),
    ("ERROR AND timeout", "timeout ERROR", "ERROR"),
    ("ERROR NOT healthcheck", "ERROR", "ERROR healthcheck"),
    ("ERROR OR FATAL", "FATAL", "x"),
    ('{ $.readOnly = "false" }', '{"readOnly": false}', '{"readOnly": true}'),
    ("{ $.readOnly != true }", '{"readOnly": false}', '{"readOnly": true}'),
    ('{ $.Records[*].eventName = "ConsoleLogin" }', '{"eventName": "ConsoleLogin"}', '{"eventName": "x"}'),
    ('{ $.detail.eventName = "ConsoleLogin" }', '{"eventName": "ConsoleLogin"}', '{"eventName": "x"}'),
    (
        '{ $.resources.type = "AWS::KMS::Key" }',
        '{"resources": [{}, {"type": "AWS::KMS::Key"}]}',
        '{"resources": [{"type": "AWS::S3::Bucket"}]}',
    ),
    (
        '{ $.sourceIPAddress = "10.0.0.0/8" }',
        '{"sourceIPAddress": "10.1.2.3"}',
        '{"sourceIPAddress": "8.8.8.8"}',
    ),
    (
        '{ $.sourceIPAddress = "10.0.0.0/9" }',
        '{"sourceIPAddress": "10.1.2.3"}',
        '{"sourceIPAddress": "10.200.1.1"}',
    ),
]


@pytest.fixture
def nothing(tmp_path: Path) -> str:
    file = tmp_path / "events.jsonl"
    file.write_text("{}\n", "utf-8")
    return str(file)


@pytest.mark.parametrize(("pattern", "wanted", "unwanted"), SUSPICIOUS)
def test_the_note_leads_to_the_right_pattern(pattern: str, wanted: str, unwanted: str, nothing: str) -> None:
    result = trailsieve("match", pattern, nothing)
    assert (result.code, result.out) == (1, b"")
    found = re.search(r"trailsieve: note: .*did you mean: (.+)", result.err)
    assert found, result.err
    meant = compile(found[1])
    assert meant.matches(wanted)
    assert not meant.matches(unwanted)
    assert result.err in trailsieve("explain", pattern).err


@pytest.mark.parametrize("options", [[], ["-c"], ["--json"], ["--explain"]])
def test_a_pattern_that_matches_gets_no_note(options: list[str], tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_text("ERROR AND timeout\n", "utf-8")
    result = trailsieve("match", *options, "ERROR AND timeout", str(file))
    assert (result.code, result.err) == (0, "")


def test_a_good_pattern_gets_no_note_in_a_pipe(nothing: str) -> None:
    assert trailsieve("match", '{ $.eventName = "ConsoleLogin" }', nothing).err == ""
    assert trailsieve("explain", '{ $.eventName = "ConsoleLogin" }').err == ""


def test_a_terminal_is_pointed_to_explain(nothing: str) -> None:
    pointer = "trailsieve: nothing matched; `trailsieve match --explain` says why for each event\n"
    pattern = '{ $.eventName = "ConsoleLogin" }'
    assert trailsieve("match", pattern, nothing, terminal=True).err == pointer
    assert trailsieve("match", "--explain", pattern, nothing, terminal=True).err == ""


def test_an_explanation_is_not_repeated_but_missing_braces_are_noted(nothing: str) -> None:
    assert trailsieve("match", "--explain", '{ $.readOnly = "false" }', nothing).err == ""
    assert "stand in braces" in trailsieve("match", "--explain", "userIdentity.type = Root", nothing).err
