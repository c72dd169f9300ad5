"""What an attacker writes into a log never reaches a terminal raw: no escape sequence, no reversed text."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.console import Record, denied, log_file, trailsieve
from tests.cli.terminal import Terminal

# Clears the screen and sets the window's title; the same as one C1 character; turns the text's direction.
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202egnp.exe \u2028 \x7f\x00 \r\b\ud800"


def assert_harmless(text: str | bytes) -> None:
    shown = text.decode() if isinstance(text, bytes) else text
    assert shown
    assert not [character for character in shown if character != "\n" and not character.isprintable()]


def hostile_record() -> Record:
    fields = (
        "eventID",
        "eventName",
        "sourceIPAddress",
        "userAgent",
        "awsRegion",
        "eventTime",
        "errorMessage",
    )
    identity = {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/{HOSTILE}"}
    return denied(
        1, userIdentity=identity, errorCode=f"AccessDenied{HOSTILE}", **dict.fromkeys(fields, HOSTILE)
    )


@pytest.fixture(params=["escaped", "raw"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A record whose strings hold control characters: as JSON demands, or as broken writers leave them."""
    top = tmp_path / "archive"
    file = log_file(top / "trail.json", [hostile_record()])
    if request.param == "raw":
        text = json.dumps({"Records": [hostile_record()]}, ensure_ascii=False)
        file.write_bytes(text.encode("utf-8", "surrogatepass").replace(b"\\u001b", b"\x1b"))
    return top


def test_events_on_a_terminal(archive: Path) -> None:
    assert_harmless(trailsieve("match", "errorCode", archive, terminal=True).out)


def test_matches_of_rules_on_a_terminal(tmp_path: Path) -> None:
    file = log_file(tmp_path / "trail.json", [hostile_record()])
    assert_harmless(trailsieve("match", "--rules", "cis-aws", file, terminal=True).out)


@pytest.mark.parametrize("terminal", [False, True])
def test_explanations(terminal: bool, archive: Path) -> None:
    pattern = '{ $.userAgent = "x" && $.userIdentity.* = "y" && $.eventName > 1 && $.errorCode = %z% }'
    result = trailsieve("match", "--explain", pattern, archive, terminal=terminal)
    assert_harmless(result.out)


def test_explanations_of_space_delimited_patterns() -> None:
    line = f"{HOSTILE} [{HOSTILE}]\n".encode("utf-8", "surrogatepass")
    assert_harmless(trailsieve("match", "--explain", '[a, ..., b = "x"]', stdin=line).out)


@pytest.mark.parametrize("terminal", [False, True])
def test_tables_of_a_replay(terminal: bool, tmp_path: Path) -> None:
    file = log_file(tmp_path / "trail.json", [hostile_record()])
    result = trailsieve("--color", "never", "replay", "--format", "table", file, terminal=terminal)
    assert len(result.lines) == 2
    assert_harmless(result.out)
    assert_harmless(result.err)


def test_names_and_reasons_of_what_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "a\x1b[31m\u202eb"
    folder.mkdir()
    (folder / "c\x9b.json").write_text(f'{HOSTILE.replace(chr(0xD800), "")} {{"Records": 1}}')
    for command in (("match", "x"), ("replay",), ("-v", "match", "x")):
        result = trailsieve("--color", "never", *command, folder, terminal=True)
        assert "not JSON" in result.err
        assert_harmless(result.err)


@pytest.mark.parametrize("format_", ["text", "json"])
def test_messages(format_: str, archive: Path) -> None:
    (archive / "\x1b[2J.json").write_bytes(b"")
    assert_harmless(trailsieve("--log-format", format_, "match", "x", archive).err)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_odd_names_and_values_stop_no_replay(workers: str, tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/a\xff")
    record = denied(1, eventName="\ud800", userIdentity={"arn": "Zoë\udfff"}, eventID="\udc80")
    with open(os.fsencode(tmp_path) + b"/a\xff/b.json", "wb") as file:
        file.write(json.dumps({"Records": [record]}).encode())
    result = trailsieve("replay", "--workers", workers, tmp_path)
    [alert] = result.objects
    assert (alert["event_name"], alert["principal"]) == ("\ufffd", "Zoë\ufffd")
    assert alert["records"] == [record]
    assert alert["position"] == f"{tmp_path}/a\\udcff/b.json#1"
    assert result.code == 0


def test_usage_errors_and_patterns(tmp_path: Path) -> None:
    nasty = HOSTILE.replace("\0", "").replace("\ud800", "")
    for arguments in (("match", f"{{ $.a {nasty} 1 }}"), ("match", "x", nasty), ("rules", "show", nasty)):
        result = trailsieve(*arguments)
        assert result.code == 2
        assert_harmless(result.err)


@pytest.fixture
def hostile_rules(tmp_path: Path) -> Path:
    """A rule file from somebody else."""
    text = json.dumps(HOSTILE.replace("\ud800", "").replace("\0", ""))
    file = tmp_path / "rules.toml"
    lines = (
        "[[rule]]",
        f"id = {text}",
        f"title = {text}",
        f"description = {text}",
        f"tags = [{text}]",
        f"references = [{text}]",
        "pattern = 'ListUsers'",
        f"tests = {{ match = [{{ userAgent = {text} }}, {text}], ignore = [] }}",
    )
    file.write_text("\n".join(lines).replace("\\b", "\\u0008"), encoding="utf-8")
    return file


def test_rules_from_others(hostile_rules: Path, tmp_path: Path) -> None:
    log = log_file(tmp_path / "trail.json", [hostile_record()])
    for command in (("rules", "list"), ("test",), ("rules", "show", "nonsense", "--rules")):
        result = trailsieve("--color", "never", *command, hostile_rules, terminal=True)
        assert_harmless(result.out.decode() + result.err)
    rule = HOSTILE.replace("\ud800", "").replace("\0", "")
    assert_harmless(trailsieve("rules", "show", rule, "--rules", hostile_rules).out)
    result = trailsieve("--color", "never", "replay", "--rules", hostile_rules, log, terminal=True)
    assert_harmless(result.out.decode() + result.err)


def test_reports_stay_well_formed(hostile_rules: Path, tmp_path: Path) -> None:
    trailsieve("test", hostile_rules, "--junit", tmp_path / "report.xml")
    suite = ElementTree.parse(tmp_path / "report.xml").getroot()
    assert_harmless("".join(filter(None, (value for case in suite for value in case.attrib.values()))))


def test_alerts_as_json_lines_hold_no_raw_control_character(archive: Path) -> None:
    for arguments in (("replay",), ("match", "--rules", "cis-aws"), ("match", "--json", "ListUsers")):
        for line in trailsieve(*arguments, archive).out.splitlines():
            assert not set(line) & set(range(0x20))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
@pytest.mark.parametrize("command", ["replay", "investigate"])
def test_a_terminal_of_another_encoding_gets_its_own(command: str, encoding: str, tmp_path: Path) -> None:
    arn = "arn:aws:iam::111122223333:user/Zo\u00eb" + "\u0142" * 90
    records = [denied(number, userIdentity={"type": "IAMUser", "arn": arn}) for number in range(3)]
    file = log_file(tmp_path / "trail.json", records)
    with Terminal(command, file, columns=80, PYTHONIOENCODING=encoding, LC_ALL="C") as terminal:
        text = "\n".join(terminal.end(encoding))
    assert ("Zo?" if encoding == "ascii" else "Zo\u00eb") in text
    assert "????" in text
    assert "\u00c3" not in text  # UTF-8 that is read as Latin-1
