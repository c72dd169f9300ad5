"""`trailsieve replay`: alerts, summary, dead letters, and which stream says what."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve

CONTRACT = {
    *(
        "id",
        "rule",
        "title",
        "severity",
        "kind",
        "time",
        "account",
        "region",
        "count",
        "principal",
        "source_ip",
    ),
    *(
        "user_agent",
        "event_name",
        "event_source",
        "error_code",
        "targets",
        "effect",
        "dimensions",
        "tags",
        "references",
        "records",
    ),
    *("records_omitted", "position", "state", "window", "summary", "context"),
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Three alerts of cis-aws-4.1 in two files, one of them repeated; a damaged file and a bad record."""
    top = tmp_path / "archive"
    log_file(top / "a.json.gz", [denied(1), {"eventName": "Decrypt"}, denied(2)])
    log_file(top / "b.json.gz", [denied(2), denied(3)])
    (top / "c.json").write_bytes(b"\xff\x00 no JSON")
    (top / "d.json").write_text('{"Records":[' + json.dumps(denied(1)) + ',"AccessDenied"]}')
    (top / "notes.md").write_text("not for replay")
    return top


def test_alerts_are_json_lines_of_the_contract(archive: Path) -> None:
    result = trailsieve("replay", archive)
    assert result.code == 0
    assert {frozenset(alert) for alert in result.objects} == {frozenset(CONTRACT)}
    first = result.objects[0]
    assert first == first | {
        "rule": "cis-aws-4.1",
        "severity": "low",
        "kind": "match",
        "time": "2026-03-14T02:01:00Z",
        "account": "111122223333",
        "region": "us-east-1",
        "count": 1,
        "principal": "arn:aws:iam::111122223333:user/mia",
        "source_ip": "198.51.100.7",
        "user_agent": "aws-cli/2.1",
        "event_name": "ListUsers",
        "event_source": "iam.amazonaws.com",
        "error_code": "AccessDenied",
        "records": [denied(1)],
        "records_omitted": 0,
        "state": None,
        "window": None,
        "summary": "user/mia called ListUsers of iam.amazonaws.com from 198.51.100.7 in us-east-1: AccessDenied",
        "context": None,
        "position": f"{archive}/a.json.gz#1",
    }


def test_an_event_that_stands_in_two_files_raises_one_alert(archive: Path) -> None:
    times = [alert["time"] for alert in trailsieve("replay", archive).objects]
    assert times == [f"2026-03-14T02:0{minute}:00Z" for minute in (1, 2, 3)]


def test_stdout_is_for_machines_and_stderr_for_people(archive: Path) -> None:
    result = trailsieve("replay", archive)
    assert len(result.objects) == 3
    assert f"trailsieve: {archive}/c.json: not JSON" in result.err
    assert f"trailsieve: {archive}/d.json, record 2: a record is a JSON object" in result.err
    assert "3 alerts · 2 duplicates not raised again · 1 record could not be read" in result.err
    assert "skipped: 1 × not a log file" in result.err


def test_messages_as_json_are_json_only(archive: Path) -> None:
    result = trailsieve("replay", "--log-format", "json", archive)
    warning, whole, record, summary = [json.loads(line) for line in result.err.splitlines()]
    assert (warning["object"], warning["read"]) == (f"{archive}/c.json", True)
    assert (whole["object"], whole["read"]) == (f"{archive}/c.json", False)
    assert (record["object"], record["record"], record["read"]) == (f"{archive}/d.json", 2, False)
    assert (summary["message"], summary["alerts"]) == ("summary", {"cis-aws-4.1": 3})


def test_summary_json(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    trailsieve("replay", "--summary-json", file, archive)
    summary = json.loads(file.read_text())
    problems = summary.pop("problems")
    assert summary.pop("bytes") > 1000
    assert summary.pop("rules") == {
        "cis-aws-4.1": {
            "first": "2026-03-14T02:01:00Z",
            "last": "2026-03-14T02:03:00Z",
            "principals": {"arn:aws:iam::111122223333:user/mia": 3},
            "sources": {"198.51.100.7": 3},
        }
    }
    assert summary == {
        "files": 4,
        "records": 6,
        "unreadable_records": 1,
        "skipped": {"not JSON": 1, "not a log file": 1},
        "duplicates": 2,
        "matches": {"cis-aws-4.1": 5},
        "alerts": {"cis-aws-4.1": 3},
        **{"late": {}, "over_max_keys": {}, "excepted": {}, "expired": {}},
    }
    assert [(problem["object"], problem.get("record")) for problem in problems if not problem["read"]] == [
        (f"{archive}/c.json", None),
        (f"{archive}/d.json", 2),
    ]


def test_dead_letters_keep_what_could_not_be_read(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    trailsieve("replay", "--dead-letters", file, archive)
    whole, record = map(json.loads, file.read_text().splitlines())
    assert whole["object"] == f"{archive}/c.json"
    assert base64.b64decode(whole["base64"]) == b"\xff\x00 no JSON"
    assert record == {
        "object": f"{archive}/d.json",
        "record": 2,
        "reason": "a record is a JSON object; this is a string",
        "text": '"AccessDenied"',
    }


def test_dead_letters_are_appended(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text("before\n")
    trailsieve("replay", "--dead-letters", file, archive)
    assert [line[:6] for line in file.read_text().splitlines()] == ["before", '{"obje', '{"obje']


@pytest.mark.parametrize(("form", "first"), [(None, '{"id":'), ("jsonl", '{"id":'), ("table", "TIME  ")])
def test_output_goes_to_a_file(form: str | None, first: str, archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "alerts"
    options = ("--format", form) if form else ()
    result = trailsieve("replay", archive, "--output", file, *options, terminal=True)
    assert (result.code, result.out) == (0, b"")
    assert file.read_text().startswith(first)


def test_a_table_on_a_terminal_and_json_lines_elsewhere(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "190")
    table = trailsieve("replay", "--format", "table", archive)
    assert table.lines[0].split() == [
        "TIME",
        "SEVERITY",
        "RULE",
        "EVENT",
        "TARGET",
        "PRINCIPAL",
        "SOURCE",
        "ERROR",
    ]
    assert table.lines[1].split() == [
        *("2026-03-14T02:01:00Z", "low", "cis-aws-4.1", "ListUsers", "111122223333:user/mia"),
        *("198.51.100.7", "AccessDenied"),
    ]
    assert trailsieve("replay", "--color", "never", archive, terminal=True).out == table.out
    lines = trailsieve("replay", archive)
    assert trailsieve("replay", "--format", "jsonl", archive, terminal=True).out == lines.out


def test_rules_may_be_repeated(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[[rule]]\nid = 'own'\npattern = '{ $.eventName = Decrypt }'\nseverity = 'critical'\n")
    result = trailsieve("replay", "--rules", file, "--rules", "cis-aws-tuned", archive)
    assert [alert["rule"] for alert in result.objects] == [
        *("cis-aws-tuned-4.1", "own", "cis-aws-tuned-4.1", "cis-aws-tuned-4.1"),
    ]
    alone = trailsieve("replay", "--rules", file, archive)
    assert [alert["severity"] for alert in alone.objects] == ["critical"]


def test_an_archive_that_was_copied_twice_prints_the_same_ids(archive: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(archive, tmp_path / "elsewhere" / "copy")
    ids = [[alert["id"] for alert in trailsieve("replay", top).objects] for top in (archive, copy)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    result = trailsieve("replay", tmp_path)
    assert (result.code, result.out) == (0, b"")
    assert f"trailsieve: nothing to read in {tmp_path}" in result.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'INPUT...'"),
        (("no-such-folder",), "no-such-folder: no such file or directory"),
        (("https://bucket/prefix",), "the only URLs are s3://bucket/prefix"),
        ((".", "--since", "yesterday"), "--since 'yesterday': not a time; use 2026-03-14T02:00:00Z"),
        ((".", "--since", "2026-03-15", "--until", "2026-03-14"), "is not before --until"),
        ((".", "--workers", "0"), "--workers"),
        ((".", "--format", "xml"), "'xml' is not one of"),
        ((".", "--rules", "no-such-pack"), "Built in: aws-threats, cis-aws, cis-aws-tuned"),
    ],
)
def test_wrong_use_is_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    result = trailsieve("replay", *arguments)
    assert (result.code, result.out) == (2, b"")
    assert said in result.err
    assert "Traceback" not in result.err


def test_an_output_that_cannot_be_written_is_exit_code_3(archive: Path, tmp_path: Path) -> None:
    result = trailsieve("replay", archive, "--output", tmp_path / "no" / "such" / "folder")
    assert (result.code, result.out) == (3, b"")
    assert result.err.startswith("trailsieve: ")
    assert "No such file or directory" in result.err


def test_severities_have_a_colour_on_a_terminal_only(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = b"\x1b[36mlow     \x1b[0m"
    assert trailsieve("replay", archive, terminal=True).out.count(coloured) == 3
    assert trailsieve("replay", "--color", "always", "--format", "table", archive).out.count(coloured) == 3
    for options in ([], ["--format", "table"], ["--format", "cef", "--color", "always"]):
        assert b"\x1b" not in trailsieve("replay", *options, archive).out
    assert b"\x1b" not in trailsieve("replay", "--color", "never", archive, terminal=True).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert b"\x1b" not in trailsieve("replay", archive, terminal=True).out
