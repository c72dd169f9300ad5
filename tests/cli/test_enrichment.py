"""`--geoip` and `--account-names`: columns beside the address and the account, and nothing without them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve
from tests.enrichment.test_geoip import database

PLACE = {
    "country": {"iso_code": "NL"},
    "city": {"names": {"en": "=1+1\u202e"}},
    "autonomous_system_number": 64500,
}


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    log_file(tmp_path / "trail.json", [denied(1), denied(2, sourceIPAddress="AWS Internal")])
    (tmp_path / "names.csv").write_text("111122223333,production\x1b[31m\n")
    path = database(tmp_path / "city.mmdb", {"198.51.100.0/24": PLACE})
    return ("--geoip", path, "--account-names", str(tmp_path / "names.csv"), str(tmp_path / "trail.json"))


def rows(out: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out.decode(), newline="")))


@pytest.mark.parametrize("command", [("replay", "--format", "csv"), ("investigate", "--format", "csv")])
def test_columns_stand_beside_what_they_explain(command: tuple[str, ...], options: tuple[str, ...]) -> None:
    found = rows(trailsieve(*command, *options).out)
    header = list(found[0])
    assert header[header.index("ip") :][:4] == ["ip", "country", "city", "asn"]
    assert header[header.index("account") :][:2] == ["account", "account_name"]
    shown = [(row["ip"], row["country"], row["city"], row["asn"], row["account_name"]) for row in found]
    assert shown == [
        ("198.51.100.7", "NL", "'=1+1�", "AS64500", "production�[31m"),
        ("AWS Internal", "", "", "", "production�[31m"),
    ]


@pytest.mark.parametrize(
    "command", [("replay", "--color", "never", "--format", "table"), ("investigate", "--event", "*")]
)
def test_tables_show_the_country_beside_the_address(
    command: tuple[str, ...], options: tuple[str, ...]
) -> None:
    lines = trailsieve(*command, *options, terminal=True).lines
    shown = trailsieve(*command, "--columns", "ip,country,account_name", *options, terminal=True).lines
    assert all(line.isprintable() for line in (*lines, *shown))
    assert shown[1].split() == ["198.51.100.7", "NL", "production�[31m"]
    wide = trailsieve(
        *command, "--output", str(Path(options[1]).parent / "out"), "--format", "table", *options
    )
    assert wide.code == 0
    table = (Path(options[1]).parent / "out").read_text().splitlines()
    assert table[0].index("COUNTRY") == table[1].index("NL")
    assert table[0].index("SOURCE") == table[1].index("198.51.100.7")


def test_without_the_options_there_are_no_such_columns(options: tuple[str, ...]) -> None:
    result = trailsieve("replay", "--columns", "time,country", options[-1])
    assert result.code == 2
    assert "no column 'country'" in result.err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ("replay", "--format", "ocsf"),
            "--geoip and --account-names add to the columns of a table or of CSV",
        ),
        (("investigate",), "--geoip and --account-names add columns to a list of events"),
    ],
)
def test_what_has_no_columns_refuses_them(
    command: tuple[str, ...], message: str, options: tuple[str, ...]
) -> None:
    result = trailsieve(*command, *options)
    assert (result.code, result.out) == (2, b"")
    assert message in result.err
