"""AWS CLI commands that repair a link; placeholders for names that only the reader knows are in capitals."""

from __future__ import annotations

from shlex import quote

from trailsieve import arn, jsontext
from trailsieve.audit.target import AuditTarget
from trailsieve.cloudwatch.snapshot import Json

_NAMESPACE = "CISBenchmark"


def command(*words: str, **options: str) -> str:
    """An AWS CLI command; options keep their order, and `_` in their names becomes `-`."""
    given = (f"--{name.replace('_', '-')} {quote(value)}" for name, value in options.items())
    return " ".join(("aws", *words, *given))


def create_trail() -> str:
    """Creates a trail of all regions and starts it."""
    return command("cloudtrail", "create-trail", name="management-events", s3_bucket_name="BUCKET") + (
        " --is-multi-region-trail && aws cloudtrail start-logging --name management-events"
    )


def change_trail(call: str, trail: Json, **options: str) -> str:
    """Changes a trail with a call of CloudTrail."""
    name, region = str(trail["TrailARN"]), str(trail["HomeRegion"])
    return command("cloudtrail", call, name=name, region=region, **options)


def select_all(trail: Json, option: str, value: str) -> str:
    """Makes a trail record all management events in addition to what else it records."""
    name, region = str(trail["TrailARN"]), str(trail["HomeRegion"])
    asked = command("cloudtrail", "put-event-selectors", trail_name=name, region=region)
    return f"{asked} {option} {quote(value)}"


def bind_log_group(trail: Json) -> str:
    """Makes a trail deliver to a log group."""
    own = arn.parse(trail["TrailARN"])
    group = ":".join(("arn", own.partition, "logs", own.region, own.account, "log-group:GROUP:*"))
    role = f"arn:{own.partition}:iam::{own.account}:role/CLOUDTRAIL_TO_LOGS"
    options = {"cloud_watch_logs_log_group_arn": group, "cloud_watch_logs_role_arn": role}
    return change_trail("update-trail", trail, **options)


def show_role(trail: Json) -> str:
    """Shows whether the role of a trail may deliver to its log group."""
    role = arn.parse(trail.get("CloudWatchLogsRoleArn")).resource.rpartition("/")[2] or "ROLE"
    return command("iam", "list-role-policies", role_name=role)


def show_bucket_policy(trail: Json) -> str:
    """Shows whether CloudTrail may deliver to the bucket."""
    return command("s3api", "get-bucket-policy", bucket=str(trail.get("S3BucketName", "BUCKET")))


def put_filter(target: AuditTarget) -> str:
    """Creates a metric filter with the control's pattern, or replaces that of the target's filter."""
    rule = target.control.rule
    found = target.metric_filter.json if target.metric_filter else {}
    kept = found.get("metricTransformations") or [
        {"metricName": rule.id, "metricNamespace": _NAMESPACE, "metricValue": "1"}
    ]
    return command(
        "logs",
        "put-metric-filter",
        log_group_name=target.log_group_name,
        filter_name=str(found.get("filterName") or rule.id),
        filter_pattern=rule.pattern.text,
        metric_transformations=jsontext.encode(kept),
        region=target.log_group.region,
    )


def put_alarm(target: AuditTarget, alarm: Json | None = None) -> str:
    """Creates or replaces an alarm on the target's metric that the first match triggers.

    Args:
        alarm: the alarm to replace; that of the target by default.
    """
    assert target.metric
    namespace, name = target.metric.key
    region, found = target.log_group.region, target.alarm if alarm is None else alarm
    topics = found.get("AlarmActions") or [f"arn:aws:sns:{region}:ACCOUNT:TOPIC"]
    put = command(
        "cloudwatch",
        "put-metric-alarm",
        alarm_name=str(found.get("AlarmName") or target.control.rule.id),
        namespace=namespace,
        metric_name=name,
        statistic="Sum",
        period="300",
        evaluation_periods="1",
        threshold="1",
        comparison_operator="GreaterThanOrEqualToThreshold",
        treat_missing_data="notBreaching",
        region=region,
    )
    return " ".join((put, "--alarm-actions", *(quote(str(topic)) for topic in topics)))


def enable_actions(alarm: Json, region: str) -> str:
    """Enables the actions of an alarm."""
    name = str(alarm.get("AlarmName"))
    return command("cloudwatch", "enable-alarm-actions", alarm_names=name, region=region)


def change_topic(call: str, topic: str, **options: str) -> str:
    """Changes a topic with a call of SNS."""
    return command("sns", call, **options, region=arn.parse(topic).region or "REGION")


def subscribe(topic: str) -> str:
    """Subscribes an address to a topic; its owner must confirm by the mail that arrives."""
    options = {"protocol": "email", "notification_endpoint": "SECURITY@EXAMPLE.COM"}
    return change_topic("subscribe", topic, topic_arn=topic, **options)


def grant(action: str) -> str:
    """A policy statement that allows the audit to make a call."""
    return jsontext.encode({"Effect": "Allow", "Action": action, "Resource": "*"})
