"""What a payload holds once its envelopes are removed: records, names of S3 objects, and the layers found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

MAX_UNREADABLE = 10_000  # parts after which the rest is not tried: a small message may unpack to millions
MOST_LETTERS = 10  # unreadable parts of one message that are kept one by one
_MOST_PROBLEMS = 1000  # that are listed; all are counted
_SMALL = 64 * 2**10  # bytes of parts that may be kept even if the message is smaller: it was compressed


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
        problems: the reason and the text of the first thousand parts that could not be read.
        unreadable: how many parts could not be read.
        size: bytes that were decompressed.
        layers: the envelopes, outermost first.
        advice: what the operator should know about these envelopes.
    """

    records: list[bytes] = field(default_factory=list)
    objects: list[ObjectName] = field(default_factory=list)
    control_messages: int = 0
    problems: list[tuple[str, bytes]] = field(default_factory=list)
    unreadable: int = 0
    size: int = 0
    layers: list[Layer] = field(default_factory=list)
    advice: set[str] = field(default_factory=set)

    def add_problem(self, reason: str, text: bytes) -> None:
        """Counts a part that could not be read, and lists the first ones."""
        self.unreadable += 1
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append((reason, text))

    def outline(self) -> Iterator[str]:
        """The layers as text: one indented line each, with equal neighbours counted."""
        for layer in self.layers:
            times = f" ×{layer.times}" if layer.times > 1 else ""
            detail = f"  ({layer.detail})" if layer.detail else ""
            yield "  " * layer.depth + layer.name + times + detail


def letters(payload: bytes, problems: Sequence[tuple[str, bytes]], count: int) -> Sequence[tuple[str, bytes]]:
    """The reasons and texts to keep of a message with `count` unreadable parts, the first being `problems`.

    A few parts are kept one by one. Many parts, or parts much larger than the compressed message, are kept as
    the message itself, so that a small message cannot fill the disk.
    """
    size = sum(len(text) for _, text in problems)
    if count <= MOST_LETTERS and size <= max(len(payload), _SMALL):
        return problems
    reason = problems[0][0]
    more = f"more than {MAX_UNREADABLE:,}" if count > MAX_UNREADABLE else f"{count - 1:,} more"
    return [(f"{reason}; {more} parts cannot be read" if count > 1 else reason, payload)]
