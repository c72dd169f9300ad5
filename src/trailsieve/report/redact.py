"""Pseudonyms for principals, access keys and addresses: the same one for the same value everywhere.

Access keys and addresses are found by their form in every text; principals by the names that the
investigation and its records give them.
"""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Literal

from trailsieve import arn, jsontext
from trailsieve.investigation.model import Investigation
from trailsieve.model import Alert
from trailsieve.report.explained import Why
from trailsieve.report.mapped import mapped

Kind = Literal["keys", "ips", "principals"]
KINDS: tuple[Kind, ...] = ("keys", "ips", "principals")

# docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
_KEY = re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,124}\b|\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]*(?=…)")
_UNIQUE_ID = re.compile(r"\b(?:AIDA|AROA|AGPA|AIPA|ANPA|ANVA|APKA|ASCA)[A-Z0-9]{12,124}\b")
_ADDRESS = re.compile(
    r"(?<![\w:.])(?:(?=[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:)[0-9A-Fa-f:.]{2,45}|(?:\d{1,3}\.){3}\d{1,3}(?!\.?\w))(?!\w)"
)
_CUT = re.compile(r"""([^\s"'(),;]{3,})…""")
_PRODUCT = re.compile(r"[A-Za-z]/$")  # what stands before a version: Chrome/120.0.0.0
_NAMES = frozenset({"userName", "roleName", "roleSessionName", "principalId", "groupName", "sourceIdentity"})
_NOBODY = frozenset(
    [
        "root",
        "unknown",
        "anonymous",
        "others",
        "HIDDEN_DUE_TO_SECURITY_REASONS",
        "Root",
        "IAMUser",
        "AssumedRole",
        "Role",
        "FederatedUser",
        "Directory",
        "AWSAccount",
        "AWSService",
        "IdentityCenterUser",
        "Unknown",
        "SAMLUser",
        "WebIdentityUser",
    ]
)
_KINDS_OF_ARN = ("role", "group", "assumed-role", "federated-user")
_NUMBER = re.compile(r"\d{0,4}|\d{12}")  # an account, or too short to be known again


def redacted(
    investigation: Investigation, whys: list[Why | None], kinds: Collection[Kind]
) -> tuple[Investigation, list[Why | None]]:
    """The investigation and its explanations with pseudonyms in place of values of these kinds."""
    if not kinds:
        return investigation, whys
    names = _principals(investigation) if "principals" in kinds else set()
    pseudonyms = _Pseudonyms(kinds, names, _addresses(investigation.alerts))

    def record(text: bytes) -> bytes:
        return jsontext.encode(_exchanged(jsontext.decode(text), pseudonyms)).encode("utf-8", "replace")

    return mapped(investigation, pseudonyms, record), mapped(whys, pseudonyms)


def _exchanged(value: Any, of: Callable[[str], str]) -> Any:
    """A copy of a JSON value of any depth with `of` applied to each text and name."""
    found: list[Any] = [value]
    todo: list[Any] = [found]
    while todo:
        place = todo.pop()
        for key, each in list(place.items() if isinstance(place, dict) else enumerate(place)):
            if isinstance(each, dict):
                place[key] = {of(name): inner for name, inner in each.items()}
                todo.append(place[key])
            elif isinstance(each, list):
                place[key] = each.copy()
                todo.append(place[key])
            elif isinstance(each, str):
                place[key] = of(each)
    return found[0]


class _Pseudonyms:
    """A text with pseudonyms, for a text."""

    def __init__(self, kinds: Collection[Kind], names: set[str], addresses: frozenset[str]) -> None:
        self._given: dict[str, dict[str, str]] = defaultdict(dict)
        self._known: dict[str, str] = {}
        self._addresses = addresses
        self._names: list[str] = []
        self._steps: list[Callable[[str], str]] = []
        if names:
            words = _compiled(names)
            self._names = sorted(names)
            self._steps.append(lambda text: words.sub(self._principal, text))
            self._steps.append(lambda text: _CUT.sub(self._begun, text))
            self._steps.append(lambda text: _UNIQUE_ID.sub(self._principal, text))
        if "keys" in kinds:
            self._steps.append(lambda text: _KEY.sub(lambda found: self._given_to("key", found[0]), text))
        if "ips" in kinds:
            self._steps.append(lambda text: _ADDRESS.sub(self._address, text))

    def __call__(self, text: str) -> str:
        known = self._known.get(text)
        if known is None:
            known = text
            for step in self._steps:
                known = step(known)
            self._known[text] = known
        return known

    def _given_to(self, kind: str, value: str) -> str:
        given = self._given[kind]
        return given.setdefault(value, f"{kind}-{len(given) + 1}")

    def _principal(self, found: re.Match[str]) -> str:
        return self._given_to("principal", _short_name(found[0]))

    def _begun(self, found: re.Match[str]) -> str:
        """A pseudonym for the beginning of a name that was cut off."""
        place = bisect_left(self._names, found[1])
        whole = self._names[place] if place < len(self._names) else ""
        return self._given_to("principal", _short_name(whole)) if whole.startswith(found[1]) else found[0]

    def _address(self, found: re.Match[str]) -> str:
        text = found[0]
        bare = text.rstrip(".") if _parsed(text.rstrip(".")) else text.rstrip(".:")
        address = _parsed(bare)
        version = _PRODUCT.search(found.string[: found.start()])
        if address is None or address.is_unspecified or (version and str(address) not in self._addresses):
            return text
        return self._given_to("ip", str(address)) + text[len(bare) :]


def _compiled(names: set[str]) -> re.Pattern[str]:
    ends = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
    try:
        return re.compile(any_of(names).join(ends))
    except RecursionError:  # hundreds of names, each the beginning of the next
        longest_first = sorted(names, key=len, reverse=True)
        return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))})".join(ends))


def any_of(words: Iterable[str]) -> str:
    """A regular expression for any of the words, longest first; its time does not grow with their number."""
    tree: dict[str, Any] = {}
    for word in words:
        place = tree
        for character in word:
            place = place.setdefault(character, {})
        place[""] = {}
    return _branches(tree)


def _branches(tree: dict[str, Any]) -> str:
    texts = []
    for first, rest in sorted(tree.items(), reverse=True):  # "" last: the longest word wins
        text, below = re.escape(first), rest
        while len(below) == 1 and "" not in below:  # one way on
            [(character, below)] = below.items()
            text += re.escape(character)
        texts.append(text + (_branches(below) if below and set(below) != {""} else ""))
    return f"(?:{'|'.join(texts)})"


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _addresses(alerts: list[Alert]) -> frozenset[str]:
    """The source addresses of the alerts, which are replaced also where a version could stand."""
    parsed = (_parsed(alert.source_ip or "") for alert in alerts)
    return frozenset(str(address) for address in parsed if address)


def _short_name(name: str) -> str:
    """What the names of a principal have in common: `mia` of its ARN, `user/mia` and `mia`."""
    kind, _, rest = (arn.parse(name).resource or name).partition("/")
    if kind == "user" or (kind in ("role", "group") and name.startswith("arn:")):  # behind paths
        return rest.rpartition("/")[2] or name
    return rest if kind in _KINDS_OF_ARN and rest else name


def _principals(investigation: Investigation) -> set[str]:
    """Every name by which the investigation and its records call somebody."""
    names: set[str] = set()
    for summary in investigation.principals:
        names |= _names_in(summary.principal)
    for each in investigation.counts:
        names |= _names_in(each.principal)
    for suspect in investigation.suspects:
        for identity in suspect.identities:
            names |= _names_in(identity.principal) | {identity.name}
        names |= _names_in(suspect.principal) | {suspect.name}
        targets = (target for step in suspect.steps for target in step.targets)
        names |= {target.name for target in targets if target.kind in ("user", "role", "group")}
    for alert in investigation.alerts:
        names |= _names_in(alert.principal or "")
        for record in alert.records:
            for value in _named(jsontext.decode(record)):
                names |= _names_in(value)
    return {name for name in names - _NOBODY if _is_somebody(name)}


def _is_somebody(name: str) -> bool:
    return not name.endswith(".amazonaws.com") and not _NUMBER.fullmatch(name)


def _names_in(principal: str) -> set[str]:
    """The principal, and the names of user, role and session in its ARN or unique id."""
    resource = arn.parse(principal).resource
    if resource == "root" or not principal:
        return set()
    if principal.startswith("arn:"):
        _, *parts = re.split(r"[/:]", resource)
        return {principal, *parts}
    return {principal, *principal.split(":")}


def _named(value: Any) -> Iterator[str]:
    """The values in a record that name somebody, wherever they stand."""
    todo = [value]
    while todo:  # of any depth
        value = todo.pop()
        if isinstance(value, dict):
            for name, each in value.items():
                if isinstance(each, str) and (
                    name in _NAMES or (name.lower().endswith("arn") and _is_iam(each))
                ):
                    yield each
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def _is_iam(text: str) -> bool:
    parts = text.split(":", 5)
    kind = parts[-1].partition("/")[0]
    return len(parts) == 6 and parts[2] in ("iam", "sts") and kind in ("user", *_KINDS_OF_ARN)
