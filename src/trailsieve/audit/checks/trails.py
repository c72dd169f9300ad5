"""Whether a trail of all regions is logging, records what the control requires, and has a log group."""

from __future__ import annotations

from dataclasses import replace

from trailsieve import arn
from trailsieve.audit import remediation, selectors
from trailsieve.audit.coverage import affected
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.cloudwatch.describe import OPERATIONS
from trailsieve.cloudwatch.snapshot import ApiResponse, Json
from trailsieve.times import seconds_of

_MAX_LAG = 24 * 3600  # seconds by which deliveries to the log group may lag behind those to the bucket
_TIMES = ("LatestCloudWatchLogsDeliveryTime", "LatestDeliveryTime")


def no_response(operation: str, response: ApiResponse) -> Link:
    """The link of a check whose call was never made, or failed."""
    known = OPERATIONS[operation]
    if response.error == "unknown":
        return Link("unknown", response.message, remediation=f"aws {known.service} {operation}")
    message = f"{operation} failed ({response.error}): the audit needs {known.action}"
    return Link("unknown", message, (response.message,), remediation=remediation.grant(known.action))


def trails(target: AuditTarget) -> list[AuditTarget]:
    """A target for each trail that the account can see."""
    found: dict[str, Json] = {}
    for region, response in target.snapshot.responses_to(target.account, "describe-trails"):
        for trail in response.items("trailList"):
            home = str(trail.get("HomeRegion") or arn.parse(trail.get("TrailARN")).region or region)
            found.setdefault(str(trail.get("TrailARN")), {"TrailARN": "", **trail, "HomeRegion": home})
    return [replace(target, trail=trail) for trail in found.values()]


def no_trail(target: AuditTarget) -> Link:
    """The link of an account without a trail, or in which trails could not be listed."""
    responses = [one for _, one in target.snapshot.responses_to(target.account, "describe-trails")]
    responses = responses or [target.snapshot.response(target.account, "REGION", "describe-trails")]
    failed = next((response for response in responses if not response.ok), None)
    if failed:
        return no_response("describe-trails", failed)
    return Link("fail", "there is no trail", remediation=remediation.create_trail())


def check_trail(target: AuditTarget) -> Link:
    """Whether the trail records all regions."""
    trail, evidence = target.trail, (str(target.trail["TrailARN"]),)
    shown = f"{'organization ' if trail.get('IsOrganizationTrail') else ''}trail {trail.get('Name')}"
    if trail.get("IsMultiRegionTrail"):
        return Link("pass", f"{shown} records all regions", evidence)
    message = f"{shown} records {trail['HomeRegion']} only, so events in other regions are missed"
    fix = remediation.change_trail("update-trail", trail) + " --is-multi-region-trail"
    return Link("fail", message, evidence, remediation=fix)


def check_logging(target: AuditTarget) -> Link:
    """Whether the trail is on and its bucket accepts deliveries."""
    trail, status = target.trail, target.of_trail("get-trail-status")
    if not status.ok:
        return no_response("get-trail-status", status)
    state = status.content
    if not state.get("IsLogging"):
        since = state.get("StopLoggingTime") or state.get("TimeLoggingStopped")
        message = f"trail {trail.get('Name')} is not logging" + (f" since {since}" if since else "")
        fix = remediation.change_trail("start-logging", trail)
        return Link("fail", message, ("IsLogging: false",), remediation=fix)
    if state.get("LatestDeliveryError"):
        message = f"the trail cannot deliver to its bucket {trail.get('S3BucketName')}"
        evidence = (f"LatestDeliveryError: {state['LatestDeliveryError']}",)
        return Link("fail", message, evidence, remediation=remediation.show_bucket_policy(trail))
    last = f"LatestDeliveryTime: {state.get('LatestDeliveryTime', 'none')}"
    return Link("pass", f"trail {trail.get('Name')} is logging", ("IsLogging: true", last))


def check_selectors(target: AuditTarget) -> Link:
    """Whether the trail's event selectors record the management events that the control requires."""
    response = target.of_trail("get-event-selectors")
    if not response.ok:
        return no_response("get-event-selectors", response)
    custom = bool(target.trail.get("HasCustomEventSelectors"))
    found = selectors.recorded(response.content, custom=custom)
    fix = remediation.select_all(target.trail, *selectors.with_all_management_events(response.content))
    if found.missing:
        modes = "" if len(found.missing) == 2 else f"{min(found.missing)} "
        narrowed = f"; selectors are narrowed by {'; '.join(found.narrowed)}" if found.narrowed else ""
        message = f"the trail records no {modes}management events{narrowed}"
        return Link("fail", message, found.shown, remediation=fix)
    for source in sorted(found.without):
        if event := affected(target.control, source):
            message = f"the trail excludes events of {source}, which this control requires"
            return Link("fail", message, found.shown, event, fix)
    excluded = ", ".join(sorted(found.without))
    rest = f", except those of {excluded}, which this control does not require" if excluded else ""
    return Link("pass", f"all management events, read and write{rest}", found.shown)


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
