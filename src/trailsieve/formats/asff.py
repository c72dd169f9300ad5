"""AWS Security Finding Format, 2018-10-08, for Security Hub's BatchImportFindings.

Severity and Types are given as FindingProviderFields, never at the top level, so that an update does not
overwrite the customer's changes. The finding's id is the alert's, so a duplicate is not a new one. Security
Hub ignores an update whose UpdatedAt is not later: a provisional alert has the time of its last event, the
final one the end of its window. Sources:
docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html ;
the length limits are in the page on the format's syntax.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from trailsieve.errors import shorten
from trailsieve.formats import alert_fields, resource_types
from trailsieve.model import Alert, Target

_SEVERITY = {
    "informational": "INFORMATIONAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "critical": "CRITICAL",
}
_NO_ACCOUNT, _NO_REGION = "000000000000", "us-east-1"
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]{2,12}){1,3}-\d", re.ASCII)
_MAX_FIELD, _MAX_FIELDS, _MAX_TARGETS = 2048, 50, 30


def document(alert: Alert, account: str | None = None, region: str | None = None) -> dict[str, Any]:
    """The alert as a finding of `account` and `region`, by default the alert's own."""
    account = account or _account(alert)
    region = region or _region(alert)
    aws = alert_fields.partition(region)
    time = alert_fields.rfc3339(alert_fields.event_time(alert))
    end = alert.window.end if alert.window and not alert.provisional else time
    return alert_fields.without_empty(
        {
            "SchemaVersion": "2018-10-08",
            "Id": f"{alert_fields.PRODUCT}/{alert.id}",
            "ProductArn": f"arn:{aws}:securityhub:{region}:{account}:product/{account}/default",
            "ProductName": alert_fields.PRODUCT,
            "CompanyName": alert_fields.PRODUCT,
            "GeneratorId": _text(f"{alert_fields.PRODUCT}/{alert.rule}", 512),
            "AwsAccountId": account,
            "Region": region,
            "CreatedAt": alert.window.start if alert.window else time,
            "UpdatedAt": end,
            "FirstObservedAt": alert.window.start if alert.window else time,
            "LastObservedAt": end,
            "Title": _text(alert.title, 256) or alert.rule,
            "Description": _text(alert_fields.summary(alert), 1024) or alert.rule,
            "SourceUrl": _url(alert),
            "FindingProviderFields": {
                "Severity": {"Label": _SEVERITY[alert.severity], "Original": alert.severity},
                "Types": ["Unusual Behaviors/User"],
            },
            "RecordState": "ARCHIVED" if alert.state == "OK" else "ACTIVE",
            "Resources": _resources(alert, account, region, aws),
            "Action": _action(alert, time),
            "ProductFields": _fields(alert),
        }
    )


def encode(alert: Alert) -> bytes:
    """The finding as one line of JSON."""
    return orjson.dumps(document(alert))


def _text(text: str, limit: int) -> str:
    """The text cut to `limit`; "" if it is blank, since ASFF allows no blank texts."""
    return shorten(text, limit).strip()


def _account(alert: Alert) -> str:
    known = alert.account or ""
    return known if len(known) == 12 and known.isascii() and known.isdigit() else _NO_ACCOUNT


def _region(alert: Alert) -> str:
    known = alert.region or ""
    return known if _REGION.fullmatch(known) else _NO_REGION


def _url(alert: Alert) -> str | None:
    return next((link for link in alert.references if link.startswith("https://")), None)


def _resources(alert: Alert, account: str, region: str, aws: str) -> list[dict[str, Any]]:
    """The account, the principal if it is an ARN, and what was touched."""
    place = {"Partition": aws, "Region": region}
    found = [{"Type": "AwsAccount", "Id": f"AWS::::Account:{account}", **place}]
    principal = alert.principal or ""
    if principal.startswith("arn:"):
        kind = "AwsIamUser" if ":user/" in principal else "AwsIamRole" if ":role/" in principal else "Other"
        found.append({"Type": kind, "Id": _text(principal, 512), **place})
    touched = [
        {"Type": resource_types.finding(target.kind), "Id": shown, **place}
        for target in alert.targets[:_MAX_TARGETS]
        if (shown := _text(_resource_id(target), 512))
    ]
    return found + [resource for resource in touched if resource not in found]


def _resource_id(target: Target) -> str:
    """The name of a target, an account's as the finding format has it."""
    return f"AWS::::Account:{target.name}" if target.kind == "account" else target.name


def _action(alert: Alert, time: str) -> dict[str, Any] | None:
    if not (alert.event_name and alert.event_source):
        return None
    ip = alert_fields.source_ip(alert)
    call: dict[str, Any] = {
        "Api": _text(alert.event_name, 128),
        "ServiceName": _text(alert.event_source, 128),
        "CallerType": "remoteIp" if ip else "domain",
        "FirstSeen": time,
        "LastSeen": time,
    }
    if ip and "." in ip:
        call["RemoteIpDetails"] = {"IpAddressV4": ip}
    elif not ip and alert.source_ip:
        call["DomainDetails"] = {"Domain": _text(alert.source_ip, 128)}
    return {"ActionType": "AWS_API_CALL", "AwsApiCallAction": call}


def _fields(alert: Alert) -> dict[str, str]:
    """Fields without an ASFF counterpart, as ProductFields."""
    fields: dict[str, str | None] = {
        "kind": alert.kind,
        "state": alert.state,
        "count": str(alert.count),
        **alert_fields.certainty(alert),
        "principal": alert.principal,
        "source_ip": alert.source_ip,
        "user_agent": alert.user_agent,
        "error_code": alert.error_code,
        "effect": alert.effect,
        "tags": " ".join(alert.tags),
        "position": alert.position,
        **{f"dimension/{name}": value for name, value in sorted(alert.dimensions.items())},
    }
    known = [(name, text) for name, text in fields.items() if text][:_MAX_FIELDS]
    return {_text(f"{alert_fields.PRODUCT}/{name}", 128): _text(text, _MAX_FIELD) for name, text in known}
