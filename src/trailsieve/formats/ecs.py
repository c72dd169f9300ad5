"""Elastic Common Schema, for Elasticsearch and OpenSearch.

The fields are common to ECS 8 and 9: www.elastic.co/guide/en/ecs/current/ecs-field-reference.html .
Original records go into `event.original` as text: as objects, their keys would bloat the mapping or clash.
"""

from __future__ import annotations

from typing import Any

import orjson

from trailsieve.formats import alert_fields, native
from trailsieve.model import Alert

VERSION = "8.17.0"  # every field below exists in 9.x with the same meaning
# event.severity is any number; these are the scores of Elastic's own rules.
_SEVERITY = {"informational": 0, "low": 21, "medium": 47, "high": 73, "critical": 99}


def document(alert: Alert) -> dict[str, Any]:
    """The alert as an ECS document; `trailsieve.*` holds fields without an ECS counterpart."""
    time = alert_fields.rfc3339(alert_fields.event_time(alert))
    ip = alert_fields.source_ip(alert)
    users = alert_fields.target_users(alert)
    return alert_fields.without_empty(
        {
            "@timestamp": time,
            "ecs": {"version": VERSION},
            "message": alert_fields.summary(alert),
            "event": _event(alert, time),
            "rule": {"id": alert.rule, "name": alert.title, "reference": alert.references[:1]},
            "cloud": {
                "provider": "aws",
                "account": {"id": alert.account},
                "region": alert.region,
                "service": {"name": (alert.event_source or "").removesuffix(".amazonaws.com")},
            },
            "user": {
                "id": alert.principal,
                "name": alert_fields.user_name(alert.principal),
                "target": {"name": next(iter(users), None)},
            },
            "source": {"address": alert.source_ip, "ip": ip},
            "user_agent": {"original": alert.user_agent},
            "error": {"code": alert.error_code},
            "related": {
                "user": list(dict.fromkeys((*alert_fields.principals(alert), *users))),
                "ip": alert_fields.source_ips(alert),
            },
            "threat": _threat(alert),
            "tags": list(alert.tags),
            "trailsieve": _own(alert),
        }
    )


def encode(alert: Alert) -> bytes:
    """The document as one line of JSON."""
    return orjson.dumps(document(alert))


def _event(alert: Alert, time: str) -> dict[str, Any]:
    return {
        "id": alert.id,
        "kind": "alert",
        "module": "trailsieve",
        "dataset": "trailsieve.alert",
        "provider": alert.event_source,
        "action": alert.event_name,
        "code": alert.rule,
        "outcome": _outcome(alert),
        "severity": _SEVERITY[alert.severity],
        "reason": alert.context.reason if alert.context else None,
        "start": alert.window.start if alert.window else time,
        "end": alert.window.end if alert.window else time,
        "original": _original(alert),
    }


def _own(alert: Alert) -> dict[str, Any]:
    """The fields without an ECS counterpart."""
    return {
        "alert_id": alert.id,
        "kind": alert.kind,
        "severity": alert.severity,
        "state": alert.state,
        "count": alert.count,
        "target": alert_fields.targets(alert),
        "effect": alert.effect,
        "dimensions": [f"{name}={value}" for name, value in sorted(alert.dimensions.items())],
        "value": alert.context.value if alert.context else None,
        "suppressed": alert.context.suppressed if alert.context else None,
        "provisional": alert.provisional or None,
        "confirms": alert.confirms or None,
        "replaces": alert.replaces,
        "references": list(alert.references),
        "position": alert.position,
    }


def _outcome(alert: Alert) -> str | None:
    """Whether the call succeeded; None for an alarm, which is about many calls."""
    if alert.kind == "alarm":
        return None
    return "failure" if alert.error_code else "success"


def _original(alert: Alert) -> str:
    """The original records as JSON lines."""
    shown = alert.records[: native.MAX_RECORDS]
    return "\n".join(native.one_line(text).decode("utf-8", "replace") for text in shown)


def _threat(alert: Alert) -> dict[str, Any]:
    known = alert_fields.techniques(alert)
    technique = sorted({name.split(".")[0] for name in known})
    parts = [name for name in known if "." in name]
    framework = "MITRE ATT&CK" if known else None
    return {"framework": framework, "technique": {"id": technique, "subtechnique": {"id": parts}}}
