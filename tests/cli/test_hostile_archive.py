"""A hostile archive changes nothing in any output but the text: the outputs of its plain twin have the same form."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import hostile_archive
from tests.cli.console import Record, denied, log_file, trailsieve
from tests.hostile_archive import plain

REPLAY, MATCH = ("replay", "--workers", "1"), ("match", "--rules", "cis-aws")
INVESTIGATE = ("investigate", "--workers", "1", "--rules", "aws-threats")
COLUMNS = "time,event,target,effect,principal,access_key,ip,agent,region,account,error,source,id,$.requestParameters"
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The hostile archive and its twin."""
    folder = tmp_path_factory.mktemp("archives")
    return [
        log_file(folder / str(hostile) / "trail.json", hostile_archive.records(hostile=hostile)).parent
        for hostile in (True, False)
    ]


def both(archives: list[Path], *arguments: str, terminal: bool = False) -> tuple[str, str]:
    """What a command prints of each archive, with the same exit code and as many messages."""
    hostile, twin = (
        trailsieve("--color", "never", *arguments, folder, terminal=terminal) for folder in archives
    )
    assert hostile.code == twin.code < 2
    assert hostile.err.count("\n") == twin.err.count("\n")
    assert is_plain(hostile.err)
    return hostile.out.decode(), twin.out.decode()


def is_plain(text: str, more: str = "") -> bool:
    return all(each.isprintable() or each in f"\n{more}" for each in text)


@pytest.mark.parametrize(
    "arguments",
    [
        REPLAY,
        (*REPLAY, "--columns", COLUMNS),
        *((*REPLAY, "--format", form) for form in ("jsonl", "ecs", "ocsf", "asff", "cef", "leef")),
        MATCH,
        ("match", "{ $.eventVersion = * }"),
        ("match", "--explain", "{ $.userAgent = x && $.requestParameters.userName = y }"),
        INVESTIGATE,
        (*INVESTIGATE, "--steps", "500", "--top", "50"),
        (*INVESTIGATE, "--principals"),
        (*INVESTIGATE, "--format", "table"),
        (*INVESTIGATE, "--format", "jsonl"),
        (*INVESTIGATE, "--format", "json"),
        (*INVESTIGATE, "--principal", "mia"),
    ],
    ids=" ".join,
)
def test_a_terminal_gets_as_many_lines_and_no_control_characters(
    arguments: tuple[str, ...], archives: list[Path]
) -> None:
    hostile, twin = both(archives, *arguments, terminal=True)
    assert hostile.count("\n") == twin.count("\n") > 10
    assert is_plain(hostile, "\t" if "leef" in arguments else "")


@pytest.mark.parametrize("arguments", [(*REPLAY, "--format", "csv"), (*INVESTIGATE, "--columns", COLUMNS)])
def test_csv_has_the_same_cells_and_no_formula(arguments: tuple[str, ...], archives: list[Path]) -> None:
    hostile, twin = both(archives, *arguments)
    rows = list(csv.reader(io.StringIO(hostile, newline="")))
    assert [len(row) for row in rows] == [len(row) for row in csv.reader(io.StringIO(twin, newline=""))]
    assert hostile.count("\n") == len(rows) > 10
    assert not [cell for row in rows for cell in row if cell.startswith(FORMULA)]
    assert is_plain(hostile, "\r")


def shape(value: Any) -> Any:
    """The value with names as the twin has them, and types in place of values."""
    if isinstance(value, dict):
        return sorted((plain(name), shape(each)) for name, each in value.items())
    return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__


def test_json_has_the_same_members(archives: list[Path]) -> None:
    for form in ("jsonl", "ecs", "ocsf"):
        hostile, twin = both(archives, *REPLAY, "--format", form)
        assert shape([*map(json.loads, hostile.split("\n")[:-1])]) == shape(
            [*map(json.loads, twin.split("\n")[:-1])]
        )
    hostile, twin = both(archives, *INVESTIGATE, "--format", "json")
    assert shape(json.loads(hostile)["suspects"]) == shape(json.loads(twin)["suspects"])
    assert shape(json.loads(hostile)["alerts"]) == shape(json.loads(twin)["alerts"])


def test_markdown_has_the_same_form_and_shows_text(archives: list[Path], tmp_path: Path) -> None:
    for redact in ((), ("--redact", "keys,ips,principals")):
        texts = []
        for name in ("hostile.md", "twin.md"):
            folder = archives[name == "twin.md"]
            assert trailsieve(*INVESTIGATE, "--report", tmp_path / name, *redact, folder).code == 0
            texts.append((tmp_path / name).read_text("utf-8"))
        hostile, twin = texts
        assert is_plain(hostile)
        assert [re.sub(r"[^|]", "", line) for line in hostile.splitlines()] == [
            re.sub(r"[^|]", "", line) for line in twin.splitlines()
        ]
        unescaped = re.sub(r"\\[^\n]", "", hostile)
        assert not re.search(r"[<>@`\[\]]|http://|^ *[+=]", unescaped, re.MULTILINE)


def deep(levels: int) -> Iterator[bytes]:
    """Records whose values are nested, where texts are usual."""
    opened = {
        "ipPermissions": {"items": [{"ipProtocol": "@", "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}
    }
    calls: list[Record] = [
        {"userAgent": "@"},
        {"eventName": "AuthorizeSecurityGroupIngress", "requestParameters": opened, "errorCode": None},
        {"requestParameters": {"userName": "@"}},
        {"responseElements": "@"},
    ]
    for number, fields in enumerate(calls):
        value = b'{"userArn":' * levels + b'"AKIAMIA0000000000001"' + b"}" * levels
        yield json.dumps(denied(number, **fields)).encode().replace(b'"@"', value)


@pytest.mark.parametrize("levels", [300, 2000])
def test_deep_nesting_stops_nothing(levels: int, tmp_path: Path) -> None:
    file = tmp_path / "trail.json"
    file.write_bytes(b'{"Records":[' + b",".join(deep(levels)) + b"]}")
    page = tmp_path / "page.html"
    redacted = ("--report", page, "--redact", "keys,ips,principals")
    assert len(trailsieve(*REPLAY, "--rules", "cis-aws", *redacted, file).lines) == 4
    assert trailsieve(*INVESTIGATE, "--rules", "cis-aws", *redacted, file).code == 0
    found = json.loads(trailsieve(*INVESTIGATE, "--rules", "cis-aws", "--format", "json", file).out)
    assert sum(isinstance(alert["records"][0], str) for alert in found["alerts"]) == 4
    assert "AKIAMIA" in found["alerts"][0]["records"][0]


def test_long_names_stay_out_of_counts_and_pages(tmp_path: Path) -> None:
    identity = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/"}
    fields = ("eventName", "sourceIPAddress", "userAgent", "awsRegion", "eventTime", "recipientAccountId")
    records = [denied(n, **{name: f"{n}{'W' * 2**20}"}) for n, name in enumerate(fields)]
    records.append(denied(9, userIdentity=identity | {"arn": f"{identity['arn']}{'W' * 2**20}"}))
    file, summary, page = (
        log_file(tmp_path / "trail.json", records),
        tmp_path / "s.json",
        tmp_path / "page.html",
    )
    result = trailsieve(*REPLAY, "--format", "table", "--summary-json", summary, "--report", page, file)
    assert len(result.lines) == 8
    assert max(map(len, result.lines)) < 300
    assert summary.stat().st_size < 6000
    assert page.stat().st_size < 200_000
