"""From datapoints to an alarm's state: pure functions, as CloudWatch evaluates alarms (rules 65 to 68).

Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from trailsieve.model import AlarmState
from trailsieve.rules.alarm import Alarm, Comparison, Missing

Exact = int | Fraction  # sums that do not depend on the order of their parts

_COMPARE: dict[Comparison, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<": operator.lt,
    "<=": operator.le,
}


def breaches(alarm: Alarm, value: Exact | None) -> bool | None:
    """Whether a period's datapoint breaches; None when it is missing."""
    return None if value is None else _COMPARE[alarm.comparison](value, alarm.threshold)


def alarm_state(
    breaching: Sequence[bool | None],
    evaluation_periods: int,
    datapoints_to_alarm: int,
    missing: Missing,
    before: AlarmState = "INSUFFICIENT_DATA",
) -> AlarmState:
    """The state after an evaluation (rules 66 and 67).

    Args:
        breaching: what `breaches` says of each datapoint in the evaluation range, oldest first. The range may
            be longer than `evaluation_periods`.
        before: the state until now.
    """
    real = [breach for breach in breaching if breach is not None]
    if len(real) >= evaluation_periods:
        return _enough(sum(real[-evaluation_periods:]) >= datapoints_to_alarm)
    filled = evaluation_periods - len(real)
    if missing == "breaching":
        return _enough(sum(real) + filled >= datapoints_to_alarm)
    if missing == "notBreaching" or sum(real) >= datapoints_to_alarm:
        return _enough(sum(real) >= datapoints_to_alarm)
    if not real:
        return before if missing == "ignore" else "INSUFFICIENT_DATA"
    if not all(real):
        return "OK"
    if missing == "ignore":
        return before
    age = len(breaching) - breaching.index(True)  # the oldest breaching datapoint, counted from 1
    return _enough(age >= datapoints_to_alarm)


def first_state(alarm: Alarm) -> AlarmState:
    """The state of an alarm that never had any data."""
    if alarm.absent_for is not None:
        return "OK"
    return alarm_state((), alarm.evaluation_periods, alarm.datapoints_to_alarm, alarm.missing)


def _enough(breaching: bool) -> AlarmState:
    return "ALARM" if breaching else "OK"
