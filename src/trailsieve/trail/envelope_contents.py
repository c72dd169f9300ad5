"""What comes out of envelopes: records, objects to read, and the way there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec


class ObjectName(msgspec.Struct, frozen=True):
    """An object in S3 that a notice tells of. `size` is 0 where the notice does not say."""

    bucket: str
    key: str
    size: int = 0


@dataclass(slots=True)
class Layer:
    """An envelope that was peeled: how deep it lay, its name, what it said of itself, how many in a row."""

    depth: int
    name: str
    detail: str = ""
    times: int = 1


@dataclass(slots=True)
class Peeled:
    """What was in a payload.

    Attributes:
        records: the exact text of every record.
        objects: S3 objects to read.
        notices: parts that hold no record by design: health checks and test events.
        problems: the reason and the text of what is no known envelope.
        layers: what was peeled, outermost first.
        advice: what a person ought to know of these envelopes.
    """

    records: list[bytes] = field(default_factory=list)
    objects: list[ObjectName] = field(default_factory=list)
    notices: int = 0
    problems: list[tuple[str, bytes]] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    advice: set[str] = field(default_factory=set)


def lines_of(found: Peeled) -> Iterator[str]:
    """The peel for a person: one line an envelope, with equal neighbours counted."""
    for layer in found.layers:
        times = f" ×{layer.times}" if layer.times > 1 else ""
        yield "  " * layer.depth + layer.name + times + (f"  ({layer.detail})" if layer.detail else "")
