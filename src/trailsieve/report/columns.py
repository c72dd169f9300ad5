"""The alerts as columns: string tables with indices, times as differences, compressed.

A hundred thousand alerts take a few hundred kilobytes so. Their records come in chunks of their own,
which the page unpacks when somebody looks at one.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson
from msgspec import Struct

from trailsieve import jsontext
from trailsieve.errors import counted
from trailsieve.investigation.alert_log import OTHERS
from trailsieve.investigation.calls import shortened
from trailsieve.investigation.model import AlertCount, Investigation
from trailsieve.model import SEVERITIES, Alert
from trailsieve.report.explained import Why
from trailsieve.report.mapped import bounded

CHUNK = 100  # alerts with records
_TARGETS = 3  # of one alert
_RECORDS = 3  # of one alert
_LARGEST_RECORD = 64 * 1024  # characters
_TEXTS = (
    "rule",
    "principal",
    "access_key",
    "source_ip",
    "event_name",
    "account",
    "region",
    "error_code",
    "target",
)


class _Row(Struct, gc=False):
    """A line of the table: one alert, or several of a minute that are only counted."""

    time: int | None
    count: int
    rule: str
    principal: str
    access_key: str = ""
    source_ip: str = ""
    event_name: str = ""
    account: str = ""
    region: str = ""
    error_code: str = ""
    target: str = ""


def packed(value: Any) -> str:
    """Plain data as JSON, compressed, in Base64."""
    return base64.b64encode(zlib.compress(orjson.dumps(value), 9)).decode()


def seconds(time: str) -> int | None:
    """A time as seconds since 1970; None if it is not one."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    return int(moment.timestamp()) if moment.tzinfo else None


def without_kept(investigation: Investigation) -> list[AlertCount]:
    """The alerts that are only counted: all counts less the alerts that are kept."""
    left = {
        (each.minute, each.rule, each.principal, each.event_name): each.count for each in investigation.counts
    }
    for alert in investigation.alerts:
        principal, event_name = shortened(alert.principal or ""), shortened(alert.event_name or "")
        time = shortened(alert.time or "")
        names = [(time[:16], principal, event_name), (time[:13], principal, event_name)]
        names += [
            (time[:13], OTHERS, event_name),
            (time[:10], OTHERS, OTHERS),
            (time[:10], principal, OTHERS),
        ]
        keys = ((minute, alert.rule, who, what) for minute, who, what in names)
        key = next((key for key in keys if left.get(key)), None)
        if key:
            left[key] -= 1
    return [AlertCount(*key, count) for key, count in left.items() if count]


def columns(investigation: Investigation) -> tuple[dict[str, Any], list[int]]:
    """Alerts and counts in time order as columns, and the places of the alerts in the same order."""
    rows = [(_row(alert), place) for place, alert in enumerate(investigation.alerts)]
    rows += [(_counted_row(each), -1) for each in investigation.counts]
    rows.sort(key=lambda item: (item[0].time is None, item[0].time or 0))
    times = [row.time for row, _ in rows if row.time is not None]
    shown = {
        "count": len(rows),
        "start": times[0] if times else 0,
        "steps": [later - earlier for earlier, later in pairwise(times)],
        "timed": len(times),
        "weights": [row.count for row, _ in rows],
        "tables": {name: _table(getattr(row, name) for row, _ in rows) for name in _TEXTS},
        "full": [number for number, (_, place) in enumerate(rows) if place >= 0],
    }
    return shown, [place for _, place in rows if place >= 0]


def _row(alert: Alert) -> _Row:
    return _Row(
        seconds(alert.time or ""),
        1,
        alert.rule,
        alert.principal or "",
        _access_key(alert),
        alert.source_ip or "",
        alert.event_name or "",
        alert.account or "",
        alert.region or "",
        alert.error_code or "",
        ", ".join(target.name for target in alert.targets[:_TARGETS]),
    )


def _counted_row(each: AlertCount) -> _Row:
    whole = each.minute + "2000-01-01T00:00:00Z"[len(each.minute) :]
    return _Row(seconds(whole), each.count, each.rule, each.principal, event_name=each.event_name)


def _access_key(alert: Alert) -> str:
    """The access key of the alert's first record, or ""."""
    record = jsontext.decode_object(alert.records[0]) if alert.records else None
    identity = record.get("userIdentity") if record else None
    key = identity.get("accessKeyId") if isinstance(identity, dict) else None
    return bounded(key) if isinstance(key, str) else ""


def _table(values: Iterable[str]) -> dict[str, list[Any]]:
    """Different values, and for each row the number of its value."""
    numbers: dict[str, int] = {}
    rows = [numbers.setdefault(value, len(numbers)) for value in values]
    return {"values": list(numbers), "rows": rows}


def bands(alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """When alarms were in ALARM: from the first breaching period to the return to OK, if it is alerted.

    Else to the end of the alert's window: most alarms notify nobody when they return to OK.
    """
    found: list[dict[str, Any]] = []
    latest: dict[tuple[str, str], dict[str, Any]] = {}
    for alert in alerts:
        window = alert.window
        if alert.kind != "alarm" or window is None:
            continue
        series = alert.rule, repr(sorted(alert.dimensions.items()))
        if alert.state == "ALARM":
            latest[series] = {"rule": alert.rule, "from": seconds(window.start), "to": seconds(window.end)}
            found.append(latest[series])
        elif series in latest:
            latest.pop(series)["to"] = seconds(window.end)
    return [band for band in found if band["from"] is not None and band["to"] is not None]


def detail(alert: Alert, why: Why | None, explanation: int) -> dict[str, Any]:
    """What the page shows of a single alert; `explanation` is the number of its explanation, -1 for none."""
    return {
        "id": alert.id,
        "title": alert.title,
        "summary": alert.summary,
        "effect": alert.effect or "",
        "position": alert.position,
        "agent": alert.user_agent or "",
        "reason": alert.context.reason if alert.context else "",
        "state": alert.state or "",
        "events": alert.count,
        "why": explanation,
        "values": why.values if why else [],
        "records": [_record(text) for text in alert.records[:_RECORDS]],
    }


def _record(text: bytes) -> str:
    if len(text) > _LARGEST_RECORD:
        return f"(a record of {counted(len(text), 'byte')}, too long for this page)"
    return text.decode("utf-8", "replace")


def most_severe_first(alerts: Sequence[Alert]) -> list[int]:
    """Places of alerts: the most severe first, in time order."""
    return sorted(range(len(alerts)), key=lambda place: -SEVERITIES.index(alerts[place].severity))
