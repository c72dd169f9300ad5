"""What must hold between the settings of an alarm, by its kind, and between an alarm and its metric."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from trailsieve.rules.alarm import MAX_DISTINCT, MAX_RANGE, MAX_SEQUENCE, PLAIN, Alarm, Metric

_SHORT_PERIODS = (10, 20, 30)  # seconds; all others are whole minutes
_OF_ALL = ("by", "allowed_lateness", "notify", "suppress", "max_keys")
REQUIRED = ("threshold", "period")  # keys of every alarm without `absent_for` or `sequence`

Mistake = tuple[str, str]  # the key, and what is wrong


def completed(alarm: Alarm, given: Collection[str]) -> Alarm:
    """The alarm with what its other settings determine.

    Args:
        given: the keys that its table has.
    """
    alarm = replace(alarm, by=tuple(dict.fromkeys(alarm.by)))
    if alarm.absent_for is not None:
        return replace(
            alarm,
            period=alarm.absent_for,
            statistic="SampleCount",
            comparison="<",
            threshold=1,
            missing="breaching",
        )
    if alarm.sequence:
        return replace(alarm, period=1)
    if "datapoints_to_alarm" not in given:
        return replace(alarm, datapoints_to_alarm=alarm.evaluation_periods)
    return alarm


def mistakes_in_alarm(alarm: Alarm, given: Collection[str]) -> Iterator[Mistake]:
    """What is wrong in a completed alarm (rule 66)."""
    if alarm.absent_for is not None:
        yield from _of_other_kinds("absent_for", ("absent_for",), given)
        yield from _mistakes_in_periods(alarm, "absent_for")
        return
    if "within" in given and "sequence" not in given:
        yield "within", "`alarm.within` needs `alarm.sequence`"
    if "sequence" in given:
        yield from _mistakes_in_sequence(alarm, given)
        return
    missing = [key for key in REQUIRED if key not in given]
    if missing:
        yield from ((key, f"`alarm.{key}` is missing") for key in missing)
        return
    yield from _mistakes_in_periods(alarm, "period")
    if alarm.count_distinct:
        yield from _mistakes_in_distinct(alarm, given)


def _mistakes_in_sequence(alarm: Alarm, given: Collection[str]) -> Iterator[Mistake]:
    yield from _of_other_kinds("sequence", ("sequence", "within"), given)
    if alarm.notify != ("ALARM",):
        yield "notify", "`alarm.notify` cannot be combined with `alarm.sequence`: its only state is ALARM"
    if not 2 <= len(alarm.sequence) <= MAX_SEQUENCE:
        yield "sequence", f"`alarm.sequence` must have 2 to {MAX_SEQUENCE} rules"
    if alarm.within is None:
        yield "within", "`alarm.within` is missing"
    elif not 1 <= alarm.within <= MAX_RANGE:
        yield "within", "`alarm.within` must be at least 1 second and at most 7 days"


def _of_other_kinds(kind: str, own: Collection[str], given: Collection[str]) -> Iterator[Mistake]:
    """Keys that an alarm of this kind does not have."""
    for key in given:
        if key not in own and key not in _OF_ALL:
            yield key, f"`alarm.{key}` cannot be combined with `alarm.{kind}`"


def _mistakes_in_periods(alarm: Alarm, key: str) -> Iterator[Mistake]:
    if alarm.period not in _SHORT_PERIODS and (alarm.period < 60 or alarm.period % 60):
        yield key, f"`alarm.{key}` must be 10s, 20s, 30s or whole minutes"
    elif alarm.period * alarm.evaluation_periods > MAX_RANGE:
        what = f"`alarm.{key}`" + " times `alarm.evaluation_periods`" * (key == "period")
        yield key, f"{what} must be at most 7 days"
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
    kind = "sequence" if alarm.sequence else "absent_for" if alarm.absent_for is not None else ""
    if kind and metric != PLAIN:
        yield f"`metric` cannot be combined with `alarm.{kind}`: the matches are what counts"
    elif alarm.count_distinct and (metric.value != 1 or metric.default is not None):
        yield "`alarm.count_distinct` cannot be combined with `metric.value` or `metric.default`"
    elif metric.default is not None and alarm.by:
        yield "`metric.default` cannot be combined with `alarm.by`: an event that does not match has no key"
