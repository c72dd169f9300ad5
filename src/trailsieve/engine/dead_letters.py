"""Files for what could not be processed, with its reason, and the limit on how much that may be."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson

from trailsieve import jsontext
from trailsieve.engine.sink_worker import Refusal
from trailsieve.errors import DeadLetterError
from trailsieve.formats import native
from trailsieve.model import Problem
from trailsieve.secret import masked


class FileDeadLetters:
    """A file of JSON lines: object, record number, reason, and the original bytes as text or base64."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b")
            if self._file.seek(0, os.SEEK_END):
                self._file.seek(-1, os.SEEK_END)
                if self._file.read(1) != b"\n":
                    self._file.write(b"\n")  # a crash left half a line

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
        with self._errors():
            self._file.write(jsontext.encode(letter).encode() + b"\n")
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
            with self.path.open("ab") as file:
                file.write(orjson.dumps(letter) + b"\n")
        except OSError as error:
            raise DeadLetterError(f"{self.path} cannot be written: {error.strerror or error}") from None


class RatioLimit:
    """Ends the run when too much cannot be read: the source or its format must be wrong.

    Args:
        ratio: the share of unreadable records above which the run ends; 1 never ends it.
        after: the number of records, unreadable ones included, before which the run goes on in any case.
    """

    def __init__(self, ratio: float = 1, after: int = 1) -> None:
        self._ratio = ratio
        self._after = after
        self._records = 0
        self._unreadable = 0

    def add(self, records: int, problems: Sequence[Problem]) -> None:
        """Counts records that were read, and what was not.

        Raises:
            DeadLetterError: the ratio is exceeded.
        """
        unreadable = [problem for problem in problems if not problem.warning]
        self._unreadable += len(unreadable)
        self._records += records + len(unreadable)
        if unreadable and self._records >= self._after and self._unreadable > self._ratio * self._records:
            last = unreadable[-1]
            raise DeadLetterError(
                f"{self._unreadable:,} of {self._records:,} records cannot be read, more than "
                f"max_ratio = {self._ratio}; the last one: {last.origin}: {last.reason}. "
                "Nothing is lost: fix the cause and start again"
            )
