"""Ranges of IPv4 addresses: filter patterns have none, but a star or a regex can often say the same."""

from __future__ import annotations

import re

from trailsieve.pattern import nodes

_RANGE = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2})")
_ADDRESS_NAME = re.compile(
    r"(?:ip|ip_?addr(?:ess)?|remote_?addr|src_?addr|dst_?addr|client_?ip)", re.IGNORECASE
)


def is_address_name(name: object) -> bool:
    """Whether a field holds an address and not a range, by its name: `sourceIPAddress`, but not `cidrIp`."""
    return (
        isinstance(name, str)
        and bool(re.search(rf"{_ADDRESS_NAME.pattern}\Z", name, re.IGNORECASE))
        and ("cidr" not in name.lower())
    )


def ranges(text: str) -> list[str]:
    """The ranges in a text that are values of their own, for fields that hold an address."""
    if "cidr" in text.lower() and not re.search(r"cidr_?match", text, re.IGNORECASE):
        return []
    return [
        found[0] for found in re.finditer(rf"(?<![\w.]){_RANGE.pattern}(?![\w.])", text) if is_range(found[0])
    ]


def is_range(text: str) -> bool:
    """Whether a text is a range such as `10.0.0.0/8`."""
    found = _RANGE.fullmatch(text)
    return (
        found is not None and all(int(part) < 256 for part in found.groups()[:4]) and 0 < int(found[5]) <= 32
    )


def in_pattern(text: str) -> str:
    r"""A range as a value: `"10.*"`, or a regex between percent signs where no octet ends it.

    `10.0.0.0/8` is `10.*`, `172.16.0.0/12` is `%^172\.1[6-9]\.|^172\.2[0-9]\.|^172\.3[0-1]\.%`.
    """
    found = _RANGE.fullmatch(text)
    assert found
    octets, length = [int(part) for part in found.groups()[:4]], int(found[5])
    whole, rest = divmod(length, 8)
    if rest == 0:
        return ".".join(map(str, octets[:whole])) + ("" if whole == 4 else ".*")
    size = 1 << (8 - rest)
    first = octets[whole] // size * size
    before = "".join(rf"{octet}\." for octet in octets[:whole])
    after = r"\." if whole < 3 else "$"
    return "%" + "|".join(f"^{before}{number}{after}" for number in _numbers(first, first + size)) + "%"


def value_of(text: str) -> nodes.Value:
    """A range as a value of a comparison."""
    written = in_pattern(text)
    return nodes.Regex(written.strip("%")) if written[0] == "%" else nodes.String(written)


def _numbers(first: int, end: int) -> list[str]:
    """The numbers of a range, those that differ in their last digit as one."""
    tens: dict[str, list[str]] = {}
    for number in map(str, range(first, end)):
        tens.setdefault(number[:-1], []).append(number[-1])
    return [
        ten + (digits[0] if len(digits) == 1 else f"[{digits[0]}-{digits[-1]}]")
        for ten, digits in tens.items()
    ]
