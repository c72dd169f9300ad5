"""`replay --plan` says what there is to read before anything is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.console import trailsieve
from tests.servers import latent_s3
from tests.servers.moto import ENVIRONMENT


def test_files_are_counted(root: Path) -> None:
    done = trailsieve("replay", root / "samples/archive", "--plan")
    assert done.out.decode().splitlines() == [
        "31 files, 0.1 MB",
        "  skipped: 1 × Insight file",
        "  skipped: 1 × digest file",
    ]


def test_a_bucket_is_listed_and_a_few_objects_are_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with latent_s3.running("--folder", str(root / "samples/archive")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        done = trailsieve("replay", f"s3://{latent_s3.BUCKET}/AWSLogs", "--plan", "--workers", "2")
        counts = server.counts()
    assert counts["GET"] == 31
    first, *skipped, requests, duration = done.out.decode().splitlines()
    assert first == "31 objects, 0.1 MB"
    assert skipped == ["  skipped: 1 × Insight file", "  skipped: 1 × digest file"]
    assert re.fullmatch(
        rf"{counts['LIST']} requests to list them, which took [\d.]+ s, and 31 to read them: \$0\.00 at the "
        "prices of us-east-1, transfer out of the region apart",
        requests,
    )
    assert re.fullmatch(
        r"about \d+ seconds? with 2 processes: the first 31 objects were read at [\d,]+ a second", duration
    )


def test_more_days_cost_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with latent_s3.running("--accounts", "30", "--days", "5") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        url = f"s3://{latent_s3.BUCKET}/"
        whole = trailsieve("replay", url, "--plan").out.decode()
        day = trailsieve(
            "replay", url, "--plan", "--since", "2026-03-14", "--until", "2026-03-14T12:00Z"
        ).out.decode()
        assert server.counts()["GET"] == 2 * 256
    assert whole.startswith("10,200 objects, 0.1 MB\n")
    assert int(day.split(" ", 1)[0].replace(",", "")) < 10_200
    assert "and 10,200 to read them: $0.01 at" in whole
