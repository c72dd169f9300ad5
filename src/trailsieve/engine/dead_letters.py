"""Files for what could not be processed, with its reason, and the limit on how much that may be."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import orjson

from trailsieve import jsontext, private_file
from trailsieve.engine.dedup import RecentIds
from trailsieve.engine.sink_worker import Refusal
from trailsieve.errors import DeadLetterError
from trailsieve.formats import native
from trailsieve.model import Problem
from trailsieve.secret import masked

_REPORTED = 0.5  # share of unreadable messages that is reported
_KEPT_DIGESTS = 200_000  # letters that are recognized when they come again
_TAIL = 64 * 2**20  # bytes at the end of the file whose letters are recognized after a start


class FileDeadLetters:
    """A file of JSON lines: object, record number, reason, and the original bytes as text or base64.

    A letter that is in the file already is not written again: after a crash, messages are read again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = RecentIds(_KEPT_DIGESTS)
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _open_lines(path)
            self._recognize()

    def _recognize(self) -> None:
        """Reads the last letters."""
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - _TAIL))
        for line in self._file:
            self._known.add(_digest(line))

    def add(self, problem: Problem) -> None:
        """Saves what could not be read; ignores warnings.

        Raises:
            DeadLetterError: the file cannot be written.
        """
        if problem.warning:
            return
        letter: dict[str, object] = {"object": problem.origin, "reason": problem.reason}
        if problem.index:
            letter["record"] = problem.index
        try:
            letter["text"] = problem.text.decode()
        except UnicodeDecodeError:
            letter["base64"] = base64.b64encode(problem.text).decode()
        line = jsontext.encode(letter).encode() + b"\n"
        if self._known.add(_digest(line)):
            with self._errors():
                self._file.write(line)
                self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        with self._errors():
            self._file.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DeadLetterError(f"{self._path} cannot be written: {error.strerror or error}") from None


def _digest(line: bytes) -> str:
    return hashlib.blake2b(line, digest_size=16).hexdigest()


class AlertDeadLetters:
    """A file of JSON lines: sink, reason, and an alert that the sink never accepted, in the native format.

    `trailsieve send` reads it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, refusal: Refusal) -> None:
        """Saves one alert.

        Raises:
            DeadLetterError: the file cannot be written.
        """
        letter = {
            "sink": refusal.sink,
            "reason": masked(refusal.reason),
            "alert": orjson.Fragment(native.encode(refusal.alert)),
        }
        try:
            with _open_lines(self.path) as file:
                file.write(orjson.dumps(letter) + b"\n")
        except OSError as error:
            raise DeadLetterError(f"{self.path} cannot be written: {error.strerror or error}") from None


def _open_lines(path: Path) -> BinaryIO:
    """The file, open for lines at its end. Half a line, which a crash or a full disk left, is ended first."""
    file = open(path, "a+b", opener=private_file.opener)  # noqa: SIM115
    if file.seek(0, os.SEEK_END):
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file


class UnreadableShare:
    """Watches the share of messages that cannot be read: much of it means a wrong source or format.

    It is looked at again after every `after` messages. More than half is reported, once while it lasts.

    Args:
        most: the share above which the run ends; 1 never ends it.
        after: the number of messages to look at together.
        info: shows the operator one line.
    """

    def __init__(
        self, most: float = 1, after: int = 1000, info: Callable[[str], None] = lambda text: None
    ) -> None:
        self._most = most
        self._after = after
        self._info = info
        self._messages = 0
        self._lost = 0
        self._reported = False

    def add(self, messages: int, lost: int, problems: Sequence[Problem] = ()) -> None:
        """Counts messages, and those of them of which nothing could be read.

        Raises:
            DeadLetterError: the share is exceeded.
        """
        self._messages += messages
        self._lost += lost
        if self._messages < self._after:
            return
        share = self._lost / self._messages
        text = f"{self._lost:,} of the last {self._messages:,} messages cannot be read{_last(problems)}"
        if share > self._most:
            raise DeadLetterError(
                f"{text}; more than max_ratio = {self._most}. They are in the dead letters: fix the cause, "
                "run `trailsieve run --replay-dead-letters`, and start again"
            )
        if share > _REPORTED and not self._reported:
            self._info(f"{text}; they are in the dead letters. Is it the right source?")
        self._reported = share > _REPORTED
        self._messages = self._lost = 0


def _last(problems: Sequence[Problem]) -> str:
    for problem in reversed(problems):
        if not problem.warning:
            return f", the last one: {problem.origin}: {problem.reason}"
    return ""
