"""From the values of a record's fields to the call that it is part of: plain, short texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trailsieve.engine.alerts import facts_of
from trailsieve.investigation.model import Actor, Call
from trailsieve.jsontext import encodable
from trailsieve.trail.event import Event

MOST_CHARACTERS = 512  # of a text that is kept; longer ones are cut
_CUT = "…"
_IDENTITY = ("arn", "type", "userName", "principalId", "invokedBy", "accountId", "accessKeyId")
_ISSUER = ("userIdentity", "sessionContext", "sessionIssuer", "arn")
_EVENT = (
    "recipientAccountId",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "eventSource",
    "eventName",
    "errorCode",
    "readOnly",
)
READS: tuple[tuple[str, ...], ...] = (
    *(("userIdentity", name) for name in _IDENTITY),
    _ISSUER,
    *((name,) for name in _EVENT),
)
_READING = ("BatchGet", "Describe", "Get", "Head", "List", "Lookup", "Search")
_TIME = len("2026-03-14T02:10:20.123456789+00:00")

# Calls that only read and yet give access to somebody; Source:
# docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
SESSION_CALLS = frozenset(
    {
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "GetFederationToken",
        "GetSessionToken",
        "SwitchRole",
    }
)


def values_of(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns the values of `READS` in a decoded record; None for a field that is absent."""
    return tuple(_at(content, path) for path in READS)


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        value = value.get(name) if value.__class__ is dict else None
    return value


def call_of(values: Sequence[Any]) -> Call:
    """Returns the call that a record with these values of `READS` belongs to, with a count of 0."""
    identity = dict(zip(_IDENTITY, values, strict=False))
    named = dict(zip(_EVENT, values[len(_IDENTITY) + 1 :], strict=True))
    read_only = named.pop("readOnly")
    facts = facts_of(Event(**named, userIdentity=identity))
    actor = Actor(
        shortened(facts.principal or ""),
        text(identity["type"]),
        text(values[len(_IDENTITY)]),
        text(identity["accessKeyId"]),
        text(identity["invokedBy"]),
    )
    name = shortened(facts.event_name or "")
    return Call(
        actor,
        shortened(facts.account or ""),
        shortened(facts.region or ""),
        shortened(facts.source_ip or ""),
        shortened(facts.user_agent or ""),
        shortened(facts.event_source or ""),
        name,
        shortened(facts.error_code or ""),
        _is_read(read_only, name),
    )


def is_folded_whole(call: Call) -> bool:
    """Whether equal calls are one, whenever they were: reads that succeeded and gave no one a session.

    Sessions that AWS services make for themselves are as many as their calls, and say no more than those.
    """
    session = call.event_name in SESSION_CALLS and call.actor.kind != "AWSService"
    return call.read_only and not call.error_code and not call.rules and not session


def failed_sign_in(content: Mapping[str, Any]) -> str:
    """Returns "Failure" for a sign-in that failed, which has no error code; "" for all else.

    Source: docs.aws.amazon.com/awscloudtrail/latest/userguide/,
    cloudtrail-event-reference-aws-console-sign-in-events.html
    """
    found = text(_at(content, ("responseElements", "ConsoleLogin")))
    return found if found == "Failure" else ""


def _is_read(value: Any, name: str) -> bool:
    """Whether a call changes nothing: `readOnly`, which records before 2019 lack, or the call's name."""
    if value.__class__ is bool:
        return bool(value)
    return value == "true" or (value != "false" and name.startswith(_READING))


def text(value: object) -> str:
    """The text in a field, at most 512 characters of it; "" for any other value."""
    if value.__class__ is not str:
        return ""
    return shortened(str(value) if str(value).isascii() else encodable(str(value)))


def shortened(value: str) -> str:
    """The first 511 characters and an ellipsis when a text is longer than 512."""
    return value if len(value) <= MOST_CHARACTERS else value[: MOST_CHARACTERS - 1] + _CUT


def time_text(value: object) -> str:
    """An event time as the record writes it; "" for what cannot be one."""
    time = text(value)
    return time if time[:4].isdecimal() and time.isascii() and len(time) <= _TIME else ""
