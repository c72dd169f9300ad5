"""The samples do what they say: the archive, its alerts, the events, the patterns, the commands to try."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import trailsieve

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "samples"
README = (SAMPLES / "README.md").read_text("utf-8")
ALERTS = [json.loads(line) for line in (SAMPLES / "expected-alerts.jsonl").read_bytes().splitlines()]
COMMANDS = README.partition("```sh\n")[2].partition("```")[0].splitlines()


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one-process", "two-workers"])
def test_the_archive_raises_the_expected_alerts_to_the_byte(workers: tuple[str, ...]) -> None:
    result = trailsieve("replay", "samples/archive", *workers)
    assert result.code == 0
    assert result.out == (SAMPLES / "expected-alerts.jsonl").read_bytes()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_alarms_tell_the_intrusion_in_a_handful_of_alerts(workers: str) -> None:
    found = trailsieve(
        "replay", "samples/archive", "--rules", "samples/rules/alarms.toml", "--workers", workers
    )
    assert [
        (alert["rule"], alert["window"]["start"][11:16], alert["summary"]) for alert in found.objects
    ] == [
        (
            *("denied-calls", "02:15"),
            "user/build-bot made 16 denied calls from 203.0.113.77 in us-east-1 in 5 minutes "
            "(AssumeRole, DescribeInstances, DescribeOrganization and 12 more)",
        ),
        (
            *("denied-in-many-services", "02:15"),
            "user/build-bot made 16 denied calls from 203.0.113.77 in us-east-1 in 5 minutes "
            "(AssumeRole, DescribeInstances, DescribeOrganization and 12 more); 6 different eventSource",
        ),
        (
            *("password-guessed", "02:37"),
            "2 principals made 3 ConsoleLogin calls from 203.0.113.77 in us-east-1 in 74 seconds; "
            "2 of them by j.marlow",
        ),
        (
            *("console-guessing", "02:35"),
            "j.marlow made 6 ConsoleLogin calls from 203.0.113.77 in us-east-1 in 5 minutes",
        ),
        (
            *("privileged-changes", "02:30"),
            "user/j.marlow made 3 calls from 203.0.113.77 in us-east-1 in 15 minutes "
            "(AttachUserPolicy, CreateAccessKey, CreatePolicyVersion)",
        ),
        (
            *("risky-changes", "02:45"),
            "user/build-bot made 5 calls from 203.0.113.77 in eu-west-1 in 15 minutes "
            "(AttachInternetGateway, AuthorizeSecurityGroupIngress, CreateInternetGateway and 2 more)",
        ),
        (
            "root-active",
            "03:00",
            "root made 1 ConsoleLogin call from 203.0.113.94 in us-east-1 in 15 minutes",
        ),
        (
            *("trail-stopped", "03:15"),
            "user/build-bot made 2 calls from 203.0.113.77 in eu-west-1 in 5 minutes (DeleteTrail, StopLogging)",
        ),
    ]


def test_the_tests_of_the_team_hold() -> None:
    result = trailsieve("test", "samples/rules")
    assert (result.code, result.err) == (0, "")
    assert result.lines[-1].endswith(" passed, 0 failed")
    assert "no tests" not in result.out.decode()


def content(file: Path) -> bytes:
    """What a gzip file holds, as far as it goes."""
    return zlib.decompressobj(31).decompress(file.read_bytes())


def test_the_generator_writes_the_same_archive(tmp_path: Path) -> None:
    """Compression may differ with zlib, and with it the digest's hashes and where the cut falls."""
    shutil.copy(SAMPLES / "make_archive.py", tmp_path)
    shutil.copytree(SAMPLES / "story", tmp_path / "story")
    runpy.run_path(str(tmp_path / "make_archive.py"), run_name="__main__")
    files, made = (
        {f.relative_to(top): f for f in top.rglob("*.gz")}
        for top in (SAMPLES / "archive", tmp_path / "archive")
    )
    assert files.keys() == made.keys()
    for name, file in files.items():
        old, new = content(file), content(made[name])
        if "777788889999_CloudTrail_eu-central-1_20260314T0325Z" in name.name:
            old, new = old[:4000], new[:4000]
        if "Digest" not in name.name:
            assert old == new, name


EVENTS = [
    "access-denied",
    "console-login-no-mfa",
    "root-by-service",
    "root-login",
    "security-group-opened",
    "stop-logging",
]


@pytest.mark.parametrize(
    ("pattern", "in_archive", "events"),
    [
        (
            "changes-from-blocked-range",
            25,
            ["console-login-no-mfa", "root-login", "security-group-opened", "stop-logging"],
        ),
        ("console-login-without-mfa", 2, ["console-login-no-mfa", "root-login"]),
        ("denied-calls", 42, ["access-denied"]),
        ("key-deleted-within-two-weeks", 1, []),
        ("root-user-active", 1, ["root-login"]),
    ],
)
def test_a_pattern_finds_what_its_name_says(pattern: str, in_archive: int, events: list[str]) -> None:
    text = (SAMPLES / "patterns" / f"{pattern}.txt").read_text("utf-8").strip()
    assert trailsieve("match", "-c", text, "samples/archive").out == b"%d\n" % in_archive
    files = {event: f"samples/events/{event}.json" for event in EVENTS}
    assert [event for event, file in files.items() if trailsieve("match", text, file).code == 0] == events


def test_every_event_and_pattern_is_tried_here() -> None:
    assert sorted(path.stem for path in (SAMPLES / "events").iterdir()) == EVENTS
    assert len(list((SAMPLES / "patterns").iterdir())) == 5


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_to_try_work(command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env={**os.environ, "PATH": path}, check=False
    )
    assert done.returncode == (1 if "--explain" in command else 0), done.stderr
    assert done.stdout


def by_intruder(rule: str, **fields: str) -> list[dict[str, Any]]:
    found = [
        alert for alert in ALERTS if alert["rule"] == rule and alert["source_ip"].startswith("203.0.113.")
    ]
    return [alert for alert in found if fields.items() <= alert.items()]


def time_of(alert: dict[str, Any]) -> str:
    return str(alert["time"])


def test_the_story_is_told_by_the_alerts() -> None:
    """Numbers and times of the README's story."""
    told = dict(re.findall(r"^\d\. \*\*([\d:]+)\*\* (.*(?:\n   .*)?)", README, re.MULTILINE))
    assert list(told) == ["02:16", "02:35", "02:41", "02:48", "03:11"]

    probes = [alert for alert in by_intruder("cis-aws-4.1") if alert["time"] < "2026-03-14T02:35"]
    assert f"{len(probes)} calls in two regions are denied" in told["02:16"]
    assert len({alert["region"] for alert in probes}) == 2
    assert min(map(time_of, probes))[11:16] == "02:16"

    logins = [alert for alert in by_intruder("cis-aws-4.2") if alert["principal"].endswith("j.marlow")]
    tries = [alert["records"][0]["responseElements"]["ConsoleLogin"] for alert in sorted(logins, key=time_of)]
    assert "seventh try" in told["02:35"]
    assert tries == ["Failure"] * 6 + ["Success"]

    root = by_intruder("cis-aws-4.3", event_name="ConsoleLogin")
    trail = by_intruder("cis-aws-4.5")
    assert [alert["time"][11:16] for alert in root] == ["03:11"]
    assert [(alert["time"][11:16], alert["event_name"], alert["error_code"]) for alert in trail] == [
        ("03:17", "StopLogging", None),
        ("03:17", "DeleteTrail", "AccessDenied"),
    ]


def test_the_flaws_of_the_archive_are_reported(tmp_path: Path) -> None:
    file = tmp_path / "summary.json"
    trailsieve("replay", "samples/archive", "--summary-json", file)
    summary = json.loads(file.read_text())
    assert summary["skipped"] == {"Insight file": 1, "digest file": 1, "truncated": 1}
    assert summary["duplicates"] > 0


def test_a_snippet_that_is_introduced_as_a_sample_is_in_that_file() -> None:
    introduced = re.compile(r"\]\(\.\./(samples/[\w/.-]+)\)[^\n]*:\n\n```toml\n(.*?)```", re.DOTALL)
    snippets = [found for page in Path("docs").glob("*.md") for found in introduced.findall(page.read_text())]
    assert [file for file, snippet in snippets if snippet not in Path(file).read_text()] == []
