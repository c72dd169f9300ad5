"""Fields of an alert as several formats need them: times, addresses, names, texts."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from trailsieve import arn
from trailsieve.model import Alert, Severity
from trailsieve.times import iso_time

PRODUCT = "trailsieve"
# The version of the formats, not of the program: receivers select parsers by it.
FORMAT_VERSION = "1"

# Severities on the scale from 0 to 10 of CEF and LEEF.
SEVERITY_OF_TEN: dict[Severity, int] = {"informational": 1, "low": 3, "medium": 5, "high": 8, "critical": 10}
_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.ASCII | re.IGNORECASE)


def event_time(alert: Alert) -> datetime:
    """The event time in UTC, or the current time if the event has no valid one: receivers require one."""
    return parse_time(alert.time) or datetime.now(UTC)


def parse_time(text: str | None) -> datetime | None:
    """An RFC 3339 time in UTC, or None if it is invalid."""
    time = iso_time(text)
    try:
        return time and time.astimezone(UTC)
    except OverflowError:
        return None


def epoch_milliseconds(time: datetime) -> int:
    """Milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def rfc3339(time: datetime) -> str:
    """`2026-03-14T02:12:08.000Z`: accepted by all receivers."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def source_ip(alert: Alert) -> str | None:
    """The source IP address, or None: CloudTrail also has service names there."""
    return _ip(alert.source_ip)


def _ip(text: str | None) -> str | None:
    try:
        return str(ipaddress.ip_address(text or ""))
    except ValueError:
        return None


def principals(alert: Alert) -> list[str]:
    """The principals of the alert; for an alarm, those with the most events."""
    named = [each.name for each in alert.context.principals.top] if alert.context else []
    return list(dict.fromkeys(name for name in (alert.principal, *named) if name))


def source_ips(alert: Alert) -> list[str]:
    """The source IP addresses of the alert; for an alarm, those with the most events."""
    named = [each.name for each in alert.context.source_ips.top] if alert.context else []
    found = (_ip(text) for text in (alert.source_ip, *named))
    return list(dict.fromkeys(ip for ip in found if ip))


def techniques(alert: Alert) -> list[str]:
    """ATT&CK technique ids such as `T1078.004`, from tags such as `attack.t1078.004`."""
    return technique_ids(alert.tags)


def technique_ids(tags: Iterable[str]) -> list[str]:
    """The same for the tags of a rule."""
    found = (_TECHNIQUE.fullmatch(tag) for tag in tags)
    return [match[1].upper() for match in found if match]


def incident_key(alert: Alert) -> str:
    """The key of the incident that an alert opens or closes; all states of an alarm series share one key."""
    if alert.kind == "match":
        return alert.id
    known = repr((alert.rule, sorted(alert.dimensions.items()))).encode("utf-8", "replace")
    return hashlib.sha256(known).hexdigest()[:32]


def targets(alert: Alert) -> list[dict[str, str | int]]:
    """What was touched: `kind`, `name`, and `more` where further ones of the kind are not listed."""
    return [
        {"kind": target.kind, "name": target.name, **({"more": target.more} if target.more else {})}
        for target in alert.targets
    ]


def target_names(alert: Alert) -> str:
    """The names of what was touched, in a line: `bob, AdministratorAccess`; "" if the alert has none."""
    names = [arn.name_in(target.name) for target in alert.targets]
    more = sum(target.more for target in alert.targets)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def target_users(alert: Alert) -> list[str]:
    """The names of the users that were touched."""
    return [arn.name_in(target.name) for target in alert.targets if target.kind == "user"]


def user_name(principal: str | None) -> str | None:
    """`mia` for `arn:aws:iam::111122223333:user/mia`; other principals are returned unchanged."""
    return arn.parse(principal).resource.rpartition("/")[2] or principal


def certainty(alert: Alert) -> dict[str, str]:
    """What is known of a provisional alert and how it was settled, by field; nothing for other alerts."""
    found = {
        "provisional": "true" if alert.provisional else None,
        "confirms": "true" if alert.confirms else None,
        "replaces": alert.replaces,
    }
    return {name: text for name, text in found.items() if text}


def summary(alert: Alert) -> str:
    """One sentence for a person about what happened, and whether it is provisional or settles one."""
    if alert.provisional:
        return f"Provisional: {_summary(alert)}"
    if alert.confirms:
        return f"Confirmed: {_summary(alert)}"
    if alert.replaces:
        return f"{_summary(alert)} (replaces the provisional alert {alert.replaces})"
    return _summary(alert)


def _summary(alert: Alert) -> str:
    if alert.summary:
        return alert.summary
    what = alert.event_name or "an event"
    where = f" in {alert.region}" if alert.region else ""
    source = f" from {alert.source_ip}" if alert.source_ip else ""
    outcome = f": {alert.error_code}" if alert.error_code else ""
    return f"{alert.title}: {alert.principal or 'somebody'} called {what}{where}{source}{outcome}"


def partition(region: str | None) -> str:
    """The AWS partition of a region."""
    prefixes = (
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
    )
    return next((name for prefix, name in prefixes if (region or "").startswith(prefix)), "aws")


def without_empty(document: dict[str, Any]) -> dict[str, Any]:
    """The document without None, "", and empty objects and lists, at any depth."""
    shown = {}
    for key, value in document.items():
        inner = without_empty(value) if isinstance(value, dict) else value
        if inner not in (None, "", [], {}, ()):
            shown[key] = inner
    return shown
