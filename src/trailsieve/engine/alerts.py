"""From matches to alerts: an alert's id, and the fields that it takes from its record."""

from __future__ import annotations

import hashlib
from typing import Any

from trailsieve import jsontext
from trailsieve.alarms.context import Facts
from trailsieve.alarms.datapoint import ID_BYTES
from trailsieve.alarms.sentence import of_match
from trailsieve.model import Alert, Match, Record, Target
from trailsieve.trail.event import Event, value_of
from trailsieve.trail.targets import effect_of, targets_of


def alert_of(match: Match) -> Alert:
    """Returns the alert of one match; the same record and rule always give the same alert."""
    event: Event = match.record.event
    rule = match.rule
    facts = facts_of(event)
    targets, effect = _touched(event)
    return Alert(
        id=alert_id(rule.id, match.record),
        rule=rule.id,
        title=rule.title,
        severity=rule.severity,
        kind="match",
        time=time_of(event),
        account=facts.account,
        region=facts.region,
        count=1,
        records=(match.record.text,),
        principal=facts.principal,
        source_ip=facts.source_ip,
        user_agent=facts.user_agent,
        event_name=facts.event_name,
        event_source=facts.event_source,
        error_code=facts.error_code,
        targets=targets,
        effect=effect,
        summary=of_match(facts, targets, effect),
        tags=rule.tags,
        references=rule.references,
        position=position_of(match),
    )


def facts_of(event: Event) -> Facts:
    """Returns who did what from where, as alerts show it and alarms count it."""
    identity = event.userIdentity if event.userIdentity.__class__ is dict else {}
    return Facts(
        _principal(identity),
        _text(event.sourceIPAddress),
        _text(event.eventName),
        _text(event.errorCode),
        _text(event.recipientAccountId) or _text(identity.get("accountId")),
        _text(event.awsRegion),
        _text(event.eventSource),
        _text(event.userAgent),
    )


def _touched(event: Event) -> tuple[tuple[Target, ...], str | None]:
    """What the call touched, and what it brought about."""
    source, name = event.eventSource, event.eventName
    request, response = value_of(event.requestParameters), value_of(event.responseElements)
    resources, message = value_of(event.resources), value_of(event.errorMessage)
    targets = targets_of(source, name, request, response, resources, message)
    if event.errorCode:
        return targets, None
    additional = value_of(event.additionalEventData)
    identity = event.userIdentity
    return targets, effect_of(source, name, request, response, identity=identity, additional=additional)


def time_of(event: Event) -> str | None:
    """Returns the event time as the record writes it."""
    return _text(event.eventTime) or _text(event.timestamp)


def position_of(match: Match) -> str:
    """Returns where the record is: its object and its number there."""
    return f"{match.origin}#{match.record.index}"


def _principal(identity: dict[str, Any]) -> str | None:
    """The caller: the ARN, or the best name that `userIdentity` has.

    Source: docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    arn = identity.get("arn")
    if arn.__class__ is str and arn and arn.isascii():  # nearly always
        return arn
    names = ("arn", "userName", "principalId", "invokedBy", "accountId", "type")
    return next((text for name in names if (text := _text(identity.get(name)))), None)


def alert_id(rule_id: str, record: Record) -> str:
    """A hash of rule, eventID and account; both accounts of a cross-account call record it.

    A record without an eventID is identified by its text.
    """
    event: Event = record.event
    known = _known(event.eventID, event.recipientAccountId, record.text)
    return hashlib.sha256(rule_id.encode() + b"\0" + known).hexdigest()[:32]


def miss_id(number: Any, account: Any, text: bytes) -> bytes:
    """A short hash of the same for events that no rule matches, which are many."""
    return hashlib.blake2b(_known(number, account, text), digest_size=ID_BYTES).digest()


def _known(number: Any, account: Any, text: bytes) -> bytes:
    number = _text(number)
    return f"{_text(account) or ''}/{number}".encode("utf-8", "replace") if number else b"\0" + text


def _text(value: Any) -> str | None:
    """A non-empty string that can be encoded; None for anything else."""
    if value.__class__ is not str or not value:
        return None
    return value if value.isascii() else jsontext.encodable(value)
