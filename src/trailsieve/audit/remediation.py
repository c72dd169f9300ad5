"""Commands of the AWS CLI that mend a link; names that only the reader knows are written in capitals."""

from __future__ import annotations

import json
from shlex import quote

from trailsieve import arn
from trailsieve.audit.coverage import Control
from trailsieve.cloudwatch.alarms import Transformation
from trailsieve.cloudwatch.snapshot import Json

_NAMESPACE = "CISBenchmark"


def command(*words: str, **options: str) -> str:
    """A command line of the AWS CLI; options are sorted as given, `_` becomes `-`."""
    given = (f"--{name.replace('_', '-')} {quote(value)}" for name, value in options.items())
    return " ".join(("aws", *words, *given))


def create_trail() -> str:
    """A trail of all regions, where there is none."""
    return command("cloudtrail", "create-trail", name="management-events", s3_bucket_name="BUCKET") + (
        " --is-multi-region-trail && aws cloudtrail start-logging --name management-events"
    )


def widen_trail(trail: Json) -> str:
    """Makes a trail one of all regions."""
    return command("cloudtrail", "update-trail", **_of(trail)) + " --is-multi-region-trail"


def start_logging(trail: Json) -> str:
    """Switches a trail on."""
    return command("cloudtrail", "start-logging", **_of(trail))


def select_all(trail: Json, option: str, value: str) -> str:
    """Makes a trail record all management events, beside what else it records."""
    name = {"trail_name": str(trail["TrailARN"]), "region": str(trail["HomeRegion"])}
    return f"{command('cloudtrail', 'put-event-selectors', **name)} {option} {quote(value)}"


def bind_log_group(trail: Json) -> str:
    """Makes a trail write to a log group."""
    own = arn.parse(trail["TrailARN"])
    group = ":".join(("arn", own.partition, "logs", own.region, own.account, "log-group:GROUP:*"))
    role = f"arn:{own.partition}:iam::{own.account}:role/CLOUDTRAIL_TO_LOGS"
    options = {"cloud_watch_logs_log_group_arn": group, "cloud_watch_logs_role_arn": role}
    return command("cloudtrail", "update-trail", **_of(trail), **options)


def show_role(trail: Json) -> str:
    """Shows whether the role of a trail may write to its log group."""
    role = arn.parse(trail.get("CloudWatchLogsRoleArn")).resource.rpartition("/")[2] or "ROLE"
    return command("iam", "list-role-policies", role_name=role)


def show_bucket_policy(trail: Json) -> str:
    """Shows whether CloudTrail may write to the bucket."""
    return command("s3api", "get-bucket-policy", bucket=str(trail.get("S3BucketName", "BUCKET")))


def put_filter(control: Control, group: str, region: str, found: Json | None = None) -> str:
    """Makes a metric filter with the control's pattern, or replaces one: its name and metric are kept."""
    kept = (found or {}).get("metricTransformations") or [
        {"metricName": control.rule.id, "metricNamespace": _NAMESPACE, "metricValue": "1"}
    ]
    return command(
        "logs",
        "put-metric-filter",
        log_group_name=group,
        filter_name=str((found or {}).get("filterName") or control.rule.id),
        filter_pattern=control.rule.pattern.text,
        metric_transformations=json.dumps(kept),
        region=region,
    )


def put_alarm(control: Control, metric: Transformation | None, region: str, found: Json | None = None) -> str:
    """Makes or replaces an alarm that goes off on the first match of a metric."""
    namespace, name = metric.key if metric else (_NAMESPACE, control.rule.id)
    topics = (found or {}).get("AlarmActions") or [f"arn:aws:sns:{region}:ACCOUNT:TOPIC"]
    options = {
        "alarm_name": str((found or {}).get("AlarmName") or control.rule.id),
        "namespace": namespace,
        "metric_name": name,
        "statistic": "Sum",
        "period": "300",
        "evaluation_periods": "1",
        "threshold": "1",
        "comparison_operator": "GreaterThanOrEqualToThreshold",
        "treat_missing_data": "notBreaching",
        "region": region,
    }
    actions = " ".join(quote(str(topic)) for topic in topics)
    return f"{command('cloudwatch', 'put-metric-alarm', **options)} --alarm-actions {actions}"


def enable_actions(alarm: Json, region: str) -> str:
    """Lets an alarm act."""
    names = {"alarm_names": str(alarm.get("AlarmName")), "region": region}
    return command("cloudwatch", "enable-alarm-actions", **names)


def subscribe(topic: str) -> str:
    """Subscribes somebody to a topic; the mail that comes must be confirmed."""
    options = {"topic_arn": topic, "protocol": "email", "notification_endpoint": "SECURITY@EXAMPLE.COM"}
    return command("sns", "subscribe", **options, region=arn.parse(topic).region or "REGION")


def confirm(topic: str) -> str:
    """Confirms a subscription with the token of the message that was sent to its endpoint."""
    options = {"topic_arn": topic, "token": "TOKEN"}
    return command("sns", "confirm-subscription", **options, region=arn.parse(topic).region or "REGION")


def create_topic(topic: str) -> str:
    """Makes the topic that an alarm tells."""
    parts = arn.parse(topic)
    return command("sns", "create-topic", name=parts.resource or "TOPIC", region=parts.region or "REGION")


def grant(action: str) -> str:
    """What lets the audit ask: a statement for the policy of who runs it."""
    return json.dumps({"Effect": "Allow", "Action": action, "Resource": "*"})


def _of(trail: Json) -> dict[str, str]:
    return {"name": str(trail["TrailARN"]), "region": str(trail["HomeRegion"])}
