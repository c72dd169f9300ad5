"""`trailsieve replay --as-streamed`: what a stream would have raised, and when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import denied, log_file, trailsieve

START = datetime(2026, 3, 14, tzinfo=UTC)
RULES = """
[[rule]]
id = "denied"
pattern = '{ $.errorCode = "AccessDenied" }'
alarm = { threshold = 3, period = "5m", allowed_lateness = "5m" }
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


def at(number: int, seconds: int) -> dict[str, Any]:
    """A denied call so long after midnight."""
    return denied(number, eventTime=f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}")


def delivered(folder: Path, minute: int, name: str, *records: dict[str, Any]) -> Path:
    """A file as CloudTrail names it, with the time of its delivery."""
    name = f"111122223333_CloudTrail_eu-west-1_20260314T00{minute:02}Z_{name}.json.gz"
    return log_file(folder / name, records)


def raised(*arguments: str | Path) -> list[tuple[str, int, str]]:
    """Id, count and what an alert is, in their order."""
    alerts = trailsieve("replay", "--as-streamed", *arguments).objects
    return [
        (alert["id"], alert["count"], next((n for n in ("provisional", "confirms") if n in alert), "final"))
        for alert in alerts
    ]


def test_an_alarm_is_provisional_first_and_confirmed_with_the_counts_of_late_events(
    tmp_path: Path, rules: Path
) -> None:
    folder = tmp_path / "archive"
    # In the order of their names the last file would come first.
    delivered(folder / "z", 5, "first", *(at(n, 10 * n) for n in range(3)))
    delivered(folder / "y", 9, "late", at(3, 200))
    delivered(folder / "a", 20, "later", at(4, 1100))
    (early, confirmed) = raised(folder, "--rules", rules)
    assert early[1:] == (3, "provisional")
    assert confirmed == (early[0], 4, "confirms")


def test_an_alert_of_an_earlier_period_replaces_the_provisional_one(tmp_path: Path, rules: Path) -> None:
    folder = tmp_path / "archive"
    rules.write_text(RULES.replace('"5m", a', '"1m", evaluation_periods = 2, datapoints_to_alarm = 1, a'))
    delivered(folder, 5, "first", *(at(n, 70 + n) for n in range(3)))
    delivered(folder, 6, "late", *(at(n, n) for n in range(3, 6)))
    delivered(folder, 20, "later", at(9, 1100))
    alerts = trailsieve("replay", "--as-streamed", folder, "--rules", rules).objects
    early, final = alerts
    assert early["provisional"]
    assert final["replaces"] == early["id"] != final["id"]


def test_lines_of_a_file_come_one_by_one(tmp_path: Path, rules: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = [json.dumps(at(n, 10 * n)) for n in range(5)]
    path.write_text("\n".join([*lines, "no JSON", json.dumps(at(5, 1100))]))
    early, confirmed = raised(path, "--rules", rules)
    assert (early[1], confirmed[1]) == (3, 5)
    result = trailsieve("replay", "--as-streamed", path, "--rules", rules)
    assert "events.jsonl, record 6: not JSON" in result.err


def test_final_alerts_of_the_sample_archive_are_those_of_a_replay(tmp_path: Path) -> None:
    given = ("samples/archive", "--rules", "samples/rules/alarms.toml")
    summary = tmp_path / "summary.json"
    replayed = [alert["id"] for alert in trailsieve("replay", *given).objects]
    shown = raised(*given, "--summary-json", summary)
    early = [identity for identity, _, what in shown if what == "provisional"]
    assert {identity for identity, _, what in shown if what != "provisional"} == set(replayed)
    assert set(early) == set(replayed)
    counts = json.loads(summary.read_text())
    assert (counts["provisional"], counts["confirmed"]) == (len(early), len(replayed))
    assert sum(counts["alerts"].values()) == len(replayed)


@pytest.mark.parametrize("form", ["ecs", "ocsf", "cef", "leef", "asff", "table"])
def test_every_format_says_what_is_provisional(tmp_path: Path, rules: Path, form: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(at(n, 10 * n)) for n in range(3)))
    lines = trailsieve("replay", "--as-streamed", path, "--rules", rules, "--format", form).lines
    early, confirmed = lines[-2:]
    assert "Provisional: " in early
    assert "Confirmed: " in confirmed


def test_a_bucket_is_to_be_downloaded_first() -> None:
    result = trailsieve("replay", "--as-streamed", "s3://trail/AWSLogs")
    assert result.code == 2
    assert "aws s3 sync" in result.err
