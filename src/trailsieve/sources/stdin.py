"""Reads standard input line by line until it ends: `… | trailsieve run CONFIG`.

A pipe cannot be read twice: if the process is killed, what it had read is lost. Following a file (`follow`)
loses nothing.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from trailsieve.model import Message, Offset, Position, watermark_message
from trailsieve.ports import RunContext
from trailsieve.sources.line_reader import Line, LineReader, too_big
from trailsieve.trail.selection import Selection

_NAME = "<stdin>"
_PIECE = 2**20  # bytes per read
_WAIT = 1.0  # seconds that a poll waits for data


class Config(Struct, kw_only=True, forbid_unknown_fields=True):
    """Standard input has no settings."""


def open_source(config: Config, context: RunContext) -> StdinSource:
    """The source that reads standard input."""
    return StdinSource(sys.stdin.fileno(), context)


class StdinSource:
    """One message for each line: a record, or an envelope of records."""

    whole_objects = False
    open_reader = None
    ordered = True
    selection = Selection()

    def __init__(self, descriptor: int, context: RunContext) -> None:
        self._descriptor = descriptor
        self._limit = context.max_object_size
        self._now = context.now
        self._lines = LineReader(self._limit)
        self._count = 0
        self.exhausted = False

    def start(self, positions: Mapping[str, Offset]) -> None:
        """Does nothing: a pipe cannot be rewound."""

    def poll(self) -> Sequence[Message]:
        now = self._now()
        if self.exhausted:
            return ()
        if not select.select([self._descriptor], [], [], _WAIT)[0]:
            return (watermark_message(_NAME, now),)
        data = os.read(self._descriptor, _PIECE)
        self.exhausted = not data
        lines = self._lines.feed(data) if data else self._lines.rest()
        return [message for line in lines if (message := self._message(line))]

    def keep_alive(self) -> None:
        """Does nothing: a pipe has no lease."""

    def commit(self, positions: Iterable[Position]) -> None:
        """Does nothing: a pipe keeps no positions."""

    def check(self) -> str:
        return "standard input can be read"

    def close(self) -> None:
        """Does nothing: standard input belongs to the process."""

    def _message(self, line: Line) -> Message | None:
        self._count += 1
        if not line.text.strip() and not line.too_big:
            return None
        problem = too_big(self._limit) if line.too_big else ""
        return Message(line.text, Position(_NAME, self._count), f"{_NAME}:{self._count}", problem=problem)
