"""OCSF Detection Finding, class 2004 (schema.ocsf.io): used by Amazon Security Lake, Splunk and others.

All fields exist with the same meaning in OCSF 1.4 and later.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from trailsieve import arn
from trailsieve.formats import alert_fields, native, resource_types
from trailsieve.model import Alert, Target

VERSION = "1.6.0"
_CATEGORY, _CLASS = 2, 2004
_SEVERITY = {
    "informational": (1, "Informational"),
    "low": (2, "Low"),
    "medium": (3, "Medium"),
    "high": (4, "High"),
    "critical": (5, "Critical"),
}
_CREATE, _UPDATE, _CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
_RULE = (1, "Rule")  # analytic.type_id
_USER_NAME, _IP, _RESOURCE = (4, "User Name"), (2, "IP Address"), (10, "Resource UID")  # observable.type_id


def document(alert: Alert) -> dict[str, Any]:
    """The alert as a Detection Finding; an alarm that returns to OK closes the finding."""
    activity, activity_name = _activity(alert)
    severity, severity_name = _SEVERITY[alert.severity]
    time = alert_fields.event_time(alert)
    first = alert_fields.parse_time(alert.window.start) if alert.window else None
    last = alert_fields.parse_time(alert.window.end) if alert.window else None
    return alert_fields.without_empty(
        {
            "activity_id": activity,
            "activity_name": activity_name,
            "category_uid": _CATEGORY,
            "category_name": "Findings",
            "class_uid": _CLASS,
            "class_name": "Detection Finding",
            "type_uid": _CLASS * 100 + activity,
            "type_name": f"Detection Finding: {activity_name}",
            "time": alert_fields.epoch_milliseconds(time),
            "start_time": alert_fields.epoch_milliseconds(first) if first else None,
            "end_time": alert_fields.epoch_milliseconds(last) if last else None,
            "severity_id": severity,
            "severity": severity_name,
            "status_id": 4 if alert.state == "OK" else 1,
            "status": "Resolved" if alert.state == "OK" else "New",
            "is_alert": True,
            "count": alert.count if alert.count > 0 else None,
            "message": alert_fields.summary(alert),
            "metadata": _metadata(alert),
            "finding_info": _finding(alert),
            "cloud": {"provider": "AWS", "region": alert.region, "account": _account(alert)},
            "evidences": [evidence] if (evidence := alert_fields.without_empty(_evidence(alert))) else [],
            "resources": _resources(alert),
            "observables": _observables(alert),
            "raw_data": _raw(alert),
            "unmapped": _unmapped(alert),
        }
    )


def encode(alert: Alert) -> bytes:
    """The finding as one line of JSON."""
    return orjson.dumps(document(alert))


def _activity(alert: Alert) -> tuple[int, str]:
    if alert.state == "OK":
        return _CLOSE
    return _UPDATE if alert.confirms or alert.replaces else _CREATE


def _metadata(alert: Alert) -> dict[str, Any]:
    return {
        "version": VERSION,
        "uid": alert.id,
        "product": {
            "name": alert_fields.PRODUCT,
            "vendor_name": alert_fields.PRODUCT,
            "version": alert_fields.FORMAT_VERSION,
        },
        "profiles": ["cloud"],
        "labels": list(alert.tags),
        "log_provider": "AWS CloudTrail",
        "original_time": alert.time,
        "event_code": alert.rule,
    }


def _finding(alert: Alert) -> dict[str, Any]:
    kind, name = _RULE
    return {
        "uid": alert_fields.incident_key(alert),
        "title": alert.title or alert.rule,
        "desc": alert_fields.summary(alert),
        "types": [alert.kind],
        "analytic": {"uid": alert.rule, "name": alert.title, "type_id": kind, "type": name},
        "attacks": [_attack(technique) for technique in alert_fields.techniques(alert)],
        "src_url": alert.references[0] if alert.references else None,
        "data_sources": ["AWS CloudTrail"],
    }


def _attack(technique: str) -> dict[str, Any]:
    main, _, part = technique.partition(".")
    return {"technique": {"uid": main}, **({"sub_technique": {"uid": technique}} if part else {})}


def _account(alert: Alert) -> dict[str, Any] | None:
    return {"uid": alert.account, "type_id": 10, "type": "AWS Account"} if alert.account else None


def _user(alert: Alert) -> dict[str, Any]:
    return {"uid": alert.principal, "name": alert_fields.user_name(alert.principal)}


def _evidence(alert: Alert) -> dict[str, Any]:
    """Actor, API call and source."""
    api = {
        "operation": alert.event_name,
        "service": {"name": alert.event_source},
        "response": {"error": alert.error_code},
    }
    ip = alert_fields.source_ip(alert)
    return {
        "actor": {"user": _user(alert)},
        "api": api if alert.event_name else None,
        "src_endpoint": {"ip": ip, "name": None if ip else alert.source_ip},
    }


def _resources(alert: Alert) -> list[dict[str, Any]]:
    """The account, and what was touched in it."""
    uid = f"AWS::::Account:{alert.account}"
    found = [{"uid": uid, "type": "AWS::Account", "region": alert.region}] if alert.account else []
    return [alert_fields.without_empty(resource) for resource in (*found, *map(_resource, alert.targets))]


def _resource(target: Target) -> dict[str, Any]:
    kind = resource_types.cloudformation(target.kind)
    uid = target.name if target.name.startswith("arn:") else None
    return {"uid": uid, "name": arn.name_in(target.name), "type": kind}


def _observables(alert: Alert) -> list[dict[str, Any]]:
    users = [
        ("evidences[].actor.user.name", _USER_NAME, alert_fields.user_name(name))
        for name in alert_fields.principals(alert)
    ]
    ips = [("evidences[].src_endpoint.ip", _IP, ip) for ip in alert_fields.source_ips(alert)]
    account = f"AWS::::Account:{alert.account}" if alert.account else None
    found = [*users, *ips, ("resources[].uid", _RESOURCE, account)]
    return [
        {"name": name, "type_id": kind, "type": caption, "value": value}
        for name, (kind, caption), value in found
        if value
    ]


def _raw(alert: Alert) -> str:
    shown = alert.records[: native.MAX_RECORDS]
    return "\n".join(native.one_line(text).decode("utf-8", "replace") for text in shown)


def _unmapped(alert: Alert) -> dict[str, Any]:
    """Fields without an OCSF counterpart."""
    return {
        "kind": alert.kind,
        "state": alert.state,
        "user_agent": alert.user_agent,
        "effect": alert.effect,
        "dimensions": dict(alert.dimensions),
        "provisional": alert.provisional or None,
        "confirms": alert.confirms or None,
        "replaces": alert.replaces,
        "references": list(alert.references),
        "position": alert.position,
        "context": msgspec.to_builtins(alert.context),
    }
