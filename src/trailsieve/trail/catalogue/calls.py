"""The API calls and error codes that CloudTrail records, from botocore's models and `by_hand.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

DOMAIN = ".amazonaws.com"
_VERSION = re.compile(
    r"(?:20\d\d_\d\d_\d\d|20\d{6})(?:v\d+)?$"
)  # CreateFunction20150331, GetFunction20150331v2
_FEW = 200  # names: each can be compared
_ORIGIN = re.compile(r"^(?:Client|Server)\.")


def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


@lru_cache(maxsize=1)
def _by_hand() -> dict[str, Any]:
    return tomllib.loads(_file("by_hand.toml"))


@lru_cache(maxsize=1)
def _lines() -> dict[str, str]:
    """The names of each source as one string: splitting all of them takes longer than reading the file."""
    rows = (line.partition(" ") for line in _file("calls.txt").splitlines() if not line.startswith("#"))
    return {source: names for source, _, names in rows}


@lru_cache(maxsize=1)
def event_sources() -> frozenset[str]:
    """Every known eventSource, such as `s3.amazonaws.com`."""
    return frozenset(f"{source}{DOMAIN}" for source in (*_lines(), *_by_hand()["calls"], *_by_hand()["open"]))


@lru_cache(maxsize=64)
def names_of(event_source: str) -> frozenset[str] | None:
    """All eventNames of an eventSource; None if the list may be incomplete."""
    source = event_source.removesuffix(DOMAIN)
    if source in _by_hand()["open"] or event_source not in event_sources():
        return None
    return frozenset((*_lines().get(source, "").split(), *_by_hand()["calls"].get(source, ())))


@lru_cache(maxsize=1)
def event_names() -> frozenset[str]:
    """Every known eventName of all sources."""
    modelled = " ".join(_lines().values()).split()
    return frozenset(modelled).union(*_by_hand()["calls"].values())


def plain(event_name: str) -> str:
    """The eventName without the API version that Lambda and CloudFront append to some names."""
    return _VERSION.sub("", event_name)


@lru_cache(maxsize=1)
def error_codes() -> frozenset[str]:
    """Every known errorCode."""
    errors = _by_hand()["errors"]
    modelled = (line for line in _file("errors.txt").splitlines() if not line.startswith("#"))
    return frozenset((*modelled, *errors["common"], *errors["s3"], *map("Client.{}".format, errors["ec2"])))


def common_errors() -> tuple[str, ...]:
    """The error codes that AWS documents for all services, most frequent first."""
    return tuple(_by_hand()["errors"]["common"])


def names_its_origin(code: str) -> bool:
    """Whether a code has the `Client.` or `Server.` prefix of EC2, whose service model lists no errors."""
    return _ORIGIN.match(code) is not None


def nearest(text: str, known: Iterable[str]) -> str:
    """The known name that is most similar to `text`, or "" if none is."""
    lower = text.lower()

    def some(wanted: Callable[[str], bool]) -> list[str]:
        return sorted(name for name in known if wanted(name.lower()))

    known = tuple(known)
    same = some(lambda name: name == lower)
    # Comparing with all 20,000 names is slow; the intended name begins or ends like the given one.
    few = len(known) < _FEW
    alike = same or some(lambda name: few or name[:4] == lower[:4] or name[-6:] == lower[-6:])
    cutoff = 0.82 if few else 0.75
    found = get_close_matches(lower, [name.lower() for name in alike], 1, cutoff)
    return next((name for name in alike if name.lower() == found[0]), "") if found else ""
