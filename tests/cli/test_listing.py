"""`trailsieve investigate` with selectors: the events, by time, as a table, JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve

EVIL = '<b>=cmd|"/c"!A1\u202e\x1b[31m,"\r\n'


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    top = tmp_path / "archive"
    log_file(
        top / "a.json.gz",
        [denied(5), denied(3, eventName="CreateUser", requestParameters={"userName": "eve"})],
    )
    log_file(top / "b.json.gz", [denied(3, eventName="CreateUser"), denied(1), {"eventName": "CreateUser"}])
    log_file(top / "c.json", [denied(4, userAgent=EVIL, errorCode=None, sourceIPAddress="=1+1")])
    return top


def rows(out: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(out.decode(), newline="")))


def test_json_lines_are_the_exact_records_by_time_and_each_once(archive: Path) -> None:
    result = trailsieve("investigate", archive, "--ip", "198.51.100.7")
    assert result.code == 0
    assert [json.dumps(denied(1), separators=(",", ":")), *result.lines[1:]] == result.lines
    assert [record["eventTime"][14:16] for record in result.objects] == ["01", "03", "05"]
    assert "3 of 6 events in 3 files · 1 duplicate not shown again" in result.err


def test_a_record_without_a_time_comes_last(archive: Path) -> None:
    listed = trailsieve("investigate", archive, "--event", "CreateUser").objects
    assert [record.get("eventTime") for record in listed] == ["2026-03-14T02:03:00Z", None]


def test_csv_with_columns(archive: Path) -> None:
    columns = "id,event,ip,agent,$.requestParameters.userName"
    result = trailsieve("investigate", archive, "--principal", "mia", "--format", "csv", "--columns", columns)
    header, *body = rows(result.out)
    assert header == columns.split(",")
    assert [row[1] for row in body] == ["ListUsers", "CreateUser", "ListUsers", "ListUsers"]
    assert body[1][0] == denied(3)["eventID"]
    assert body[1][4] == "eve"
    assert body[2][2:4] == ["'=1+1", '<b>=cmd|"/c"!A1��[31m,"␍⏎']
    assert result.out.count(b"\r\n") == result.out.count(b"\n") == 5


def test_columns_without_a_format_are_csv_in_a_pipe_and_a_table_on_a_terminal(archive: Path) -> None:
    options = (
        "investigate",
        archive,
        "--event",
        "CreateUser",
        "--columns",
        "event,$.requestParameters.userName",
    )
    assert rows(trailsieve(*options).out)[0] == ["event", "$.requestParameters.userName"]
    shown = trailsieve(*options, terminal=True).lines
    assert shown[0].split() == ["EVENT", "$.requestParameters.userName"]
    assert shown[1].split() == ["CreateUser", "eve"]


def test_a_table_of_hostile_texts_has_one_plain_line_an_event(archive: Path) -> None:
    columns = ("--columns", "time,agent,ip")
    result = trailsieve("investigate", archive, "--principal", "mia", "--format", "table", *columns)
    assert len(result.lines) == 1 + 4
    assert all(line.isprintable() for line in result.lines)


def test_alerts_of_replay_as_csv(archive: Path, tmp_path: Path) -> None:
    file = tmp_path / "alerts.csv"
    trailsieve("replay", archive, "--format", "csv", "--columns", "rule,time,count", "--output", file)
    times = ["2026-03-14T02:05:00Z", "2026-03-14T02:03:00Z", "2026-03-14T02:01:00Z"]
    assert rows(file.read_bytes()) == [
        ["rule", "time", "count"],
        *(["cis-aws-4.1", time, "1"] for time in times),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("replay", "--columns", "tiem"), "--columns: no column 'tiem': did you mean `time`?"),
        (
            ("replay", "--columns", "time", "--format", "ocsf"),
            "--columns chooses the columns of a table or of CSV",
        ),
        (("investigate", "--columns", "time", "--format", "jsonl"), "--format jsonl has none"),
        (("investigate", "--format", "csv", "--report", "x.md"), "print a list of events"),
    ],
)
def test_what_does_not_go_together(options: tuple[str, ...], message: str, archive: Path) -> None:
    result = trailsieve(*options, archive)
    assert (result.code, result.out) == (2, b"")
    assert message in result.err


def test_the_investigation_of_selected_events(archive: Path) -> None:
    whole = trailsieve("investigate", archive, "--format", "json")
    part = trailsieve("investigate", archive, "--event", "CreateUser", "--format", "json")
    assert whole.code == part.code == 0
    assert "ListUsers" in whole.out.decode()
    assert "ListUsers" not in part.out.decode()


def test_nothing_selected(archive: Path) -> None:
    result = trailsieve("investigate", archive, "--ip", "203.0.113.1", "--event", "CreateUser")
    assert (result.code, result.out) == (1, b"")
    assert "the options select 0; each by itself: --ip 203.0.113.1 0, --event CreateUser 3" in result.err


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        ("60", ["2026-03-14T02:03:00Z", "CreateUser", "✗", "eve", "user/mia"]),
        (
            "",
            [
                "2026-03-14T02:03:00Z",
                "CreateUser",
                "eve",
                "111122223333:user/mia",
                "198.51.100.7",
                "us-east-1",
                "AccessDenied",
            ],
        ),
    ],
)
def test_a_failed_call_looks_failed_and_a_pipe_cuts_nothing(
    columns: str, row: list[str], archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = trailsieve("investigate", archive, "--event", "CreateUser", "--format", "table").lines
    assert shown[1].split() == row


@pytest.mark.parametrize(
    "options",
    [("--account", "12"), ("--event", ""), ("--region", " "), ("--report", "missing/x.html")],
)
@pytest.mark.parametrize("command", ["investigate", "replay"])
def test_values_that_select_nothing_are_refused(
    command: str, options: tuple[str, str], archive: Path
) -> None:
    result = trailsieve(command, archive, *options)
    assert result.code == 2
    assert options[0] in result.err
