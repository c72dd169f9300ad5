"""Whether a trailsieve configuration reads the trail, has a rule for the control, and a sink for alerts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trailsieve import arn
from trailsieve.audit import coverage, remediation
from trailsieve.audit.checks.metric_filters import judge
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.model import Alert

_NOT_SEEN = ("whether trailsieve runs with this configuration, and keeps up, is not audited",)
_READ_BY_NOBODY = ("stdout", "files", "memory")


def check_source(target: AuditTarget) -> Link:
    """Whether the source reads what the trail writes."""
    config, trail = target.config, target.trail
    assert config
    if config.kind == "s3":
        return _bucket(target, config.settings)
    if config.kind == "sqs":
        return _queue(target, config.settings)
    message = f"whether source {config.kind} receives all events of trail {trail.get('Name')} is not audited"
    if config.kind != "kinesis" or not target.log_group_name:
        return Link("unknown", message)
    show = {"log_group_name": target.log_group_name, "region": str(trail["HomeRegion"])}
    fix = remediation.command("logs", "describe-subscription-filters", **show)
    return Link("unknown", message, remediation=fix)


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
    asked = target.account, topic.region, "list-subscriptions-by-topic", topic.resource
    response = target.snapshot.response(*asked)
    for one in response.items("Subscriptions") if topic.resource else ():
        queue = arn.parse(one.get("Endpoint"))
        if (queue.service, queue.account, queue.resource) == ("sqs", account, name):
            message = f"queue {name} is subscribed to the trail's topic {topic.resource}"
            return Link("pass", message, _NOT_SEEN)
    message = f"whether bucket {bucket} notifies queue {name} of new files is not audited"
    show = remediation.command("s3api", "get-bucket-notification-configuration", bucket=bucket)
    return Link("unknown", message, remediation=show)


def rules(target: AuditTarget) -> list[AuditTarget]:
    """A target for each rule that seems meant for the control."""
    assert target.config
    return [
        replace(target, rule=rule)
        for rule in target.config.rules
        if not rule.sequence and coverage.concerns(target.control, rule.pattern)
    ]


def no_rule(target: AuditTarget) -> Link:
    """The link if no rule seems meant for the control."""
    assert target.config
    name, checked = target.config.name, len(target.config.rules)
    message = f"no rule of {name} is for this control ({checked} checked)"
    return Link("fail", message, remediation=f'[[rules]]\npack = "cis-aws"   # in {name}')


def check_rule(target: AuditTarget) -> Link:
    """Whether the rule is enabled and matches everything the control requires, less its exceptions."""
    rule, control = target.rule, target.control
    assert rule
    if not rule.enabled:
        return Link("fail", f"rule {rule.id} is disabled")
    link = judge(f"rule {rule.id}", control, rule.pattern)
    if link.verdict != "pass":
        return link
    for exception in rule.exceptions:
        if coverage.covers(control, exception.pattern):
            return Link("fail", f"an exception of rule {rule.id} excludes every event: {exception.reason}")
        if lost := next(filter(exception.pattern.matches, control.readings[0].match), ""):
            message = f"an exception of rule {rule.id} excludes events that the control requires"
            return Link("unknown", message, (f"reason: {exception.reason}",), lost)
    shown = tuple(f"exception: {one.pattern.text} ({one.reason})" for one in rule.exceptions)
    return replace(link, evidence=(*link.evidence, *shown))


def check_sink(target: AuditTarget) -> Link:
    """Whether a sink that somebody reads takes the rule's alerts."""
    rule, config = target.rule, target.config
    assert rule
    assert config
    alert = Alert(
        id="",
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        kind="match" if rule.alarm is None else "alarm",
        time=None,
        account=target.account,
        region=None,
        count=1,
        tags=rule.tags,
    )
    sinks = [sink for sink in config.sinks if sink.takes(alert)]
    if not sinks:
        return Link("fail", f"no sink takes alerts of rule {rule.id} (severity {rule.severity})")
    read = [sink.name for sink in sinks if sink.kind not in _READ_BY_NOBODY]
    if not read:
        names = ", ".join(sink.name for sink in sinks)
        return Link("unknown", f"alerts only go to {names}, which may or may not be read by a person")
    return Link("pass", f"alerts go to {', '.join(read)}")
