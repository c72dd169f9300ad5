"""What campaigns of outages, pauses and kills cost: a row each, printed at the end of the tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

COLUMNS = ("expected", "lost", "invented", "provisional", "replaced")


@dataclass(frozen=True)
class Row:
    """The alerts of one campaign.

    Attributes:
        expected: those of an uninterrupted replay of the same events.
        provisional: alerts that were raised before their period was closed.
        replaced: those of them whose final alert has another id.
        unsettled: those of them that nothing confirmed or replaced.
    """

    source: str
    campaign: str
    expected: int
    lost: int
    invented: int
    provisional: int
    replaced: int
    unsettled: int


ROWS: list[Row] = []


def compare(source: str, campaign: str, expected: Iterable[str], raised: Sequence[Mapping[str, Any]]) -> Row:
    """Notes and returns what came of a campaign.

    Args:
        expected: ids of the final alerts.
        raised: all alerts in the order of delivery: `id`, and where they apply `provisional`, `replaces`.
    """
    wanted = set(expected)
    final = {alert["id"] for alert in raised if not alert.get("provisional")}
    early = {alert["id"] for alert in raised if alert.get("provisional")}
    replaced = {alert["replaces"] for alert in raised if alert.get("replaces")} & early
    row = Row(
        source=source,
        campaign=campaign,
        expected=len(wanted),
        lost=len(wanted - final),
        invented=len(final - wanted),
        provisional=len(early),
        replaced=len(replaced),
        unsettled=len(early - final - replaced),
    )
    ROWS.append(row)
    return row


def settle(row: Row) -> None:
    """Fails when something was lost, invented or left open."""
    assert row.expected, "a campaign without alarms shows nothing"
    assert (row.lost, row.invented, row.unsettled) == (0, 0, 0), row


def lines() -> list[str]:
    """The table, with the campaigns of one name in one row."""
    totals: dict[tuple[str, str], list[int]] = {}
    for row in ROWS:
        counts = totals.setdefault((row.source, row.campaign), [0] * (len(COLUMNS) + 1))
        counts[0] += 1
        for place, name in enumerate(COLUMNS, 1):
            counts[place] += getattr(row, name)
    everything = [sum(column) for column in zip(*totals.values(), strict=True)]
    table = [(*names, *map(str, counts)) for names, counts in totals.items()]
    rows = [("source", "campaign", "runs", *COLUMNS), *table, ("all", "", *map(str, everything))]
    return [f"{row[0]:<20}{row[1]:<44}" + "".join(f"{cell:>12}" for cell in row[2:]) for row in rows]


def report(reporter: pytest.TerminalReporter) -> None:
    """Prints the table once."""
    if ROWS:
        reporter.section("alerts through faults, outages, pauses and kills")
        reporter.write("\n".join(lines()) + "\n")
        ROWS.clear()
