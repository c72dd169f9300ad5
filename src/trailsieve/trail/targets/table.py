"""Which fields of a call name its targets: `calls.toml`, made ready for many lookups."""

from __future__ import annotations

import re
import tomllib
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from trailsieve.trail.catalogue.calls import DOMAIN, plain

_RESPONSE = "response."
_ANYTHING = f"anything{DOMAIN}"
_TABLE = re.compile(r"^\[\[?([\w-]+)\]\]?$", re.MULTILINE)


class Step(NamedTuple):
    """The name of a field, and the same with a capital letter, as requests inside `…Request` have it."""

    name: str
    capital: str


class Place(NamedTuple):
    """Where a name is: in the response or the request, and the fields that lead to it."""

    in_response: bool
    steps: tuple[Step, ...]


class Field(NamedTuple):
    """A kind of target, and the places of its name: the first that has one counts."""

    kind: str
    places: tuple[Place, ...]


def fields_of(source: object, name: object) -> tuple[Field, ...]:
    """The fields that name the targets of a call; empty for a call that the table does not have."""
    if source.__class__ is not str or name.__class__ is not str:
        return ()
    if source not in _texts():
        return ()
    calls = calls_of(str(source))
    fields = calls.get(str(name))
    if fields is None and str(name)[-1:].isdigit():  # Lambda's and CloudFront's names end with a version
        fields = calls.get(plain(str(name)[:100]))
    return fields or ()


def sources() -> list[str]:
    """Every eventSource of the table."""
    return [source for source in _texts() if source != _ANYTHING]


@cache
def calls_of(source: str) -> dict[str, tuple[Field, ...]]:
    """The calls of an eventSource with their fields."""
    rows = tomllib.loads(_texts()[source])[source.removesuffix(DOMAIN)]
    found: dict[str, tuple[Field, ...]] = {}
    for row in rows:
        fields = tuple(Field(kind, _places(text)) for kind, text in row["targets"].items())
        found.update(dict.fromkeys(row["calls"].split(), fields))
    return found


@lru_cache(maxsize=1)
def well_known() -> dict[str, str]:
    """Kinds by the names of fields that say the same in any call."""
    kinds = tomllib.loads(_texts()[_ANYTHING])["anything"]
    return {key: kind for kind, names in kinds.items() for name in names.split() for key in _step(name)}


@lru_cache(maxsize=1)
def _texts() -> dict[str, str]:
    """The text of each event source: reading all of them takes as long as starting the program."""
    text = Path(__file__).with_name("calls.toml").read_text("utf-8")
    heads = list(_TABLE.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    found: dict[str, str] = {}
    for head, end in zip(heads, ends, strict=True):
        source = f"{head[1]}{DOMAIN}"
        found[source] = found.get(source, "") + text[head.start() : end]
    return found


def _places(texts: str | list[str]) -> tuple[Place, ...]:
    return tuple(
        Place(text.startswith(_RESPONSE), tuple(map(_step, text.removeprefix(_RESPONSE).split("."))))
        for text in ([texts] if isinstance(texts, str) else texts)
    )


def _step(name: str) -> Step:
    return Step(name, name[0].upper() + name[1:])
