"""Pivots from what a command line says: who, with which key, from where, what, on what."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from trailsieve import jsontext
from trailsieve.engine.wanted import Pivot
from trailsieve.errors import UsageError, shorten
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import (
    And,
    Comparison,
    Expression,
    JsonPattern,
    NotExists,
    Or,
    Regex,
    Selector,
    String,
)
from trailsieve.pattern.regex import searcher
from trailsieve.trail.event import Event

_USER = ("userIdentity",)
_ISSUER = (*_USER, "sessionContext", "sessionIssuer")
_ADDRESS = ("sourceIPAddress",)
_NAMING = ("resources", "requestParameters", "responseElements")
_LIKE_AN_ADDRESS = re.compile(r"[\d.]+|[\da-f.]*:[\da-f:.]*", re.IGNORECASE)

Accepts = Callable[[str], bool]


def principal(names: Sequence[str]) -> Pivot:
    """The calls of these principals: ARNs, or names of users, roles and sessions; `*` is a wildcard."""
    return Pivot(_option("--principal", names), _any(term for name in names for term in _principal(name)))


def _principal(name: str) -> Iterator[Expression]:
    """A name without `arn:` is the end of an ARN: `mia`, `user/mia` and `111122223333:user/mia` are equal."""
    fields = [(*_USER, "arn"), (*_ISSUER, "arn")]
    if name.startswith("arn:"):
        yield from (_is(field, name) for field in fields)
        return
    last = _regex(name, "[^:/]*")
    yield from (_found(field, f"[:/]{last}$") for field in (*fields, (*_USER, "principalId")))
    named = (
        *((*_USER, field) for field in ("userName", "principalId", "invokedBy")),
        (*_ISSUER, "userName"),
    )
    yield from (_is(field, name) for field in named)
    # A session of a role that the record does not describe further.
    yield _found(fields[0], f":assumed-role/{last}/[^/]*$")
    # What alerts show as the principal when nothing else is known.
    unnamed = [
        NotExists(Selector((*_USER, field))) for field in ("arn", "userName", "principalId", "invokedBy")
    ]
    yield And((_is((*_USER, "accountId"), name), *unnamed))


def access_key(keys: Sequence[str]) -> Pivot:
    """The calls that were signed with these access keys."""
    return Pivot(_option("--access-key", keys), _any(_is((*_USER, "accessKeyId"), key) for key in keys))


def event(names: Sequence[str]) -> Pivot:
    """The calls with these names."""
    return Pivot(_option("--event", names), _any(_is(("eventName",), name) for name in names))


def source_address(texts: Sequence[str]) -> Pivot:
    """The calls from these addresses, address ranges and services.

    Raises:
        UsageError: a text looks like an address or a range and is not one.
    """
    sources = [_source(text) for text in texts]

    def test(event: Event, text: bytes) -> bool:
        source = event.sourceIPAddress
        return isinstance(source, str) and any(accepts(source) for _, accepts in sources)

    return Pivot(_option("--ip", texts), _any(expression for expression, _ in sources), test)


def _source(text: str) -> tuple[Expression, Accepts]:
    """A condition that is true of the address at least, and the exact one."""
    try:
        if "/" in text:
            return _range(ip_network(text, strict=False))
        address = ip_address(text) if _LIKE_AN_ADDRESS.fullmatch(text) else None
    except ValueError:
        raise UsageError(
            f"--ip {text}: not an address; write one such as 198.51.100.7, a range such as 198.51.100.0/24 "
            "or 2001:db8::/32, or a service such as 'AWS Internal'"
        ) from None
    if isinstance(address, IPv6Address):
        return _found(_ADDRESS, ":"), lambda source: _address(source) == address
    return _is(_ADDRESS, text), searcher(f"(?s)^{_regex(text)}$")


def _range(network: IPv4Network | IPv6Network) -> tuple[Expression, Accepts]:
    start = ":"
    if isinstance(network, IPv4Network):
        octets = str(network.network_address).split(".")[: min(network.prefixlen // 8, 3)]
        start = "^" + "".join(rf"{octet}\." for octet in octets)
    return _found(
        _ADDRESS, start
    ), lambda source: (found := _address(source)) is not None and found in network


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def resource(names: Sequence[str]) -> Pivot:
    """The calls whose resources, request or response name these: ARNs, their last parts, any values."""
    accepted = searcher(f"(?s)^(?:arn:.*[:/])?(?:{'|'.join(map(_regex, names))})$")
    needles = [max(name.split("*"), key=len).encode("utf-8", "replace") for name in names]

    def test(event: Event, text: bytes) -> bool:
        if b"\\" not in text and not any(needle in text for needle in needles):
            return False  # without escapes every value stands in the text as it is
        record = jsontext.decode_object(text) or {}
        return any(map(accepted, _texts([record.get(field) for field in _NAMING])))

    return Pivot(_option("--resource", names), test=test)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a JSON value at any depth."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if value.__class__ is str:
            yield value
        elif value.__class__ is list:
            waiting += value
        elif value.__class__ is dict:
            waiting += value.values()


def any_pattern(patterns: Sequence[FilterPattern]) -> Pivot:
    """The records that any of these patterns matches."""
    option = _option("--pattern", [pattern.text for pattern in patterns])
    trees = [pattern.tree for pattern in patterns]
    json = [tree.expression for tree in trees if isinstance(tree, JsonPattern)]
    if len(json) == len(trees):
        return Pivot(option, _any(json))
    return Pivot(option, test=lambda event, text: any(pattern.matches(text) for pattern in patterns))


def _is(field: tuple[str, ...], text: str) -> Expression:
    return (
        _found(field, f"^{_regex(text)}$") if "*" in text else Comparison(Selector(field), "=", String(text))
    )


def _found(field: tuple[str, ...], regex: str) -> Expression:
    return Comparison(Selector(field), "=", Regex(f"(?s){regex}"))


def _regex(text: str, anything: str = ".*") -> str:
    return anything.join(map(re.escape, text.split("*")))


def _any(terms: Iterable[Expression]) -> Expression:
    alternatives = tuple(terms)
    return alternatives[0] if len(alternatives) == 1 else Or(alternatives)


def _option(name: str, values: Sequence[str]) -> str:
    return " ".join(f"{name} {shorten(value, 60)}" for value in values)
