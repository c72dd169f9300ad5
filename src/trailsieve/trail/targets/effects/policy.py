"""What a policy document allows, and whom: identity policies, trust policies and policies of resources.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from trailsieve import arn, jsontext
from trailsieve.trail.targets.effects.call import accounts, listed, shown, text, texts, value

_LONGEST = 200_000  # characters; AWS allows 20,480 for the longest kind
_MOST = 1000  # statements
_EVERY = ("*", "*:*")
# Single actions that let their holder gain more. Source: pathfinding.cloud
_POWERFUL = frozenset(
    (
        *("iam:passrole", "iam:createpolicyversion", "iam:setdefaultpolicyversion", "iam:createaccesskey"),
        *(
            "iam:createloginprofile",
            "iam:updateloginprofile",
            "iam:attachuserpolicy",
            "iam:attachgrouppolicy",
        ),
        *("iam:attachrolepolicy", "iam:putuserpolicy", "iam:putgrouppolicy", "iam:putrolepolicy"),
        *("iam:addusertogroup", "iam:updateassumerolepolicy", "sts:assumerole"),
    )
)


def statements(document: Any) -> list[dict[str, Any]]:
    """The statements that allow something; empty if the document cannot be read.

    Args:
        document: an object, JSON text, or JSON text as a URL has it.
    """
    if document.__class__ is str:
        document = _decoded(document)
    found = value(document, "Statement")
    return [
        statement
        for statement in (found[:_MOST] if found.__class__ is list else [found])
        if statement.__class__ is dict and text(statement, "Effect") == "Allow"
    ]


def _decoded(document: str) -> Any:
    if len(document) > _LONGEST:
        return None
    if document[:1] == "%":
        document = unquote_plus(document)
    return jsontext.decode_object(document)


def allows(document: Any) -> str | None:
    """The widest permission of a policy: `every action on every resource`; None if it is narrow."""
    found = [grant for statement in statements(document) if (grant := _grant(statement))]
    return min(found, default=(0, None), key=lambda grant: grant[0])[1]


def _grant(statement: dict[str, Any]) -> tuple[int, str] | None:
    """A permission that is worth naming, and its rank: the widest is 0."""
    resources = texts(statement, "Resource")
    everywhere = "*" in resources or value(statement, "NotResource") is not None
    where = "on every resource" if everywhere else f"on {listed(resources, 1)}"
    actions = texts(statement, "Action")
    under = " under conditions" if value(statement, "Condition") else ""
    if any(action in _EVERY for action in actions):
        return (0 if everywhere else 3), f"every action {where}{under}"
    if excepted := texts(statement, "NotAction"):
        return (1 if everywhere else 3), f"every action but {listed(excepted, 2)} {where}{under}"
    if everywhere and (whole := [action[:-2] for action in actions if action.endswith(":*")]):
        return (2 if "iam" in whole else 4), f"every action of {listed(whole)} {where}{under}"
    if everywhere and (powerful := [action for action in actions if action.lower() in _POWERFUL]):
        return 5, f"{listed(powerful, 2)} {where}{under}"
    return None


def trusts(document: Any, account: str) -> str | None:
    """Who outside of the account may assume a role: `anyone`, `account 999988887777`, `identities of …`."""
    found = [
        whom
        for statement in statements(document)
        if any("assumerole" in action.lower() or "*" in action for action in texts(statement, "Action"))
        and (whom := _whom(statement, account))
    ]
    return "anyone" if "anyone" in found else next(iter(found), None)


def opens(document: Any, account: str) -> str | None:
    """What a resource's policy lets outsiders do: `anyone call s3:GetObject`; None if nothing."""
    found = []
    for statement in statements(document):
        if whom := _whom(statement, account):
            actions = texts(statement, "Action")
            every = not actions or any(action == "*" or action.endswith(":*") for action in actions)
            found.append(f"{whom} {'do everything' if every else f'call {listed(actions, 2)}'}")
    return min(found, default=None, key=lambda clause: not clause.startswith("anyone "))


def _whom(statement: dict[str, Any], account: str) -> str | None:
    """The outsiders that a statement allows."""
    under = ", under conditions," if value(statement, "Condition") else ""
    if value(statement, "NotPrincipal") is not None:
        return f"nearly anyone{under}"
    principal = value(statement, "Principal")
    named = texts(principal, "AWS") if principal.__class__ is dict else texts(statement, "Principal")
    if "*" in named:
        return f"anyone{under}"
    others = [other for name in named if (other := account_of(name)) and other != account]
    if others and account:
        return f"{accounts(others)}{under}"
    federated = texts(principal, "Federated")
    return f"identities of {shown(federated[0])}{under}" if federated else None


def account_of(principal: str) -> str:
    """The account of a principal: of an ARN, or its number alone; "" if there is none."""
    account = principal if len(principal) == 12 else arn.parse(principal).account
    return account if account.isascii() and account.isdigit() else ""
