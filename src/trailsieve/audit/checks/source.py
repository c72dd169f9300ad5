"""Whether the source of a trailsieve configuration receives the trail's events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from trailsieve import arn
from trailsieve.audit import remediation
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget

_NOT_SEEN = ("whether trailsieve runs with this configuration, and keeps up, is not audited",)


def check_source(target: AuditTarget) -> Link:
    """Whether the source reads what the trail writes."""
    config, trail = target.config, target.trail
    assert config
    if config.kind == "s3":
        return _bucket(target, config.settings)
    if config.kind == "sqs":
        return _queue(target, config.settings)
    message = f"whether source {config.kind} receives all events of trail {trail.get('Name')} is not audited"
    show = {"log_group_name": target.log_group_name, "region": str(trail["HomeRegion"])}
    if config.kind == "kinesis" and target.log_group_name:
        fix = remediation.command("logs", "describe-subscription-filters", **show)
        return Link("unknown", message, remediation=fix)
    return Link("unknown", message)


def _bucket(target: AuditTarget, settings: Mapping[str, Any]) -> Link:
    url, own = str(settings.get("url")), str(target.trail.get("S3BucketName"))
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if bucket != own:
        return Link("fail", f"it reads bucket {bucket}, but the trail delivers to {own}")
    if not _includes(prefix, str(target.trail.get("S3KeyPrefix") or ""), target.account):
        return Link("fail", f"{url} does not include everything the trail delivers")
    accounts, regions = settings.get("accounts") or (), settings.get("regions") or ()
    if regions or (accounts and target.account not in accounts):
        return Link("fail", f"it only reads {', '.join((*accounts, *regions))}")
    if settings.get("until") or not settings.get("poll_interval"):
        return Link("unknown", f"it reads {url} once; whether it is run again is not audited")
    return Link("pass", f"it reads {url}, where the trail delivers", _NOT_SEEN)


def _includes(prefix: str, trail_prefix: str, account: str) -> bool:
    """Whether all CloudTrail files of a trail's account are below a prefix."""
    base = f"{trail_prefix.strip('/')}/AWSLogs/".lstrip("/")
    return base.startswith(prefix) or bool(
        re.fullmatch(rf"{re.escape(base)}(o-\w+/)?({account}/?(CloudTrail/?)?)?", prefix)
    )


def _queue(target: AuditTarget, settings: Mapping[str, Any]) -> Link:
    """Whether the queue is subscribed to the trail's own topic; S3 event notifications are not audited."""
    url, bucket = str(settings.get("queue_url")), str(target.trail.get("S3BucketName"))
    account, _, name = url.partition("://")[2].partition("/")[2].partition("/")
    topic = arn.parse(target.trail.get("SnsTopicARN"))
    response = target.snapshot.response(
        target.account, topic.region, "list-subscriptions-by-topic", topic.resource
    )
    for one in response.items("Subscriptions") if topic.resource else ():
        queue = arn.parse(one.get("Endpoint"))
        if (queue.service, queue.account, queue.resource) == ("sqs", account, name):
            return Link(
                "pass", f"queue {name} is subscribed to the trail's topic {topic.resource}", _NOT_SEEN
            )
    message = f"whether bucket {bucket} notifies queue {name} of new files is not audited"
    show = remediation.command("s3api", "get-bucket-notification-configuration", bucket=bucket)
    return Link("unknown", message, remediation=show)
