"""The table of alerts on a terminal: one line an alert, no wider than the terminal."""

from __future__ import annotations

import msgspec
import pytest

from tests.formats.alerts import ALARM, MATCH, PROVISIONAL, REPLACEMENT, TOUCHED
from trailsieve.errors import cells
from trailsieve.formats.table import AlertTable
from trailsieve.model import SEVERITIES, Alert

IDS = [MATCH.rule, ALARM.rule]
WIDE = msgspec.structs.replace(MATCH, error_code="x" * 500, event_name="日本" * 40, principal="ü\u0301" * 200)
HOSTILE = msgspec.structs.replace(
    MATCH, time="\x1b[2J" * 9, event_name="\x1b]0;x\x07", principal="a\nb\r\u202e", source_ip="\x9b31m"
)


@pytest.mark.parametrize("width", [80, 100, 120, 150, 190, 300])
@pytest.mark.parametrize("alert", [MATCH, ALARM, WIDE, HOSTILE])
def test_no_line_is_wider_than_the_terminal(width: int, alert: Alert) -> None:
    table = AlertTable(width, IDS)
    for line in (table.header().decode(), table.encode(alert).decode()):
        assert cells(line) <= width
        assert line.isprintable()
    assert len(table.encode(alert)) < 3000  # characters that take no cell do not make lines long


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200, None])
@pytest.mark.parametrize("rule", ["r", "x" * 64])
@pytest.mark.parametrize("ids", [[], ["r"], ["x" * 64]])
def test_ids_and_severities_are_never_cut(width: int | None, rule: str, ids: list[str]) -> None:
    table = AlertTable(width, ids)
    for severity in SEVERITIES:
        line = table.encode(msgspec.structs.replace(MATCH, rule=rule, severity=severity)).decode()
        shown = line.split()
        assert shown[1:3] == ["info" if severity == "informational" else severity, rule]


def test_what_is_known_of_the_columns_at_each_width() -> None:
    titles = {
        width: AlertTable(width, ["cis-aws-4.12"]).header().decode().split() for width in (80, 120, 200)
    }
    assert titles[80] == ["TIME", "SEVERITY", "RULE", "EVENT", "PRINCIPAL"]
    assert titles[120] == [*titles[80][:4], "TARGET", "PRINCIPAL", "SOURCE"]
    assert titles[200] == [*titles[120], "ERROR"]


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (80, ["ListSecrets", "✗", "invent…nightly"]),
        (120, ["ListSecrets", "✗", "invento…nightly", "198.51.100.31"]),
        (200, ["ListSecrets", "inventory-scanner/nightly", "198.51.100.31", "AccessDenied"]),
    ],
)
def test_a_match_at_each_width(width: int, expected: list[str]) -> None:
    assert AlertTable(width, [MATCH.rule]).encode(MATCH).decode().split()[3:] == expected


def test_an_alarm_tells_its_sentence() -> None:
    table = AlertTable(None, [ALARM.rule])
    assert table.encode(ALARM).decode().endswith(ALARM.summary)
    assert f"  Provisional: {ALARM.summary}" in table.encode(PROVISIONAL).decode()
    assert (
        AlertTable(400).encode(REPLACEMENT).decode().endswith(f"(replaces the provisional alert {ALARM.id})")
    )


def test_colour_does_not_change_the_widths() -> None:
    table = AlertTable(80, IDS, lambda severity, text: f"<{severity}>{text}</>")
    line = table.encode(MATCH).decode()
    assert f"<{MATCH.severity}>" in line
    assert (
        line.replace(f"<{MATCH.severity}>", "").replace("</>", "")
        == AlertTable(80, IDS).encode(MATCH).decode()
    )


def test_a_wide_table_names_what_was_touched() -> None:
    line = AlertTable(200, [TOUCHED.rule]).encode(TOUCHED).decode()
    assert (
        "  AttachUserPolicy                bob, AdministratorAccess, i-012345678…  111122223333:user/mia"
        in line
    )
