"""Replays the dead letters of earlier runs, for `run --replay-dead-letters`."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.model import Message, Offset, Position
from trailsieve.trail.selection import Selection

_BATCH = 500


class DeadLetterSource:
    """One message for each dead letter; those that still cannot be read go to a new dead-letter file.

    The file is renamed to `….replaying` while it is read and removed at the end. After a crash, the renamed
    file is replayed first, so nothing is lost.
    """

    whole_objects = False
    open_reader = None
    ordered = False
    selection = Selection()

    def __init__(self, path: Path) -> None:
        self._replaying = path.with_name(f"{path.name}.replaying")
        self.exhausted = False
        if path.exists() and not self._replaying.exists():
            path.replace(self._replaying)
        self._file: BinaryIO | None = self._replaying.open("rb") if self._replaying.exists() else None
        self._messages = self._read()

    def start(self, positions: Mapping[str, Offset]) -> None:
        """Does nothing: every replay starts at the first letter."""

    def poll(self) -> Sequence[Message]:
        messages = list(islice(self._messages, _BATCH))
        self.exhausted = not messages
        if self.exhausted:
            self._replaying.unlink(missing_ok=True)
        return messages

    def _read(self) -> Iterator[Message]:
        for number, line in enumerate(self._file or (), 1):
            position = Position(str(self._replaying), number)
            try:
                letter = jsontext.decode(line)
                text = letter["text"].encode() if "text" in letter else base64.b64decode(letter["base64"])
                yield Message(text, position, str(letter["object"]))
            except (UnreadableError, ValueError, KeyError, TypeError, AttributeError):
                if line.strip():
                    name = f"{self._replaying}:{number}"
                    yield Message(line, position, name, problem="not a dead letter: truncated line?")

    def keep_alive(self) -> None:
        """Does nothing: a file has no lease."""

    def commit(self, positions: Iterable[Position]) -> None:
        """Does nothing: the file is removed once all of it is done."""

    def check(self) -> str:
        return str(self._replaying)

    def close(self) -> None:
        if self._file:
            self._file.close()
