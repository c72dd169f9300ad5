"""Effects of calls that make an account blind."""

from __future__ import annotations

from trailsieve.errors import counted
from trailsieve.trail.targets.effects.call import Call, is_off, items, listed, shown, text, texts, value


def trail_updated(call: Call) -> str | None:
    """The effect of changing a trail's settings."""
    if is_off(value(call.request, "isMultiRegionTrail")):
        return "records one region only"
    if is_off(value(call.request, "includeGlobalServiceEvents")):
        return "no longer records global services such as IAM"
    if is_off(value(call.request, "isOrganizationTrail")):
        return "no longer records the other accounts of the organization"
    if is_off(value(call.request, "enableLogFileValidation")):
        return "no longer proves that log files are unchanged"
    bucket = text(call.request, "s3BucketName")
    return f"writes the log to bucket {shown(bucket)}" if bucket else None


def event_selectors(call: Call) -> str | None:
    """The effect of choosing the events that a trail records."""
    if advanced := items(call.request, "advancedEventSelectors"):
        return _advanced([items(selector, "fieldSelectors") for selector in advanced])
    selectors = items(call.request, "eventSelectors")
    if not selectors:
        return None
    if all(is_off(value(selector, "includeManagementEvents")) for selector in selectors):
        return "no longer records management events"
    kinds = {text(selector, "readWriteType") for selector in selectors}
    if kinds in ({"ReadOnly"}, {"WriteOnly"}):
        return f"records {'reads' if kinds == {'ReadOnly'} else 'writes'} only"
    excluded = [name for selector in selectors for name in texts(selector, "excludeManagementEventSources")]
    return f"no longer records {listed(excluded)}" if excluded else None


def _advanced(selectors: list[list[object]]) -> str | None:
    fields = [field for selector in selectors for field in selector]
    categories = [
        name for field in fields if text(field, "field") == "eventCategory" for name in texts(field, "equals")
    ]
    if categories and "Management" not in categories:
        return "no longer records management events"
    for field in fields:
        excluded = texts(field, "notEquals") + texts(field, "notStartsWith")
        if excluded:
            return f"leaves out events by {shown(text(field, 'field'))}: {listed(excluded)}"
    return None


def retention(call: Call) -> str | None:
    """The effect of changing how long logs are kept."""
    days = value(call.request, "retentionInDays")
    return (
        f"deletes logs after {counted(days, 'day')}" if days.__class__ is int and 0 < days < 10**6 else None
    )


def detector(call: Call) -> str | None:
    """The effect of changing GuardDuty's detector."""
    return "suspends GuardDuty in this region" if is_off(value(call.request, "enable")) else None


def findings_filter(call: Call) -> str | None:
    """The effect of a filter that archives findings."""
    archived = text(call.request, "action") == "ARCHIVE"
    return "archives findings before anyone sees them" if archived else None


def security_control(call: Call) -> str | None:
    """The effect of a control of Security Hub."""
    return "switches the control off" if text(call.request, "controlStatus") == "DISABLED" else None


def backups(call: Call) -> str | None:
    """The effect of a table's continuous backups."""
    enabled = value(call.request, "pointInTimeRecoverySpecification", "pointInTimeRecoveryEnabled")
    return "switches continuous backups off" if is_off(enabled) else None
