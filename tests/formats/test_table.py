"""The table of alerts on a terminal: one line an alert, no wider than the terminal."""

from __future__ import annotations

import msgspec
import pytest

from tests.formats.alerts import ALARM, MATCH, PROVISIONAL, REPLACEMENT
from trailsieve.errors import cells
from trailsieve.formats import table


@pytest.mark.parametrize("width", [80, 100, 120, 150, 190, 300])
@pytest.mark.parametrize("alert", [MATCH, ALARM, msgspec.structs.replace(MATCH, error_code="x" * 500)])
def test_no_line_is_wider_than_the_terminal(width: int, alert: object) -> None:
    widths = table.column_widths(width)
    for text in (table.header(widths), table.encode(alert, widths)):  # type: ignore[arg-type]
        assert cells(text.decode()) <= width
        assert b"\n" not in text


def test_a_wide_terminal_shows_everything() -> None:
    assert table.column_widths(190) == table.WIDTHS == table.column_widths(1000)
    shown = table.encode(MATCH).decode().split()
    assert shown[3:] == [
        "ListSecrets",
        "…3333:assumed-role/inventory-scanner/nightly",
        "198.51.100.31",
        "AccessDenied",
    ]


def test_a_narrow_one_keeps_when_who_and_what() -> None:
    assert table.header(table.column_widths(80)).split() == [b"TIME", b"RULE", b"EVENT", b"PRINCIPAL"]
    assert b"ListSecrets" in table.encode(MATCH, table.column_widths(80))
    assert b"198.51.100.31" in table.encode(MATCH, table.column_widths(120))


def test_an_alarm_tells_its_sentence() -> None:
    assert table.encode(ALARM).decode().endswith(ALARM.summary)
    assert f"  Provisional: {ALARM.summary}" in table.encode(PROVISIONAL).decode()
    assert f"(replaces the provisional alert {ALARM.id})" in table.encode(REPLACEMENT).decode()
