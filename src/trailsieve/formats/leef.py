"""Log Event Extended Format 2.0, for IBM QRadar over syslog.

`LEEF:2.0|vendor|product|version|rule|x09|key=value<tab>key=value…`. The format has no escapes, so
unprintable characters in values, such as tabs and line breaks, are replaced, and so is `|` in the header.
Source: www.ibm.com/docs/en/dsm?topic=overview-leef-event-components .
"""

from __future__ import annotations

from collections.abc import Iterator

from trailsieve.errors import visible
from trailsieve.formats import alert_fields
from trailsieve.model import Alert

_LONGEST = 1024  # characters per value; QRadar truncates events at its maximum payload length


def encode(alert: Alert) -> bytes:
    """The alert as one line, without a newline."""
    names = (alert_fields.PRODUCT, alert_fields.PRODUCT, alert_fields.FORMAT_VERSION, alert.rule)
    header = "|".join(("LEEF:2.0", *(visible(name).replace("|", "¦") for name in names), "x09"))
    attributes = "\t".join(f"{key}={visible(text[:_LONGEST])}" for key, text in _attributes(alert) if text)
    return f"{header}|{attributes}".encode("utf-8", "replace")


def _attributes(alert: Alert) -> Iterator[tuple[str, str | None]]:
    ip = alert_fields.source_ip(alert)
    yield "devTime", str(alert_fields.epoch_milliseconds(alert_fields.event_time(alert)))
    yield "sev", str(alert_fields.SEVERITY_OF_TEN[alert.severity])
    yield "cat", alert.rule
    yield "src", ip
    yield "identHostName", None if ip else alert.source_ip
    yield "usrName", alert_fields.user_name(alert.principal)
    yield "accountName", alert.account
    yield "alertId", alert.id
    yield "kind", alert.kind
    yield "state", alert.state
    yield from alert_fields.certainty(alert).items()
    yield "title", alert.title
    yield "msg", alert_fields.summary(alert)
    yield "principal", alert.principal
    yield "eventName", alert.event_name
    yield "eventSource", alert.event_source
    yield "errorCode", alert.error_code
    yield "resource", alert_fields.target_names(alert)
    yield "effect", alert.effect
    yield "region", alert.region
    yield "userAgent", alert.user_agent
    yield "count", str(alert.count)
    yield "windowStart", alert.window.start if alert.window else None
    yield "windowEnd", alert.window.end if alert.window else None
    yield "dimensions", ", ".join(f"{name}={value}" for name, value in sorted(alert.dimensions.items()))
    yield "tags", " ".join(alert.tags)
    yield "reference", alert.references[0] if alert.references else None
