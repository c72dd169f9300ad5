"""The dead letters of a run, once more: for `run --replay-dead-letters`."""

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
    """Every letter is a message again; what still cannot be read goes to a new file of dead letters.

    The file is set aside under another name while it is worked on and removed at the end, so a crash in
    between loses nothing: what was set aside comes first the next time.
    """

    whole_objects = False
    ordered = False
    selection = Selection()

    def __init__(self, path: Path) -> None:
        self._aside = path.with_name(f"{path.name}.replaying")
        self.exhausted = False
        if path.exists() and not self._aside.exists():
            path.replace(self._aside)
        self._file: BinaryIO | None = self._aside.open("rb") if self._aside.exists() else None
        self._messages = self._read()

    def start(self, positions: Mapping[str, Offset]) -> None:
        """All letters are worked on, those of an interrupted replay included."""

    def poll(self) -> Sequence[Message]:
        messages = list(islice(self._messages, _BATCH))
        self.exhausted = not messages
        if self.exhausted:
            self._aside.unlink(missing_ok=True)
        return messages

    def _read(self) -> Iterator[Message]:
        for number, line in enumerate(self._file or (), 1):
            position = Position(str(self._aside), number)
            try:
                letter = jsontext.decode(line)
                text = letter["text"].encode() if "text" in letter else base64.b64decode(letter["base64"])
                yield Message(text, position, str(letter["object"]))
            except (UnreadableError, ValueError, KeyError, TypeError, AttributeError):
                if line.strip():
                    name = f"{self._aside}:{number}"
                    yield Message(line, position, name, problem="no dead letter: a line that was cut off?")

    def keep_alive(self) -> None:
        """Nothing slips away."""

    def commit(self, positions: Iterable[Position]) -> None:
        """The whole file is worked on, or worked on again."""

    def check(self) -> str:
        return str(self._aside)

    def close(self) -> None:
        if self._file:
            self._file.close()
