"""From matches to alerts: the identity of an alert, and what it tells of its record."""

from __future__ import annotations

import hashlib
from typing import Any

from trailsieve.model import Alert, Match


def alert_of(match: Match) -> Alert:
    """The alert of one match; the same record and rule give the same alert wherever and whenever."""
    record = match.record.content
    rule = match.rule
    return Alert(
        id=_identity(match),
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        kind="match",
        time=_string(record, "eventTime") or _string(record, "@timestamp"),
        account=_string(record, "recipientAccountId") or _string(record.get("userIdentity"), "accountId"),
        region=_string(record, "awsRegion"),
        count=1,
        records=(match.record.text,),
        principal=principal_of(record),
        source_ip=_string(record, "sourceIPAddress"),
        user_agent=_string(record, "userAgent"),
        event_name=_string(record, "eventName"),
        event_source=_string(record, "eventSource"),
        error_code=_string(record, "errorCode"),
        tags=rule.tags,
        references=rule.references,
        position=f"{match.origin}#{match.record.index}",
    )


def principal_of(record: dict[str, Any]) -> str | None:
    """Who did it: the ARN, or the best name that `userIdentity` has.

    Source: docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    identity = record.get("userIdentity")
    for name in ("arn", "userName", "principalId", "invokedBy", "accountId", "type"):
        value = _string(identity, name)
        if value:
            return value
    return None


def _identity(match: Match) -> str:
    """Rule and eventID, with the account since cross-account calls are recorded in both accounts.

    A record without eventID is known by its text.
    """
    record = match.record.content
    event = _string(record, "eventID")
    known = f"{_string(record, 'recipientAccountId') or ''}/{event}" if event else ""
    digest = hashlib.sha256(match.rule.id.encode() + b"\0")
    digest.update(known.encode("utf-8", "replace") if known else b"\0" + match.record.text)
    return digest.hexdigest()[:32]


def _string(holder: Any, name: str) -> str | None:
    value = holder.get(name) if holder.__class__ is dict else None
    return value if value.__class__ is str and value else None
