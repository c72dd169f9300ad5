"""The fields of CloudTrail records: their types, how common they are, and which values they take."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Presence = Literal["always", "often", "rarely"]
ALWAYS = 99.0  # of 100 records


@dataclass(frozen=True, slots=True)
class Facts:
    """One field.

    Attributes:
        name: the path from the top of the record, such as `userIdentity.type`; `[]` is any array element.
        type: string, boolean, number, array or object.
        share: the percentage of records in which it is present and not null.
        values: all values that AWS documents; empty if any text is possible.
        open: whether it is an object that may have fields that are not listed.
    """

    name: str
    type: str
    share: float
    values: tuple[str, ...] = ()
    open: bool = False

    @property
    def presence(self) -> Presence:
        """The share as a word."""
        return "always" if self.share >= ALWAYS else "often" if self.share >= 50 else "rarely"


@lru_cache(maxsize=1)
def fields() -> dict[str, Facts]:
    """All known fields, by name."""
    table = tomllib.loads(Path(__file__).with_name("fields.toml").read_text("utf-8"))["field"]
    return {
        name: Facts(name, row["type"], row["share"], tuple(row.get("values", ())), row.get("open", False))
        for name, row in table.items()
    }


@lru_cache(maxsize=1)
def top_level() -> frozenset[str]:
    """The names of the top-level fields of a record."""
    return frozenset(name for name in fields() if "." not in name and "[" not in name)


def name_of(steps: Iterable[object]) -> str:
    """The catalogue's name for the steps of a selector: field names joined by dots, other steps as `[]`."""
    return "".join(f".{step}" if isinstance(step, str) else "[]" for step in steps).lstrip(".")


def children(name: str) -> list[str]:
    """The names of the known fields directly in an object; in the record itself if `name` is ""."""
    before = f"{name}." if name else ""
    rest = [known.removeprefix(before) for known in fields() if known.startswith(before)]
    return [child for child in rest if "." not in child and "[" not in child]
