"""Short names of principals and user agents, for people."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from trailsieve.arn import parse
from trailsieve.errors import with_and

_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d+)?|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:/\d+)?")
_SSO = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")
_GENERATED = re.compile(r"\d{6}|[0-9a-fA-F]{8}-|^(?=.*\d)[0-9A-Za-z]{20,}$")
UNKNOWN_USER = "unknown user name"  # CloudTrail hides what was typed as the name at a failed sign-in
_HIDDEN = {"": "nobody", "HIDDEN_DUE_TO_SECURITY_REASONS": UNKNOWN_USER}
_SERVICE_ROLES = ("AWSServiceRoleFor", "aws-service-role/")
_KNOWN_AGENT = re.compile(r"\b(Terraform|Pulumi|Ansible|stratus-red-team|Pacu|S3 Browser)\b", re.IGNORECASE)
_BROWSER = re.compile(r"Mozilla/.*\b(Firefox|Edg|OPR|Chrome|Safari)\b")
_NUMBERED = re.compile(r"[-_][0-9a-f]{8}-[0-9a-f-]+$")
_AGENT_NAME = re.compile(r"[\[\s]*([^/\s;()\[\]]+)")


@lru_cache(maxsize=4096)
def short(principal: str) -> str:
    """Returns the name that people know a principal by: `user/mia`, `root`, `role/deploy/orders-4812`.

    The session's name is left out where a program made it up.
    """
    resource = parse(principal).resource
    if not resource:
        return _HIDDEN.get(principal, principal)
    kind, _, rest = resource.partition("/")
    if kind != "assumed-role":
        return f"{kind}/{rest.rpartition('/')[2]}" if rest else kind
    role, _, session = rest.partition("/")
    sso = _SSO.fullmatch(role)
    if sso:
        return f"{session} (SSO {sso[1]})"
    return f"role/{role}" if generated(session) else f"role/{role}/{session}"


def generated(session: str) -> bool:
    """Whether a program made up the session's name: a number, a time or a UUID in it, but no instance id."""
    return not session.startswith("i-") and _GENERATED.search(session) is not None


def is_service(principal: str, kind: str) -> bool:
    """Whether AWS itself acts: a service, or a service-linked role."""
    return (
        kind == "AWSService"
        or principal.endswith(".amazonaws.com")
        or principal == "AWS Internal"
        or any(mark in principal for mark in _SERVICE_ROLES)
    )


def by_service(service: str) -> bool:
    """Whether `invokedBy` names a service that called for somebody; the console shows as "AWS Internal"."""
    return service.endswith(".amazonaws.com")


def is_address(source_ip: str) -> bool:
    """Whether it is an address: CloudTrail names services there too."""
    return _ADDRESS.fullmatch(source_ip) is not None


def last_part(name: str) -> str:
    """Returns the last part of an ARN, path or name: `mia` of `arn:aws:iam::111122223333:user/staff/mia`."""
    if is_address(name):
        return name
    return name.rpartition("/")[2].rpartition(":")[2]


@lru_cache(maxsize=4096)
def agent_name(user_agent: str) -> str:
    """Returns the program's name in a user agent, such as `aws-cli`, `Boto3` or `Terraform`."""
    found = _KNOWN_AGENT.search(user_agent) or _BROWSER.match(user_agent) or _AGENT_NAME.match(user_agent)
    return _NUMBERED.sub("", found[1]) if found else ""


def by_count(items: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Returns the sum of the counts of each name but "", the greatest first."""
    counts: Counter[str] = Counter()
    for name, count in items:
        if name:
            counts[name] += count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def listed(names: Iterable[str], most: int = 3) -> str:
    """Returns names in words: "a, b and 3 more"."""
    known = list(dict.fromkeys(names))
    if len(known) > most + 1:
        return f"{', '.join(known[:most])} and {len(known) - most:,} more"
    return with_and(known)
