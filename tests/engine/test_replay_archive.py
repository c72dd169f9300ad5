"""A replay of a real archive with damaged files in it: every record read once, every damage named."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import Result, trailsieve

REASONS = {
    "EmptyFile": "empty: the file has no bytes",
    "EmptyGzip": "empty: the gzip stream has no content",
    "Truncated": "truncated: the gzip stream ends early",
    "NoRecords": "JSON object without `Records`: not a CloudTrail file",
}


@dataclass(frozen=True)
class Replayed:
    """The manifest of the archive, two replays of it and their summaries."""

    files: dict[str, dict[str, Any]]
    results: list[Result]
    summaries: list[bytes]

    @property
    def summary(self) -> dict[str, Any]:
        return dict(json.loads(self.summaries[0]))

    def of_kind(self, kind: str) -> list[str]:
        return [name for name, file in self.files.items() if file["kind"] == kind]


@pytest.fixture(scope="module")
def replayed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    data = shared / "data"
    summary = tmp_path_factory.mktemp("replayed") / "summary.json"
    results, summaries = [], []
    for _ in range(2):
        results.append(trailsieve("replay", data / "s3-layout", "--workers", "1", "--summary-json", summary))
        summaries.append(summary.read_bytes())
    manifest = json.loads((data / "s3-layout.manifest.json").read_text("utf-8"))
    return Replayed(manifest["files"], results, summaries)


def test_all_records_are_read(replayed: Replayed) -> None:
    assert replayed.results[0].code == 0
    events = replayed.of_kind("events")
    assert replayed.summary["records"] == sum(replayed.files[name]["records"] for name in events) == 2301
    assert replayed.summary["files"] == len(events) + len(replayed.of_kind("bad"))
    assert replayed.summary["unreadable_records"] == 0


def test_every_damaged_file_is_named_once_with_its_reason(replayed: Replayed) -> None:
    said = [line for line in replayed.results[0].err.splitlines() if line.startswith("trailsieve: ")]
    bad = replayed.of_kind("bad")
    assert len(said) == len(bad) == len(REASONS)
    for name in bad:
        (line,) = (line for line in said if f"/{name}: " in line)
        (reason,) = (reason for mark, reason in REASONS.items() if f"_{mark}" in name)
        assert line.partition(f"/{name}: ")[2].startswith(reason)


def test_what_is_left_aside_is_counted_by_reason(replayed: Replayed) -> None:
    assert replayed.summary["skipped"] == {
        "digest file": len(replayed.of_kind("digest")),
        "Insight file": len(replayed.of_kind("insight")),
        "not a log file": 1,
        "empty": 2,
        "truncated": 1,
        "JSON object without `Records`": 1,
    }


def test_alerts_come_from_whole_files_and_tell_their_place(replayed: Replayed) -> None:
    alerts = replayed.results[0].objects
    assert len(alerts) == sum(replayed.summary["alerts"].values()) > 0
    assert len({alert["id"] for alert in alerts}) == len(alerts)
    for alert in alerts:
        path, _, number = alert["position"].rpartition("#")
        file = replayed.files[path.partition("s3-layout/")[2]]
        assert file["kind"] == "events"
        assert 1 <= int(number) <= file["records"]


def test_a_second_replay_prints_the_same_bytes(replayed: Replayed) -> None:
    first, second = replayed.results
    assert (first.out, first.err) == (second.out, second.err)
    assert replayed.summaries[0] == replayed.summaries[1]
