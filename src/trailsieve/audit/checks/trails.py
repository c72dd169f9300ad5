"""Whether a trail of all regions is logging and records the events that the control requires."""

from __future__ import annotations

from dataclasses import replace

from trailsieve import arn
from trailsieve.audit import remediation, selectors
from trailsieve.audit.coverage import affected
from trailsieve.audit.model import Link
from trailsieve.audit.target import AuditTarget
from trailsieve.cloudwatch.describe import OPERATIONS
from trailsieve.cloudwatch.snapshot import ApiResponse, Json


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
    return Link("fail", message, evidence, remediation=remediation.widen_trail(trail))


def check_logging(target: AuditTarget) -> Link:
    """Whether the trail is on and its bucket accepts deliveries."""
    trail, status = target.trail, target.of_trail("get-trail-status")
    if not status.ok:
        return no_response("get-trail-status", status)
    state = status.content
    if not state.get("IsLogging"):
        since = state.get("StopLoggingTime") or state.get("TimeLoggingStopped")
        message = f"trail {trail.get('Name')} is not logging" + (f" since {since}" if since else "")
        return Link("fail", message, ("IsLogging: false",), remediation=remediation.start_logging(trail))
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
