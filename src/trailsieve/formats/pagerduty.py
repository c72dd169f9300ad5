"""An event for PagerDuty's Events API v2 (developer.pagerduty.com/docs/events-api-v2-overview).

`dedup_key` adds a duplicate to the open incident; an alarm that returns to OK resolves it.
"""

from __future__ import annotations

from typing import Any

import orjson

from trailsieve.errors import shorten, visible
from trailsieve.formats import alert_fields
from trailsieve.model import Alert

_SEVERITY = {
    "informational": "info",
    "low": "info",
    "medium": "warning",
    "high": "error",
    "critical": "critical",
}


def document(alert: Alert, routing_key: str) -> dict[str, Any]:
    """The alert as an event."""
    return {
        "routing_key": routing_key,
        "event_action": "resolve" if alert.state == "OK" else "trigger",
        "dedup_key": alert_fields.incident_key(alert),
        "client": alert_fields.PRODUCT,
        "links": [{"href": link, "text": shorten(link, 200)} for link in alert.references[:10]],
        "payload": _visible(
            alert_fields.without_empty(
                {
                    "summary": shorten(alert_fields.summary(alert), 1024),
                    "source": alert.account or alert_fields.PRODUCT,
                    "severity": _SEVERITY[alert.severity],
                    "timestamp": alert_fields.rfc3339(alert_fields.event_time(alert)),
                    "component": alert.event_source,
                    "group": alert.region,
                    "class": alert.rule,
                    "custom_details": {
                        "alert_id": alert.id,
                        "title": alert.title,
                        "count": alert.count,
                        **alert_fields.certainty(alert),
                        "principal": alert.principal,
                        "source_ip": alert.source_ip,
                        "user_agent": alert.user_agent,
                        "event_name": alert.event_name,
                        "targets": alert_fields.target_names(alert),
                        "effect": alert.effect,
                        "error_code": alert.error_code,
                        "dimensions": dict(alert.dimensions),
                        "tags": list(alert.tags),
                    },
                }
            )
        ),
    }


def _visible(value: Any) -> Any:
    """The value with control and bidirectional characters replaced in every text."""
    if isinstance(value, dict):
        return {_visible(name): _visible(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_visible(item) for item in value]
    return visible(value) if isinstance(value, str) else value


def encode(alert: Alert, routing_key: str) -> bytes:
    """The event as JSON."""
    return orjson.dumps(document(alert, routing_key))
