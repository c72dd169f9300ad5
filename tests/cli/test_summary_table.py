"""The summary on a terminal: as many columns as there is room for, and matches over time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve
from trailsieve.cli.sparkline import sparkline
from trailsieve.errors import cells

ROLE = "arn:aws:sts::111122223333:assumed-role/a-role-with-quite-a-long-name/a-session"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    identity = {"type": "AssumedRole", "arn": ROLE}
    long = denied(30, userIdentity=identity, sourceIPAddress="2001:db8:1234:5678:9abc:def0:1234:5678")
    return log_file(tmp_path / "a.json", [*(denied(n) for n in range(1, 20)), denied(40), long])


def summary(archive: Path) -> list[str]:
    lines = trailsieve("replay", "--color", "never", archive, terminal=True).err.splitlines()
    return lines[lines.index("") + 1 :]


@pytest.mark.parametrize(
    ("columns", "titles"),
    [
        ("80", "rule alerts first top principals top sources"),
        ("120", "rule alerts first top principals top sources last over time"),
        ("200", "rule alerts first top principals top sources last over time"),
    ],
)
def test_no_line_wraps(columns: str, titles: str, archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = summary(archive)
    assert lines[0].split() == titles.split()
    assert max(map(cells, lines)) <= int(columns)
    assert lines[1].startswith("cis-aws-4.1      21  2026-03-14T02:01:00Z  20 ")
    assert "20 198.51.100.7" in lines[1]


def test_a_terminal_too_narrow_for_names_has_no_empty_lines(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "45")
    assert summary(archive)[:3] == [
        "rule         alerts  first",
        "cis-aws-4.1      21  2026-03-14T02:01:00Z",
        "",
    ]


def test_matches_over_time_have_a_start_and_an_end(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    start, rest = summary(archive)[4].split(" ", 1)
    bars, end = rest.rsplit(" ", 1)
    assert (start, end) == ("2026-03-14T02:01:00Z", "2026-03-14T02:40:00Z")
    assert len(bars) == 38
    assert set(bars) == {"▄", "█", " "}
    assert bars[19:28].isspace()


@pytest.mark.parametrize(
    ("encoding", "bars"), [("utf-8", " ▁▄█"), ("ascii", " .=@"), ("latin-1", " .=@"), (None, " .=@")]
)
def test_bars_are_what_the_terminal_can_show(encoding: str | None, bars: str) -> None:
    assert sparkline([0, 1, 50, 100], encoding) == bars
    assert sparkline([0, 0], encoding) == "  "
    assert sparkline([3, 3], encoding) == bars[3] * 2
