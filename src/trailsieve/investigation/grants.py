"""Access that one identity gives to another, found in the record of the call that gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trailsieve.investigation.calls import SESSION_CALLS, text
from trailsieve.investigation.model import Actor, Call, Grant

# Where the name of the identity is that may act from then on, by call. Source:
# docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
_USER, _ROLE, _GROUP = "userName", "roleName", "groupName"
_PERMISSIONS = {
    "AddUserToGroup": _USER,
    "AttachUserPolicy": _USER,
    "PutUserPolicy": _USER,
    "DeleteUserPermissionsBoundary": _USER,
    "AttachRolePolicy": _ROLE,
    "PutRolePolicy": _ROLE,
    "UpdateAssumeRolePolicy": _ROLE,
    "DeleteRolePermissionsBoundary": _ROLE,
    "AttachGroupPolicy": _GROUP,
    "PutGroupPolicy": _GROUP,
}
_KINDS = {_USER: "user", _ROLE: "role", _GROUP: "group"}
_LOGIN_PROFILES = ("CreateLoginProfile", "UpdateLoginProfile")
_MADE = {"CreateUser": "user", "CreateRole": "role"}

_GIVING = SESSION_CALLS | {"CreateAccessKey", *_LOGIN_PROFILES, *_MADE, *_PERMISSIONS}


def gives(call: Call) -> bool:
    """Whether a call may give access to somebody; sessions that AWS services get for themselves do not."""
    by_itself = call.event_name in SESSION_CALLS and call.actor.kind == "AWSService"
    return call.event_name in _GIVING and not call.error_code and not by_itself


def grant_of(call: Call, content: Mapping[str, Any], time: str, example: str) -> Grant | None:
    """Returns the access that a call which `gives` gave to somebody; None if the record does not say."""
    name, actor = call.event_name, call.actor
    asked, answered = content.get("requestParameters"), content.get("responseElements")
    kind, by, key, principal = "", actor, "", ""
    if name in SESSION_CALLS:
        kind, by, key, principal = _session(call, content)
    elif name == "CreateAccessKey":
        kind, key = "access key", _at(answered, "accessKey", "accessKeyId")
        user = _at(answered, "accessKey", "userName") or _at(asked, "userName")
        principal = _arn(call, "user", user) or actor.principal
    elif name in _LOGIN_PROFILES:
        kind, principal = "login profile", _arn(call, "user", _at(asked, "userName"))
    elif name in _MADE:
        kind = _MADE[name]
        principal = _at(answered, kind, "arn") or _arn(call, kind, _at(asked, f"{kind}Name"))
    elif name in _PERMISSIONS:
        field = _PERMISSIONS[name]
        kind, principal = "permission", _arn(call, _KINDS[field], _at(asked, field))
    return Grant(kind, by, key, principal, time, name, example) if principal or key else None


def _session(call: Call, content: Mapping[str, Any]) -> tuple[str, Actor, str, str]:
    asked, answered = content.get("requestParameters"), content.get("responseElements")
    if call.event_name == "SwitchRole":
        by = Actor(_at(content.get("additionalEventData"), "SwitchFrom"))
        return "session", by, "", call.actor.principal if by.principal else ""
    key = _at(answered, "credentials", "accessKeyId")
    role = _at(answered, "assumedRoleUser", "arn") or _at(asked, "roleArn")
    user = _at(answered, "federatedUser", "arn")
    return "session", call.actor, key, role or user or call.actor.principal


def _arn(call: Call, kind: str, name: str) -> str:
    """The ARN of an IAM identity without a path, which the call does not name."""
    if not name or not call.account:
        return name
    partition = call.actor.principal.split(":", 2)[1] if call.actor.principal.startswith("arn:") else "aws"
    return f"arn:{partition}:iam::{call.account}:{kind}/{name}"


def _at(value: Any, *path: str) -> str:
    """The text at the end of a path, or ""."""
    steps: Sequence[str] = path
    for name in steps:
        value = value.get(name) if value.__class__ is dict else None
    return text(value)
