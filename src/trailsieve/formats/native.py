"""The native format: one JSON object an alert, original records embedded token for token."""

from __future__ import annotations

import msgspec

from trailsieve.model import Alert

MAX_RECORDS = 10  # original records in one alert; the rest is counted
_BREAKS = bytes.maketrans(b"\r\n", b"  ")


def encode(alert: Alert) -> bytes:
    """The alert as one line of JSON, without a newline."""
    return msgspec.json.encode(
        {
            "id": alert.id,
            "rule": alert.rule,
            "title": alert.title,
            "severity": alert.severity,
            "kind": alert.kind,
            "time": alert.time,
            "account": alert.account,
            "region": alert.region,
            "count": alert.count,
            "principal": alert.principal,
            "source_ip": alert.source_ip,
            "user_agent": alert.user_agent,
            "event_name": alert.event_name,
            "event_source": alert.event_source,
            "error_code": alert.error_code,
            "dimensions": dict(alert.dimensions),
            "tags": alert.tags,
            "references": alert.references,
            "records": [msgspec.Raw(one_line(text)) for text in alert.records[:MAX_RECORDS]],
            "records_omitted": max(0, alert.count - MAX_RECORDS),
            "position": alert.position,
        }
    )


def one_line(text: bytes) -> bytes:
    """A JSON text on one line of valid UTF-8; outside strings line breaks are mere blanks."""
    line = text.translate(_BREAKS) if b"\n" in text or b"\r" in text else text
    return line if line.isascii() else line.decode("utf-8", "replace").encode()
