"""`trailsieve investigate`: the story of an archive as text, JSON and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import Result, log_file, trailsieve
from tests.investigation.night import call, makes_key, user

SAMPLES = Path(__file__).parents[2] / "samples" / "archive"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A user makes a key and stops the trail; another reads."""
    mia, bob = user("mia"), user("bob", address="192.0.2.4")
    log_file(tmp_path / "archive" / "a.json.gz", [call(bob, n, "ec2:DescribeInstances") for n in range(20)])
    log_file(
        tmp_path / "archive" / "b.json.gz",
        [makes_key(mia, 5, "mia", "AKIATWO"), call(mia, 6, "cloudtrail:StopLogging", {"name": "main"})],
    )
    return tmp_path / "archive"


def shown(result: Result) -> str:
    assert result.code == 0, result.err
    return result.out.decode()


def test_the_verdict_comes_first(archive: Path) -> None:
    text = shown(trailsieve("investigate", archive))
    first, second, *_ = text.splitlines()
    assert first == "VERDICT"
    assert second.startswith(
        "  • user/mia in account 444455556666 made an access key for itself and stopped trail main"
    )
    assert "access key AKIATWO" in text
    assert "\x1b" not in text


def test_nothing_decisive_is_no_error(archive: Path) -> None:
    (archive / "b.json.gz").unlink()
    assert "nobody did anything decisive" in shown(trailsieve("investigate", archive))


def test_nothing_to_read_is_told(tmp_path: Path) -> None:
    result = trailsieve("investigate", tmp_path)
    assert "no CloudTrail records were read" in shown(result)
    assert "nothing to read" in result.err


def test_json_is_the_whole_investigation(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    assert shown(trailsieve("investigate", archive, "--format", "json", "--output", file)) == ""
    found = json.loads(file.read_text())
    assert found["suspects"][0]["left_behind"] == [
        "access key AKIATWO, 00:05 by user/mia, not used in this archive",
        "stopped trail main, 00:06 by user/mia",
    ]
    assert [one["principal"].rpartition("/")[2] for one in found["principals"]] == ["bob", "mia"]
    assert found["records"] == 22
    assert file.stat().st_mode & 0o077 == 0


def test_options_narrow_it_as_in_a_replay(archive: Path) -> None:
    found = json.loads(
        shown(trailsieve("investigate", archive, "--format", "json", "--until", "2026-05-04T00:05:30Z"))
    )
    assert {call["event_name"] for call in found["suspects"][0]["steps"]} == {"CreateAccessKey"}
    assert found["last"] == "2026-05-04T00:05:00Z"


def test_every_principal_is_listed(archive: Path) -> None:
    _, *rows = shown(trailsieve("investigate", archive, "--principals")).splitlines()
    assert [row.split()[:3] for row in rows] == [["user/bob", "20", "0"], ["user/mia", "2", "0"]]


@pytest.mark.parametrize(("ending", "begins"), [("md", "# Investigation"), ("html", "<!doctype html>")])
def test_a_report_is_written(archive: Path, tmp_path: Path, ending: str, begins: str) -> None:
    file = tmp_path / f"report.{ending}"
    result = trailsieve("investigate", archive, "--report", file)
    assert shown(result).startswith("VERDICT")
    assert f"wrote {file}" in result.err
    assert file.read_text("utf-8").lower().startswith(begins.lower())
    assert "StopLogging" in file.read_text("utf-8")


def test_workers_change_nothing() -> None:
    one, two = (
        shown(trailsieve("investigate", SAMPLES, "--workers", str(n), "--format", "json")) for n in (1, 2)
    )
    left, right = json.loads(one), json.loads(two)
    assert left | {"appendix": []} == right | {"appendix": []}


def test_the_intruder_of_the_sample_is_found() -> None:
    text = shown(trailsieve("investigate", SAMPLES))
    screen = "\n".join(text.splitlines()[:45])
    for name in (
        "user/build-bot",
        "user/j.marlow",
        "root",
        "CreateAccessKey",
        "AttachUserPolicy",
        "StopLogging",
    ):
        assert name in screen
    assert "203.0.113.77" in screen


def test_the_attack_of_an_exercise_is_told(shared: Path) -> None:
    text = shown(trailsieve("investigate", shared / "data" / "events" / "invictus-a.jsonl.gz"))
    screen = "\n".join(text.splitlines()[:45])
    assert "• user/bert-jan in account 123837392027" in screen
    order = [screen.index(name) for name in ("AssumeRole", "StopLogging", "LeaveOrganization")]
    assert order == sorted(order)
    assert screen.count("continues as role/stratus-red-team") >= 4
    for name in ("opens port 22 to 0.0.0.0/0", "ModifyDBSnapshotAttribute: shares the snapshot with account"):
        assert name in screen


def test_without_an_event_the_answer_is_no(root: Path) -> None:
    result = trailsieve("investigate", root / "samples/archive", "--region", "mars-1", "--format", "text")
    assert result.code == 1
    assert "Nothing can be concluded" in result.out.decode()
