"""Whether the trail delivers to a log group."""

from __future__ import annotations

from trailsieve.audit import remediation
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.cloudwatch.snapshot import Json
from trailsieve.times import seconds_of

_MAX_LAG = 24 * 3600  # seconds by which deliveries to the log group may lag behind those to the bucket
_TIMES = ("LatestCloudWatchLogsDeliveryTime", "LatestDeliveryTime")


def check_log_group(target: AuditTarget) -> Link:
    """Whether the trail has a log group and deliveries to it succeed."""
    trail, state = target.trail, target.of_trail("get-trail-status").content
    group = target.log_group_name
    if not group:
        message = f"trail {trail.get('Name')} does not deliver to a log group"
        return Link("fail", message, remediation=remediation.bind_log_group(trail))
    if error := state.get("LatestCloudWatchLogsDeliveryError"):
        evidence = (f"LatestCloudWatchLogsDeliveryError: {error}",)
        message = f"the trail cannot deliver to log group {group}"
        return Link("fail", message, evidence, remediation=remediation.show_role(trail))
    times = tuple(f"{key}: {state[key]}" for key in _TIMES if state.get(key))
    if _lag(state) > _MAX_LAG:
        message = f"log group {group} has received nothing for a day, although the bucket has"
        return Link("fail", message, times, remediation=remediation.show_role(trail))
    return Link("pass", f"the trail delivers to {group}", times)


def _lag(state: Json) -> float:
    """Seconds by which the log group lags behind the bucket; 0 if the trail's status has no times."""
    group, bucket = (_seconds(state.get(key)) for key in _TIMES)
    return bucket - group if group and bucket else 0


def _seconds(time: object) -> float | None:
    """A time as the AWS CLI prints it: seconds since 1970 (version 1) or ISO 8601 (version 2)."""
    return time if isinstance(time, int | float) else seconds_of(time)
