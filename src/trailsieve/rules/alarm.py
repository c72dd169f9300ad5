"""What a rule file says of metrics, alarms and exceptions, typed.

The words and limits are those of CloudWatch: rules 60 to 68 of `grammar/semantics.md`, and
docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trailsieve.model import AlarmState
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import Selector

Statistic = Literal["Sum", "SampleCount", "Average", "Minimum", "Maximum"]
Comparison = Literal[">=", ">", "<", "<="]
Missing = Literal["missing", "notBreaching", "breaching", "ignore"]

MAX_RANGE = 604_800  # seconds that period × evaluation_periods may be: seven days (rule 66)
MAX_KEYS = 100_000  # different dimension values of one rule that are watched at a time


@dataclass(frozen=True, slots=True)
class Reference:
    """A value of the event: `$.field`, or `$name` of a space-delimited pattern (`selector` is None then)."""

    text: str
    selector: Selector | None


@dataclass(frozen=True, slots=True)
class Metric:
    """What one event adds to the metric (rules 60 to 62).

    Attributes:
        value: a number, or where in the event it stands.
        default: emitted for each event that does not match; also the value of a match whose field is absent.
        dimensions: name → value of the event; each combination of values is a metric of its own.
        cloudwatch_exact: as CloudWatch was observed to do it. False is what a person would expect: `default`
            is one datapoint for a period in which events came and none matched, and a sample whose
            dimension is absent keeps its other dimensions.
    """

    value: int | float | Reference = 1
    default: int | float | None = None
    dimensions: tuple[tuple[str, Reference], ...] = ()
    cloudwatch_exact: bool = True


PLAIN = Metric()  # each match counts 1


@dataclass(frozen=True, slots=True)
class Alarm:
    """When the metric of a rule is worth an alert (rules 65 to 67). Durations are seconds.

    Attributes:
        by: each combination of these values has an alarm of its own, beside the metric's dimensions.
        allowed_lateness: how much later than the newest event one may arrive and still count; so long after
            its end a period is evaluated.
        notify: the states whose beginning raises an alert.
        suppress: after an alert, none of the same state and dimensions for so long; 0 for never.
        max_keys: combinations watched at a time; what exceeds them is counted together, and reported.
    """

    threshold: int | float
    period: int
    statistic: Statistic = "Sum"
    comparison: Comparison = ">="
    evaluation_periods: int = 1
    datapoints_to_alarm: int = 1
    missing: Missing = "missing"
    by: tuple[Reference, ...] = ()
    allowed_lateness: int = 900
    notify: tuple[AlarmState, ...] = ("ALARM",)
    suppress: int = 0
    max_keys: int = MAX_KEYS


@dataclass(frozen=True, slots=True)
class RuleException:
    """Matches that are known and harmless: not counted, not alerted.

    Attributes:
        expires: the first second, since 1970, whose events it no longer applies to; None for never.
    """

    pattern: FilterPattern
    reason: str
    owner: str = ""
    expires: int | None = None
