"""The table of alerts on a terminal: one line an alert, no wider than the terminal."""

from __future__ import annotations

import msgspec
import pytest

from tests.formats.alerts import ALARM, MATCH
from trailsieve.errors import cells
from trailsieve.formats import line


@pytest.mark.parametrize("width", [80, 100, 120, 150, 190, 300])
@pytest.mark.parametrize("alert", [MATCH, ALARM, msgspec.structs.replace(MATCH, error_code="x" * 500)])
def test_no_line_is_wider_than_the_terminal(width: int, alert: object) -> None:
    widths = line.fitting(width)
    for text in (line.header(widths), line.encode(alert, widths)):  # type: ignore[arg-type]
        assert cells(text.decode()) <= width
        assert b"\n" not in text


def test_a_wide_terminal_shows_everything() -> None:
    assert line.fitting(190) == line.WIDTHS == line.fitting(1000)
    shown = line.encode(MATCH).decode().split()
    assert shown[3:] == [
        "ListSecrets",
        "…3333:assumed-role/inventory-scanner/nightly",
        "198.51.100.31",
        "AccessDenied",
    ]


def test_a_narrow_one_keeps_when_who_and_what() -> None:
    assert line.header(line.fitting(80)).split() == [b"TIME", b"RULE", b"EVENT", b"PRINCIPAL"]
    assert b"ListSecrets" in line.encode(MATCH, line.fitting(80))
    assert b"198.51.100.31" in line.encode(MATCH, line.fitting(120))


def test_an_alarm_tells_its_sentence() -> None:
    assert line.encode(ALARM).decode().endswith(ALARM.summary)
