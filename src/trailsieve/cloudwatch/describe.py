"""Read-only AWS calls that describe trails, metric filters, alarms and topics."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Operation(NamedTuple):
    """A read-only call of the AWS API.

    Attributes:
        service: boto3's name of the service.
        method: boto3's name of the call.
        action: the IAM permission that it needs.
        lists: the keys of the response that come in pages.
        parameters: what every such call is sent.
    """

    service: str
    method: str
    action: str
    lists: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = MappingProxyType({})


OPERATIONS = {  # by the name that the AWS CLI has for it
    "describe-trails": Operation(
        "cloudtrail", "describe_trails", "cloudtrail:DescribeTrails", ("trailList",)
    ),
    "get-trail-status": Operation("cloudtrail", "get_trail_status", "cloudtrail:GetTrailStatus"),
    "get-event-selectors": Operation("cloudtrail", "get_event_selectors", "cloudtrail:GetEventSelectors"),
    "describe-metric-filters": Operation(
        "logs", "describe_metric_filters", "logs:DescribeMetricFilters", ("metricFilters",)
    ),
    "describe-alarms": Operation(
        "cloudwatch",
        "describe_alarms",
        "cloudwatch:DescribeAlarms",
        ("MetricAlarms", "CompositeAlarms"),
        {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
    ),
    "list-subscriptions-by-topic": Operation(
        "sns", "list_subscriptions_by_topic", "sns:ListSubscriptionsByTopic", ("Subscriptions",)
    ),
}


def describe(client: Any, operation: Operation, **parameters: Any) -> dict[str, Any]:
    """The response of a boto3 client with the lists of all its pages joined.

    Raises:
        botocore.exceptions.ClientError: AWS refused the call.
        botocore.exceptions.BotoCoreError: AWS could not be called.
    """
    parameters = {**operation.parameters, **parameters}
    if not client.can_paginate(operation.method):
        content: dict[str, Any] = getattr(client, operation.method)(**parameters)
        return content
    whole: dict[str, Any] = {key: [] for key in operation.lists}
    for page in client.get_paginator(operation.method).paginate(**parameters):
        for key in operation.lists:
            whole[key] += page.get(key, [])
    return whole
