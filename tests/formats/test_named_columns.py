"""Columns by name and by path."""

from __future__ import annotations

import pytest

from tests.formats.alerts import BARE, MATCH, TOUCHED
from trailsieve.errors import UsageError
from trailsieve.formats.named_columns import ColumnTable, Row, named_columns
from trailsieve.model import Alert


def with_record(text: bytes) -> Alert:
    return Alert(**{**{n: getattr(MATCH, n) for n in MATCH.__struct_fields__}, "records": (text,)})


def cell(name: str, alert: Alert) -> str:
    (column,) = named_columns([name])
    return column.text(Row(alert))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("time", "2026-03-14T02:12:08Z"),
        ("event", "ListSecrets"),
        ("ip", "198.51.100.31"),
        ("source", "secretsmanager.amazonaws.com"),
        ("event_id", "92de9e90-161b-4f0b-874b-f1b5af3876fa"),
        ("tags", "cis-aws-5.0:4.1, attack.t1580, attack.t1078.004"),
        ("$.eventVersion", "1.11"),
        ("$.userIdentity", '{"type":"AssumedRole"}'),
        ("$.userIdentity.type", "AssumedRole"),
        ("$.resources[*]", "1.0, 1E+400"),
        ("$.resources[0]", "1.0"),
        ("$.nothing.here", ""),
    ],
)
def test_the_cell_of_a_column(name: str, text: str) -> None:
    assert cell(name, MATCH) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"true", "true"), (b"null", ""), (b'"\\u202e"', "\u202e"), (b"-0.50", "-0.50"), (b"[]", "[]")],
)
def test_a_path_shows_any_json(value: bytes, text: str) -> None:
    assert cell("$.a.b", with_record(b'{"a":{"b":' + value + b"}}")) == text


@pytest.mark.parametrize("record", [b"[1]", b"not JSON", b'{"a":'])
def test_a_path_into_what_is_not_a_record_is_empty(record: bytes) -> None:
    assert cell("$.a", with_record(record)) == ""


def test_what_a_call_touched_has_columns() -> None:
    assert cell("target", TOUCHED)
    assert cell("effect", TOUCHED) == TOUCHED.effect
    assert cell("target", BARE) == cell("$.a", BARE) == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("evnt", "no column 'evnt': did you mean `event`?"),
        ("zzz", "no column 'zzz': the columns are time, severity,"),
        ("$.a[", "--columns $.a[: not a path such as $.requestParameters.userName"),
        ("$.a = 1 || $.b", "--columns $.a = 1 || $.b: not a path"),
        ("$", "--columns $: not a path"),
    ],
)
def test_a_column_that_is_not_there(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=r".") as raised:
        named_columns([name])
    assert message in str(raised.value)


@pytest.mark.parametrize("width", [None, 40, 80, 200])
def test_a_table_keeps_every_column_that_was_chosen(width: int | None) -> None:
    table = ColumnTable(named_columns(["id", "time", "$.eventVersion", "event"]), width)
    for word in ("ID", "TIME", "$.event", "EVENT"):
        assert word in table.header().decode()
    line = table.encode(MATCH).decode()
    assert line.startswith(MATCH.id)
    assert "1.11" in line
