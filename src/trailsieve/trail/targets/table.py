"""Which fields of a call name its targets: `calls.toml`, made ready for many lookups."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from trailsieve.trail.catalogue.calls import DOMAIN, plain

_RESPONSE = "response."


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


class Table(NamedTuple):
    """Fields by eventSource and eventName, and the kinds of field names that say the same in any call."""

    calls: dict[str, dict[str, tuple[Field, ...]]]
    anything: dict[str, str]


def fields_of(source: object, name: object) -> tuple[Field, ...]:
    """The fields that name the targets of a call; empty for a call that the table does not have."""
    if source.__class__ is not str or name.__class__ is not str:
        return ()
    calls = table().calls.get(str(source))
    if calls is None:
        return ()
    fields = calls.get(str(name))
    if fields is None and str(name)[-1:].isdigit():  # Lambda's and CloudFront's names end with a version
        fields = calls.get(plain(str(name)[:100]))
    return fields or ()


@lru_cache(maxsize=1)
def table() -> Table:
    """The table, read at the first call."""
    content = tomllib.loads((resources.files(__package__) / "calls.toml").read_text("utf-8"))
    anything = content.pop("anything")
    return Table(
        {f"{source}{DOMAIN}": _calls(rows) for source, rows in content.items()},
        {key: kind for kind, names in anything.items() for name in names.split() for key in _step(name)},
    )


def _calls(rows: list[dict[str, Any]]) -> dict[str, tuple[Field, ...]]:
    found = {}
    for row in rows:
        fields = tuple(Field(kind, _places(text)) for kind, text in row["targets"].items())
        found.update(dict.fromkeys(row["calls"].split(), fields))
    return found


def _places(texts: str | list[str]) -> tuple[Place, ...]:
    return tuple(
        Place(text.startswith(_RESPONSE), tuple(map(_step, text.removeprefix(_RESPONSE).split("."))))
        for text in ([texts] if isinstance(texts, str) else texts)
    )


def _step(name: str) -> Step:
    return Step(name, name[0].upper() + name[1:])
