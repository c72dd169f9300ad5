"""What the kills cost: a row a source, printed at the end of the tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One source's figures."""

    source: str
    kills: int
    records: int
    expected: int
    delivered: int
    lost: int
    duplicates: int


ROWS: list[Row] = []


def add_row(source: str, kills: int, records: int, expected: Iterable[str], alerts: list[str]) -> None:
    """Notes what came of a run; nothing may be lost, nothing be there that was not expected."""
    wanted, came = set(expected), set(alerts)
    row = Row(source, kills, records, len(wanted), len(came), len(wanted - came), len(alerts) - len(came))
    ROWS.append(row)
    assert came == wanted, row


def lines() -> list[str]:
    """The table."""
    names = ("source", "kills", "records", "expected", "delivered", "lost", "duplicates")
    rows = [names, *([str(getattr(row, name)) for name in names] for row in ROWS)]
    total = ["all", *(str(sum(getattr(row, name) for row in ROWS)) for name in names[1:])]
    return [f"{row[0]:<20}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in (*rows, total)]
