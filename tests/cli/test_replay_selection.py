"""`trailsieve replay --since --until --account --region`: which files are opened and which records count."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve

MAIN, OTHER = "111122223333", "444455556666"
SPARE = {"eventName": "ListUsers", "errorCode": "AccessDenied", "sourceIPAddress": "192.0.2.1"}


def key(account: str, region: str, time: str) -> str:
    folder = f"AWSLogs/{account}/CloudTrail/{region}/2026/03/14"
    return f"{folder}/{account}_CloudTrail_{region}_20260314T{time}Z_aaaaaaaaaaaaaaaa.json.gz"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two accounts, two regions and a file without a telling name."""
    log_file(tmp_path / key(MAIN, "us-east-1", "0205"), [denied(1), denied(2), denied(3)])
    log_file(tmp_path / key(MAIN, "eu-west-1", "0210"), [denied(4, awsRegion="eu-west-1")])
    log_file(tmp_path / key(OTHER, "us-east-1", "0215"), [denied(5, recipientAccountId=OTHER)])
    log_file(tmp_path / key(MAIN, "us-east-1", "0600"), [denied(6)])
    log_file(tmp_path / "loose.json", [denied(7), denied(8, recipientAccountId=OTHER, awsRegion="eu-west-1")])
    log_file(tmp_path / "vague.json", [SPARE])
    return tmp_path


def minutes(archive: Path, *options: str) -> list[int | None]:
    """The minutes of the alerts' times; None is the record that does not say when and where it was."""
    alerts = trailsieve("replay", archive, *options).objects
    return sorted(
        (int(alert["time"][14:16]) if alert["time"] else None for alert in alerts), key=lambda m: m or 99
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [1, 2, 3, 4, 5, 6, 7, 8, None]),
        (("--since", "2026-03-14T02:03:00Z"), [3, 4, 5, 6, 7, 8, None]),
        (("--since", "2026-03-14T02:03:01Z"), [4, 5, 6, 7, 8, None]),
        (("--until", "2026-03-14T02:03:00Z"), [1, 2, None]),
        (("--since", "2026-03-14T03:02:00+01:00", "--until", "2026-03-14T02:04:00"), [2, 3, None]),
        (("--since", "2026-03-15"), [None]),
        (("--since", "2026-03-14", "--until", "2026-03-15"), [1, 2, 3, 4, 5, 6, 7, 8, None]),
        (("--account", MAIN), [1, 2, 3, 4, 6, 7, None]),
        (("--account", OTHER), [5, 8, None]),
        (("--account", MAIN, "--account", OTHER), [1, 2, 3, 4, 5, 6, 7, 8, None]),
        (("--region", "eu-west-1"), [4, 8, None]),
        (("--region", "eu-west-1", "--account", OTHER), [8, None]),
        (("--region", "eu-west-1", "--region", "us-east-1"), [1, 2, 3, 4, 5, 6, 7, 8, None]),
        (("--region", "ap-south-2"), [None]),
    ],
)
def test_only_the_selected_records_raise_alerts(
    options: tuple[str, ...], expected: list[int | None], archive: Path
) -> None:
    assert minutes(archive, *options) == expected


@pytest.mark.parametrize("unit", ["90000s", "1500m", "25h", "2d", "1w"])
def test_a_span_counts_back_from_now(unit: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    times = [f"{now - timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}" for hours in (24, 24 * 8)]
    log_file(tmp_path / "trail.json", [denied(n, eventTime=time) for n, time in enumerate(times)])
    alerts = trailsieve("replay", tmp_path, "--since", unit).objects
    assert [alert["time"] for alert in alerts] == times[:1]


@pytest.mark.parametrize(
    ("options", "skipped"),
    [
        (("--since", "2026-03-14T02:12:00Z"), {"delivered before --since": 2}),
        (("--until", "2026-03-14T04:00:00Z"), {"delivered long after --until": 1}),
        (("--account", OTHER), {"other account": 3}),
        (("--region", "eu-west-1"), {"other region": 3}),
    ],
)
def test_files_that_cannot_hold_such_records_are_not_opened(
    options: tuple[str, ...], skipped: dict[str, int], archive: Path, tmp_path: Path
) -> None:
    for file in archive.glob("AWSLogs/**/*.gz"):
        file.write_bytes(b"damaged")
    summary = tmp_path / "summary"
    trailsieve("replay", archive, *options, "--summary-json", summary)
    read = 4 - sum(skipped.values())
    assert json.loads(summary.read_text())["skipped"] == skipped | {"not gzip": read}
