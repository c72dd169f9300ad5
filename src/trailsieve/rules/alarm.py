"""The metric, alarm and exceptions of a rule.

The words and limits are those of CloudWatch: rules 60 to 68 of `grammar/semantics.md`, and
docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

from msgspec import Meta

from trailsieve.model import AlarmState
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import Selector

Statistic = Literal["Sum", "SampleCount", "Average", "Minimum", "Maximum"]
Counted = Statistic | Literal["DistinctCount"]
Comparison = Literal[">=", ">", "<", "<="]
Missing = Literal["missing", "notBreaching", "breaching", "ignore"]
Number = int | float
Count = Annotated[int, Meta(ge=1, description="a whole number of at least 1")]
Seconds = Annotated[int, Meta(description="a duration")]  # `"5m"` in a rule file
Expires = Annotated[int, Meta(description="a date")]

MAX_RANGE = 604_800  # seconds that period × evaluation_periods may be: seven days (rule 66)
MAX_KEYS = 100_000  # different dimension values of one rule that are watched at a time
MAX_SEQUENCE = 10  # rules of a sequence
MAX_DISTINCT = 10_000  # different values of a period that `count_distinct` tells apart


@dataclass(frozen=True, slots=True)
class Reference:
    """A value of the event: `$.field`, or `$name` of a space-delimited pattern (`selector` is None then)."""

    text: str
    selector: Selector | None


References = Annotated[
    tuple[Reference, ...], Meta(description='a list of selectors, such as ["$.userIdentity.arn"]')
]
RuleIds = Annotated[tuple[str, ...], Meta(description='a list of rule ids, such as ["login", "change"]')]
Dimensions = Annotated[
    tuple[tuple[str, Reference], ...],
    Meta(description='a table of selectors, such as { Account = "$.recipientAccountId" }'),
]
States = Annotated[
    tuple[AlarmState, ...],
    Meta(min_length=1, description=f"a list of at least one of {', '.join(get_args(AlarmState))}"),
]


@dataclass(frozen=True, slots=True)
class Metric:
    """What one event adds to the metric (rules 60 to 62).

    Attributes:
        value: a number, or the field of the event that holds it.
        default: emitted for each event that does not match, and for a match whose field is absent.
        dimensions: name and field of the event; each combination of their values is a separate metric.
        cloudwatch_exact: whether to count as CloudWatch was observed to. Otherwise `default` is one
            datapoint for a period that had events and no match, and a sample that lacks one dimension keeps
            the others.
    """

    value: Number | Reference = 1
    default: Number | None = None
    dimensions: Dimensions = ()
    cloudwatch_exact: bool = True


PLAIN = Metric()  # each match counts 1


@dataclass(frozen=True, slots=True)
class Alarm:
    """When the metric of a rule raises alerts (rules 65 to 67). Durations are in seconds.

    Attributes:
        threshold: what the statistic of a period is compared with.
        period: how long a period is.
        statistic: what is made of the values of a period: Sum, SampleCount, Average, Minimum or Maximum.
        comparison: `>=`, `>`, `<` or `<=`.
        evaluation_periods: how many periods, up to the latest, are looked at (N).
        datapoints_to_alarm: how many of them must be breaching (M); by default all.
        missing: what a period without a datapoint counts as: missing, notBreaching, breaching or ignore.
        absent_for: ALARM is a whole period of this length without a match. It takes the place of threshold,
            period, statistic, comparison and missing.
        count_distinct: the datapoint is the number of different values of this field, not the statistic.
            Events without a value do not count.
        sequence: ALARM is a match of each of these rules, in this order, by events with the same `by`.
        within: how much time may pass between the first and the last match of a sequence.
        by: fields of the event; each combination of their values has its own alarm, in addition to the
            metric's dimensions.
        allowed_lateness: how far behind the newest event another event may arrive and still count; a period
            is evaluated this long after its end.
        notify: the states that raise an alert when they are entered.
        suppress: how long after an alert no other alert of the same state and dimensions is raised.
        max_keys: combinations counted separately at a time; further ones are counted together and reported.
    """

    threshold: Number = 1
    period: Seconds = 60
    statistic: Statistic = "Sum"
    comparison: Comparison = ">="
    evaluation_periods: Count = 1
    datapoints_to_alarm: Count = 1
    missing: Missing = "missing"
    count_distinct: Reference | None = None
    absent_for: Seconds | None = None
    sequence: RuleIds = ()
    within: Seconds | None = None
    by: References = ()
    allowed_lateness: Seconds = 900
    notify: States = ("ALARM",)
    suppress: Seconds = 0
    max_keys: Count = MAX_KEYS

    @property
    def counted(self) -> Counted:
        """What the datapoint of a period is."""
        return "DistinctCount" if self.count_distinct else self.statistic

    @property
    def on_absence(self) -> bool:
        """Whether it is raised by too few matches, or by none."""
        counts_matches = self.counted in ("Sum", "SampleCount", "DistinctCount")
        return self.missing == "breaching" or (counts_matches and self.comparison in ("<", "<="))


@dataclass(frozen=True, slots=True)
class RuleException:
    """Known, harmless matches, which are neither counted nor alerted.

    Attributes:
        pattern: what it matches does not count.
        reason: why; shown wherever matches are not counted.
        owner: who answers for it.
        expires: the last day on which it holds, such as 2026-12-31, or the time at which it ends; without
            either it never ends. In Python, its end as a Unix timestamp.
    """

    pattern: FilterPattern
    reason: str
    owner: str = ""
    expires: Expires | None = None
