"""Which datapoints breach for certain before their period is closed: more events cannot take it back.

A sum of values that are not negative, a count and a maximum only grow, a minimum only falls.
"""

from __future__ import annotations

from trailsieve.alarms.datapoint import Period
from trailsieve.alarms.states import breaches
from trailsieve.rules.alarm import Alarm, Metric

_GROWS = ("Sum", "SampleCount", "Maximum", "DistinctCount")


def can_be_certain(alarm: Alarm, metric: Metric) -> bool:
    """Whether a datapoint that breaches now still breaches after any events that come later."""
    if metric.default is not None and not (metric.cloudwatch_exact and metric.default >= 0):
        return False
    if alarm.counted == "Minimum":
        return alarm.comparison in ("<", "<=")
    if alarm.counted == "Sum" and not (isinstance(metric.value, int | float) and metric.value >= 0):
        return False
    return alarm.counted in _GROWS and alarm.comparison in (">", ">=")


def starts_to_breach(period: Period, alarm: Alarm, metric: Metric) -> bool:
    """Whether a period's datapoint breaches now and did not when this was last asked."""
    period.breached = bool(breaches(alarm, period.value(alarm.counted, metric)))
    return period.breached
