"""What is audited: one control in one account, with everything that earlier checks of a chain found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from trailsieve import arn
from trailsieve.audit.coverage import Control
from trailsieve.cloudwatch.alarms import Transformation
from trailsieve.cloudwatch.snapshot import ApiResponse, Json, Snapshot
from trailsieve.model import Alert
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class AuditedSink:
    """A sink of a configuration; `takes` says whether an alert is routed to it."""

    name: str
    kind: str
    takes: Callable[[Alert], bool]


@dataclass(frozen=True, slots=True)
class AuditedConfig:
    """The parts of a trailsieve configuration that the audit judges.

    Attributes:
        name: the configuration file.
        kind: the kind of its source.
        settings: the settings of its source.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    rules: tuple[Rule, ...]
    sinks: tuple[AuditedSink, ...]


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """A metric filter as AWS describes it.

    Attributes:
        pattern: its compiled pattern, or None if that is invalid.
        problem: why the pattern is invalid, or "".
    """

    json: Json
    pattern: FilterPattern | None
    problem: str = ""

    @property
    def name(self) -> str:
        """The name of the filter."""
        return str(self.json.get("filterName"))


@dataclass(frozen=True, slots=True)
class AuditTarget:
    """One control in one account; each field from `trail` on is set by the check that chooses it.

    Attributes:
        combined: the names of filters that only together match everything the control requires.
        metric: the metric of the filter that the alarm watches.
        acting: the alarm whose actions are run: `alarm` itself, or a composite alarm over it.
        topic: the ARN of the topic that `acting` notifies.
    """

    snapshot: Snapshot
    account: str
    control: Control
    config: AuditedConfig | None = None
    trail: Json = field(default_factory=dict)
    metric_filter: MetricFilter | None = None
    combined: tuple[str, ...] = ()
    metric: Transformation | None = None
    alarm: Json = field(default_factory=dict)
    acting: Json = field(default_factory=dict)
    topic: str = ""
    rule: Rule | None = None

    @property
    def log_group(self) -> arn.Arn:
        """The log group that the trail delivers to; filters and alarms are in its account and region."""
        return arn.parse(self.trail.get("CloudWatchLogsLogGroupArn"))

    @property
    def log_group_name(self) -> str:
        """The name of that log group, or "" if the trail delivers to none."""
        return arn.log_group(self.trail.get("CloudWatchLogsLogGroupArn"))

    def of_trail(self, operation: str) -> ApiResponse:
        """The response to a call about the trail."""
        return self.snapshot.response(
            self.account, str(self.trail["HomeRegion"]), operation, str(self.trail.get("Name"))
        )

    def of_log_group(self, operation: str) -> ApiResponse:
        """The response to a call in the account and region of the log group."""
        return self.snapshot.response(self.log_group.account, self.log_group.region, operation)
