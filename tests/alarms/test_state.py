"""The tables of AWS's page on alarms and missing data, row by row, and what its text adds (rules 65 to 67)."""

from __future__ import annotations

from itertools import product

import pytest

from trailsieve.alarms.states import alarm_state, breaches, first_state
from trailsieve.model import ALARM_STATES, AlarmState
from trailsieve.rules.alarm import Alarm, Comparison, Missing

OK, ALARM, INSUFFICIENT, RETAIN = "OK", "ALARM", "INSUFFICIENT_DATA", "RETAIN"
MODES: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")

# data points, oldest first · M of 3 · missing, ignore, breaching, notBreaching
AWS_TABLES = [
    ("0 - X - X", 3, OK, OK, OK, OK),
    ("0 - - - -", 3, OK, OK, OK, OK),
    ("- - - - -", 3, INSUFFICIENT, RETAIN, ALARM, OK),
    ("0 X X - X", 3, ALARM, ALARM, ALARM, ALARM),
    ("- - X - -", 3, ALARM, RETAIN, ALARM, OK),
    ("0 - X - X", 2, ALARM, ALARM, ALARM, ALARM),
    ("0 0 X 0 X", 2, ALARM, ALARM, ALARM, ALARM),
    ("0 - X - -", 2, OK, OK, ALARM, OK),
    ("- - - - 0", 2, OK, OK, ALARM, OK),
    ("- - - X -", 2, ALARM, RETAIN, ALARM, OK),
]
# What the text beside the tables says, and the rest of the cases with a range of just N periods.
AND_SO_ON = [
    ("- - - - X", 3, OK, RETAIN, ALARM, OK),
    ("- - - X -", 3, OK, RETAIN, ALARM, OK),
    ("- - - X 0", 3, OK, OK, OK, OK),
    ("- - X - 0", 3, OK, OK, OK, OK),
    ("X X X", 3, ALARM, ALARM, ALARM, ALARM),
    ("X X 0", 3, OK, OK, OK, OK),
    ("X X 0", 2, ALARM, ALARM, ALARM, ALARM),
    ("0 X -", 2, OK, OK, ALARM, OK),
    ("X X -", 2, ALARM, ALARM, ALARM, ALARM),
    ("X - X", 2, ALARM, ALARM, ALARM, ALARM),
    ("- 0 -", 2, OK, OK, ALARM, OK),
    ("- - X", 1, ALARM, ALARM, ALARM, ALARM),
    ("- - -", 1, INSUFFICIENT, RETAIN, ALARM, OK),
    ("X 0 0 0", 1, OK, OK, OK, OK),
]


def read(points: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[point] for point in points.split()]


@pytest.mark.parametrize("row", AWS_TABLES + AND_SO_ON, ids=lambda row: f"{row[0]} {row[1]} of 3")
@pytest.mark.parametrize("before", ALARM_STATES)
def test_the_state_with_missing_data(row: tuple[str, ...], before: AlarmState) -> None:
    points, datapoints_to_alarm, *states = row
    for missing, wanted in zip(MODES, states, strict=True):
        state = alarm_state(read(points), 3, int(datapoints_to_alarm), missing, before)
        assert state == (before if wanted == RETAIN else wanted), missing


def test_without_missing_data_m_of_n_is_all() -> None:
    for points in product([False, True], repeat=4):
        for datapoints, missing, before in product((1, 2, 3), MODES, ALARM_STATES):
            state = alarm_state(points, 3, datapoints, missing, before)
            assert state == ("ALARM" if sum(points[-3:]) >= datapoints else "OK")


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        (">=", [False, True, True]),
        (">", [False, False, True]),
        ("<", [True, False, False]),
        ("<=", [True, True, False]),
    ],
)
def test_comparisons(comparison: Comparison, breaching: list[bool]) -> None:
    alarm = Alarm(threshold=5, period=60, comparison=comparison)
    assert [breaches(alarm, value) for value in (4, 5, 6)] == breaching
    assert breaches(alarm, None) is None


def test_the_state_of_an_alarm_without_any_data() -> None:
    states = [first_state(Alarm(threshold=1, period=60, missing=missing)) for missing in MODES]
    assert states == ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "ALARM", "OK"]
