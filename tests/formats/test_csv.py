"""CSV read back with Python's reader: every alert is one row, and no cell is a formula or controls a terminal."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.formats.alerts import ALARM, KINDS, MATCH, alerts
from trailsieve.errors import visible
from trailsieve.formats import csv as csv_format
from trailsieve.formats.named_columns import OF_ALERTS, Row, named_columns
from trailsieve.model import Alert

USUAL = named_columns(OF_ALERTS)


def read(line: bytes) -> list[str]:
    (row,) = csv.reader(io.StringIO(line.decode() + "\n", newline=""))
    return row


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_alert_is_a_row_of_all_columns(kind: str) -> None:
    row = dict(zip(OF_ALERTS, read(csv_format.encode(KINDS[kind])), strict=True))
    assert row["id"] == KINDS[kind].id
    assert row["rule"] == KINDS[kind].rule
    assert row["count"] == str(KINDS[kind].count)


def test_lines_end_as_rfc_4180_says() -> None:
    assert csv_format.encode(MATCH).endswith(b"\r")  # a sink adds the line feed
    assert csv_format.Csv(USUAL).header() == ",".join(OF_ALERTS).encode() + b"\r"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("http://e","x")', '\'=HYPERLINK("http://e","x")'),
        ("+1", "'+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "' =1"),
        ("\r=1", "'␍=1"),
        ("\n=1", "'⏎=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ('say "hi", you', 'say "hi", you'),
        ("a\r\nb", "a␍⏎b"),
        ("gnp\u202eexe", "gnp�exe"),
        ("\x1b[2J", "�[2J"),
        ("", ""),
    ],
)
def test_a_cell_is_text(text: str, cell: str) -> None:
    alert = Alert(**{**{n: getattr(MATCH, n) for n in MATCH.__struct_fields__}, "user_agent": text})
    assert read(csv_format.Csv(named_columns(["agent", "id"])).encode(alert)) == [cell, MATCH.id]


@given(alerts)
@settings(max_examples=examples(300))
def test_no_text_of_a_record_forges_a_row_a_cell_or_a_formula(alert: Alert) -> None:
    line = csv_format.encode(alert)
    assert line.count(b"\r") == 1
    assert b"\n" not in line
    cells = read(line)
    texts = [column.text(Row(alert)) for column in USUAL]
    assert [cell.removeprefix("'") for cell in cells] == [visible(text).removeprefix("'") for text in texts]
    for cell in cells:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in cell)


def test_the_columns_of_an_alarm() -> None:
    row = dict(zip(OF_ALERTS, read(csv_format.encode(ALARM)), strict=True))
    assert (row["event"], row["state"], row["count"]) == ("", "ALARM", "41")
    assert row["summary"] == ALARM.summary
