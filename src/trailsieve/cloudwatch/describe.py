"""Read-only AWS calls that describe trails, metric filters, alarms and topics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """A read-only call of the AWS API.

    Attributes:
        service: boto3's name of the service.
        name: boto3's name of the call.
        action: the IAM permission that it needs.
        lists: the keys of the response that come in pages.
        parameters: what is sent with every such call.
    """

    service: str
    name: str
    action: str
    lists: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)


_ALARMS = ("MetricAlarms", "CompositeAlarms")
_ALARM_TYPES = {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
OPERATIONS = {  # by name, as the AWS CLI writes it
    operation.name.replace("_", "-"): operation
    for operation in (
        Operation("cloudtrail", "describe_trails", "cloudtrail:DescribeTrails", ("trailList",)),
        Operation("cloudtrail", "get_trail_status", "cloudtrail:GetTrailStatus"),
        Operation("cloudtrail", "get_event_selectors", "cloudtrail:GetEventSelectors"),
        Operation("logs", "describe_metric_filters", "logs:DescribeMetricFilters", ("metricFilters",)),
        Operation("cloudwatch", "describe_alarms", "cloudwatch:DescribeAlarms", _ALARMS, _ALARM_TYPES),
        Operation("sns", "list_subscriptions_by_topic", "sns:ListSubscriptionsByTopic", ("Subscriptions",)),
    )
}


def describe(client: Any, operation: Operation, **parameters: Any) -> dict[str, Any]:
    """The response of a boto3 client, with the lists of all pages joined.

    Raises:
        botocore.exceptions.ClientError: AWS refused the call.
        botocore.exceptions.BotoCoreError: AWS could not be called.
    """
    parameters = operation.parameters | parameters
    if not client.can_paginate(operation.name):
        content: dict[str, Any] = getattr(client, operation.name)(**parameters)
        return content
    whole: dict[str, Any] = {key: [] for key in operation.lists}
    for page in client.get_paginator(operation.name).paginate(**parameters):
        for key in operation.lists:
            whole[key] += page.get(key, [])
    return whole
