"""What must hold between the settings of an alarm, and between an alarm and its metric."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from trailsieve.rules.alarm import MAX_DISTINCT, MAX_RANGE, Alarm, Metric

_SHORT_PERIODS = (10, 20, 30)  # seconds; all others are whole minutes
_REQUIRED = ("threshold", "period")

Mistake = tuple[str, str]  # the key, and what is wrong


def completed(alarm: Alarm, given: Collection[str]) -> Alarm:
    """The alarm with the defaults that depend on its other settings.

    Args:
        given: the keys that its table has.
    """
    alarm = replace(alarm, by=tuple(dict.fromkeys(alarm.by)))
    if "datapoints_to_alarm" not in given:
        return replace(alarm, datapoints_to_alarm=alarm.evaluation_periods)
    return alarm


def mistakes_in_alarm(alarm: Alarm, given: Collection[str]) -> Iterator[Mistake]:
    """What is wrong in a completed alarm (rule 66)."""
    missing = [key for key in _REQUIRED if key not in given]
    if missing:
        yield from ((key, f"`alarm.{key}` is missing") for key in missing)
        return
    yield from _mistakes_in_periods(alarm)
    if alarm.count_distinct:
        yield from _mistakes_in_distinct(alarm, given)


def _mistakes_in_periods(alarm: Alarm) -> Iterator[Mistake]:
    if alarm.period not in _SHORT_PERIODS and (alarm.period < 60 or alarm.period % 60):
        yield "period", "`alarm.period` must be 10s, 20s, 30s or whole minutes"
    elif alarm.period * alarm.evaluation_periods > MAX_RANGE:
        yield "period", "`alarm.period` times `alarm.evaluation_periods` must be at most 7 days"
    if alarm.datapoints_to_alarm > alarm.evaluation_periods:
        text = "`alarm.datapoints_to_alarm` must be at most `alarm.evaluation_periods`"
        yield "datapoints_to_alarm", text


def _mistakes_in_distinct(alarm: Alarm, given: Collection[str]) -> Iterator[Mistake]:
    if "statistic" in given:
        text = "`alarm.count_distinct` cannot be combined with `alarm.statistic`: it is the statistic"
        yield "statistic", text
    if alarm.threshold + (alarm.comparison == ">") > MAX_DISTINCT:
        text = f"`alarm.threshold` is too high: `alarm.count_distinct` counts up to {MAX_DISTINCT:,} values"
        yield "threshold", text


def mistakes_between(metric: Metric, alarm: Alarm) -> Iterator[str]:
    """What is wrong in the metric of a rule with this alarm."""
    if metric.default is not None and alarm.by:
        yield "`metric.default` cannot be combined with `alarm.by`: an event that does not match has no key"
    if alarm.count_distinct and (metric.value != 1 or metric.default is not None):
        yield "`alarm.count_distinct` cannot be combined with `metric.value` or `metric.default`"
