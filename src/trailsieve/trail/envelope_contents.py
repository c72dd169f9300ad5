"""What a payload holds once its envelopes are removed: records, names of S3 objects, and the layers found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec


class ObjectName(msgspec.Struct, frozen=True):
    """An S3 object named by a notification. `size` is in bytes, 0 if the notification does not give it."""

    bucket: str
    key: str
    size: int = 0

    @property
    def url(self) -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.key}"


@dataclass(slots=True)
class Layer:
    """One envelope: its depth (0 is the outermost), name, details, and how many equal ones in a row."""

    depth: int
    name: str
    detail: str = ""
    times: int = 1


@dataclass(slots=True)
class EnvelopeContents:
    """Everything found in one payload.

    Attributes:
        records: the exact original text of each record.
        objects: the S3 objects that notifications name.
        control_messages: how many parts hold no record by design, such as health checks and test events.
        problems: the reason and the text of each part that could not be read.
        layers: the envelopes, outermost first.
        advice: what the operator should know about these envelopes.
    """

    records: list[bytes] = field(default_factory=list)
    objects: list[ObjectName] = field(default_factory=list)
    control_messages: int = 0
    problems: list[tuple[str, bytes]] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    advice: set[str] = field(default_factory=set)

    def outline(self) -> Iterator[str]:
        """The layers as text: one indented line each, with equal neighbours counted."""
        for layer in self.layers:
            times = f" ×{layer.times}" if layer.times > 1 else ""
            detail = f"  ({layer.detail})" if layer.detail else ""
            yield "  " * layer.depth + layer.name + times + detail
