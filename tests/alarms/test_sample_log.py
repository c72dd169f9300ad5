"""Which samples are kept together: those that expire at about the same time."""

from __future__ import annotations

from msgspec.structs import replace

from tests.alarms.test_provisional import sample
from tests.alarms.worlds import START
from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.sample_log import SampleRow, sample_rows, samples_of
from trailsieve.rules.alarm import Alarm

ALARMS = {"denied": Alarm(period=300), "silent": Alarm(period=604_800), "short": Alarm(period=60)}
WATERMARK = START + 100


def rows(*samples: Sample, watermark: int | None = WATERMARK) -> list[SampleRow]:
    by_rule: dict[str, list[Sample]] = {}
    for one in samples:
        by_rule.setdefault(one.rule, []).append(one)
    return sample_rows(by_rule, [], ALARMS, watermark)


def numbers(row: SampleRow) -> list[int]:
    return [int(one.id, 16) for one in samples_of(row)[0]]


def test_a_rule_that_looks_back_for_a_week_does_not_keep_the_samples_of_others() -> None:
    week = replace(sample(2, 60, "mia", 1), rule="silent")
    short, long = rows(sample(1, 60, "mia", 1), week, sample(3, 90, "mia", 1))
    assert (numbers(short), numbers(long)) == ([1, 3], [2])
    assert short.expires <= START + 2400
    assert long.expires > START + 604_800


def test_a_time_in_the_far_future_does_not_keep_the_other_samples_of_its_rule() -> None:
    near, far = rows(sample(1, 60, "mia", 1), sample(2, 2_000_000_000, "mia", 1), sample(3, 90, "mia", 1))
    assert (numbers(near), numbers(far)) == ([1, 3], [2])
    assert near.expires <= START + 2400


def test_rules_that_look_back_for_about_as_long_share_a_row() -> None:
    one = replace(sample(2, 60, "mia", 1), rule="short")
    [row] = rows(sample(1, 60, "mia", 1), one, watermark=None)
    assert sorted(numbers(row)) == [1, 2]
    assert row.expires == START - START % 300 + 600 + 900


def test_nothing_is_no_row() -> None:
    assert rows() == []
