"""Closing periods costs what closes, not what is open."""

from __future__ import annotations

import pytest

from tests.alarms.test_provisional import sample
from tests.alarms.worlds import START, reference_of, rule
from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.alarms.series import Series
from trailsieve.rules.alarm import Alarm


def test_closing_looks_at_the_series_that_have_something_to_close(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at = []
    is_due = Series.is_due

    def watched(series: Series, upto: int) -> bool:
        looked_at.append(series)
        return is_due(series, upto)

    monkeypatch.setattr(Series, "is_due", watched)
    chosen = rule(Alarm(threshold=2, period=60, by=(reference_of("who"),), allowed_lateness=0))
    alarms = Alarms([chosen], live=Live(now=lambda: START + 86400.0))
    for number in range(100):
        alarms.add([sample(number, 600 if number else 0, f"user-{number}", 1)])
    alarms.observe({"s": START + 601})
    alarms.advance()
    assert len({id(series) for series in looked_at}) == 1
