"""A successful call as the effects read it."""

from __future__ import annotations

from typing import Any, NamedTuple

from trailsieve import arn
from trailsieve.errors import shorten, with_and

_WIDTH = 60  # characters of a name in an effect
_NAMED = 3
_ALL = 1000  # items of a list that are read


class Call(NamedTuple):
    """Request, response, caller and further data; empty where the record has no object there."""

    request: dict[str, Any]
    response: dict[str, Any]
    identity: dict[str, Any]
    additional: dict[str, Any]

    @property
    def account(self) -> str:
        """The account of the caller, or ""."""
        return text(self.identity, "accountId")

    @property
    def user(self) -> str:
        """The name of the user that calls, or ""."""
        return text(self.identity, "userName") if text(self.identity, "type") != "AssumedRole" else ""

    @property
    def role(self) -> str:
        """The name of the role that calls, or ""."""
        issuer = value(self.identity, "sessionContext", "sessionIssuer")
        return text(issuer, "userName") if text(issuer, "type") == "Role" else ""


def value(content: Any, *names: str) -> Any:
    """What the names lead to; None if a name is missing. A name is also found with a capital letter."""
    for name in names:
        if content.__class__ is not dict:
            return None
        inner = content.get(name)
        content = content.get(name[:1].upper() + name[1:]) if inner is None else inner
    return content


def text(content: Any, *names: str) -> str:
    """The text to which the names lead, or ""."""
    found = value(content, *names)
    return found if found.__class__ is str else ""


def items(content: Any, *names: str) -> list[Any]:
    """The items of a list, also of EC2's `items`; another value that is not empty is the only item."""
    found = value(content, *names)
    if found.__class__ is dict and found.keys() == {"items"}:
        found = found["items"]
    if found.__class__ is list:
        return list(found[:_ALL])
    return [found] if found else []


def texts(content: Any, *names: str) -> list[str]:
    """The texts among the items."""
    return [item for item in items(content, *names) if item.__class__ is str and item]


def is_off(found: Any) -> bool:
    """Whether a switch is off: false, or its text."""
    return found is False or (found.__class__ is str and found.lower() == "false")


def is_on(found: Any) -> bool:
    """Whether a switch is on: true, or its text."""
    return found is True or (found.__class__ is str and found.lower() == "true")


def shown(name: str) -> str:
    """A name as a clause has it: without the prefix of an ARN, and not too long."""
    return shorten(arn.name_in(name), _WIDTH)


def listed(names: list[str], most: int = _NAMED) -> str:
    """`a`, `a and b`, or `a, b, c and 4 more`."""
    different = list(dict.fromkeys(names))
    first = [shown(name) for name in different[:most]]
    more = len(different) - len(first)
    parts = [*first, f"{more:,} more"] if more else first
    return with_and(parts)


def accounts(names: list[str]) -> str:
    """`account 111122223333`, or `accounts 111122223333 and 444455556666`."""
    return f"account{'s' if len(set(names)) > 1 else ''} {listed(names)}"
