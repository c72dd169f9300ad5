"""Accounts for the audit: one in moto in which every control is met, and recorded answers for what moto lacks.

All numbers and names are made up.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.servers.moto import Moto
from trailsieve.cloudwatch.snapshot import ApiCall, ApiResponse, Snapshot
from trailsieve.rules.load import load_pack

ACCOUNT, REGION = "123456789012", "us-east-1"
GROUP, TRAIL, BUCKET, NAMESPACE = "cloudtrail/events", "management", "trail-bucket-1", "CIS"
TRAIL_ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}"
GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{GROUP}:*"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:security"
ALL = [{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}]
RULES = load_pack("cis-aws").rules
Json = dict[str, Any]


def transformation(name: str, **more: Any) -> Json:
    return {"metricName": name, "metricNamespace": NAMESPACE, "metricValue": "1", **more}


def alarm(name: str, **more: Any) -> Json:
    """An alarm as `put-metric-alarm` takes it."""
    return {
        "AlarmName": name,
        "ActionsEnabled": True,
        "AlarmActions": [TOPIC],
        "Namespace": NAMESPACE,
        "MetricName": name,
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **more,
    }


# --- in moto ---


@dataclass
class Account:
    """An account in moto, built call by call; every control is met until something is broken."""

    moto: Moto

    def client(self, service: str) -> Any:
        return self.moto.client(service)

    def build(self, controls: int = len(RULES)) -> None:
        """The account with the filters and alarms of the first few controls."""
        self.client("s3").create_bucket(Bucket=BUCKET)
        self.client("logs").create_log_group(logGroupName=GROUP)
        sns = self.client("sns")
        assert sns.create_topic(Name="security")["TopicArn"] == TOPIC
        sns.subscribe(TopicArn=TOPIC, Protocol="email", Endpoint="security@example.com")
        trail = self.client("cloudtrail")
        trail.create_trail(
            Name=TRAIL,
            S3BucketName=BUCKET,
            IsMultiRegionTrail=True,
            CloudWatchLogsLogGroupArn=GROUP_ARN,
            CloudWatchLogsRoleArn=f"arn:aws:iam::{ACCOUNT}:role/to-logs",
        )
        trail.start_logging(Name=TRAIL)
        trail.put_event_selectors(TrailName=TRAIL, EventSelectors=ALL)
        for rule in RULES[:controls]:
            self.filter(rule.id, rule.pattern.text)
            self.alarm(rule.id)

    def filter(self, name: str, pattern: str, group: str = GROUP, **more: Any) -> None:
        self.client("logs").put_metric_filter(
            logGroupName=group,
            filterName=name,
            filterPattern=pattern,
            metricTransformations=[transformation(name, **more)],
        )

    def alarm(self, name: str, **more: Any) -> None:
        self.client("cloudwatch").put_metric_alarm(**alarm(name, **more))


# --- recorded ---


@dataclass
class Recorded:
    """The answers of an account, as the AWS CLI prints them; every control is met until something is changed."""

    trail: Json = field(default_factory=dict)
    status: Json = field(default_factory=dict)
    selectors: Json = field(default_factory=dict)
    filters: list[Json] = field(default_factory=list)
    alarms: list[Json] = field(default_factory=list)
    composites: list[Json] = field(default_factory=list)
    subscriptions: list[Json] = field(default_factory=list)
    more: dict[ApiCall, ApiResponse] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trail = {
            "Name": TRAIL,
            "S3BucketName": BUCKET,
            "IncludeGlobalServiceEvents": True,
            "IsMultiRegionTrail": True,
            "HomeRegion": REGION,
            "TrailARN": TRAIL_ARN,
            "LogFileValidationEnabled": True,
            "CloudWatchLogsLogGroupArn": GROUP_ARN,
            "CloudWatchLogsRoleArn": f"arn:aws:iam::{ACCOUNT}:role/to-logs",
            "HasCustomEventSelectors": True,
            "HasInsightSelectors": False,
            "IsOrganizationTrail": False,
        }
        self.status = {
            "IsLogging": True,
            "LatestDeliveryTime": "2026-03-14T02:12:08.123000+00:00",
            "StartLoggingTime": "2025-01-02T03:04:05+00:00",
            "LatestCloudWatchLogsDeliveryTime": "2026-03-14T02:14:11.456000+00:00",
        }
        self.selectors = {"TrailARN": TRAIL_ARN, "EventSelectors": deepcopy(ALL)}
        self.filters = [metric_filter(rule.id, rule.pattern.text) for rule in RULES]
        self.alarms = [alarm(rule.id) for rule in RULES]
        self.subscriptions = [
            {
                "SubscriptionArn": f"{TOPIC}:{uuid.UUID(int=7)}",
                "Owner": ACCOUNT,
                "Protocol": "email",
                "Endpoint": "security@example.com",
                "TopicArn": TOPIC,
            }
        ]

    def filter_of(self, control: str) -> Json:
        return next(item for item in self.filters if item["filterName"] == f"cis-aws-{control}")

    def alarm_of(self, control: str) -> Json:
        return next(item for item in self.alarms if item["AlarmName"] == f"cis-aws-{control}")

    def contents(self) -> dict[tuple[str, str], Json]:
        """The answers by call and subject."""
        return {
            ("describe-trails", ""): {"trailList": [self.trail] if self.trail else []},
            ("get-trail-status", TRAIL): self.status,
            ("get-event-selectors", TRAIL): self.selectors,
            ("describe-metric-filters", ""): {"metricFilters": self.filters},
            ("describe-alarms", ""): {"MetricAlarms": self.alarms, "CompositeAlarms": self.composites},
            ("list-subscriptions-by-topic", "security"): {"Subscriptions": self.subscriptions},
        }

    def snapshot(self) -> Snapshot:
        answers = {
            ApiCall(ACCOUNT, REGION, call, subject): ApiResponse(json.loads(json.dumps(content)))
            for (call, subject), content in self.contents().items()
        }
        return Snapshot({**answers, **self.more}, [ACCOUNT])


def metric_filter(name: str, pattern: str, **more: Any) -> Json:
    """A metric filter as `describe-metric-filters` prints it."""
    return {
        "filterName": name,
        "filterPattern": pattern,
        "metricTransformations": [transformation(name)],
        "creationTime": 1_700_000_000_000,
        "logGroupName": GROUP,
        "applyOnTransformedLogs": False,
        **more,
    }


Change = Callable[[Recorded], None]
