"""The exceptions of trailsieve, and how text from outside is made safe to show.

    TrailsieveError
    ├── PatternError      an invalid filter pattern (also a ValueError)
    ├── RuleError         all mistakes in rule files, with their places (also a ValueError)
    ├── UsageError        wrong use: a path that does not exist, options that exclude each other
    ├── ConfigError       all mistakes in a configuration, with their places (also a ValueError)
    ├── UnreadableError   an object or record that cannot be read
    ├── SourceError       a source that cannot be read until somebody fixes the cause
    │   └── OtherSourceError   a checkpoint that was made for another source
    ├── SinkError         a receiver that accepts nothing until somebody fixes the cause
    ├── DeliveryError     alerts to retry, and alerts refused for good
    ├── CheckpointError   state that cannot be written or read
    ├── DeadLetterError   too many unreadable records, or dead letters that cannot be written
    ├── TemporaryFileError   a temporary file that cannot be written or read
    └── ThreadError       a thread that died of an unexpected error

Messages say what is wrong, where, and what to do. Text from outside is shown through `visible`, so that no
control or direction characters reach a terminal or a log.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_WINDOW = 50  # characters of a long pattern that are shown on each side of the caret


class TrailsieveError(Exception):
    """Base class of all errors of trailsieve."""


class PatternError(TrailsieveError, ValueError):
    """An invalid filter pattern.

    Attributes:
        message: what is wrong, in one line.
        column: 1-based column of the offending character; `len(pattern) + 1` is the end.
        hint: what to write instead, or "".
        pattern: the whole pattern text.
    """

    def __init__(self, message: str, column: int, hint: str = "", pattern: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.hint = hint
        self.pattern = pattern

    def __reduce__(self) -> tuple[type[PatternError], tuple[str, int, str, str]]:
        return PatternError, (self.message, self.column, self.hint, self.pattern)

    def __str__(self) -> str:
        lines = [f"invalid filter pattern, column {self.column}: {self.message}"]
        lines += caret(self.pattern, self.column)
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class RuleError(TrailsieveError, ValueError):
    """Mistakes in a rule pack; `problems` has one text per mistake, with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UsageError(TrailsieveError):
    """Wrong use of a command or the API; the message says what to do."""


class UnknownError(TrailsieveError):
    """A question about patterns that is too hard to decide; `logic` makes it the reason of a `Verdict`."""


class UnclearError(TrailsieveError):
    """What a refused pattern means is not certain, or filter patterns have no such thing."""


class UnreadableError(TrailsieveError):
    """An object or record that cannot be read; `reason` is one line, without the object's name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfigError(TrailsieveError, ValueError):
    """Mistakes in a configuration; `problems` has one text per mistake, with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SourceError(TrailsieveError):
    """A source cannot be read; the message has the response and what to do."""


class OtherSourceError(SourceError):
    """The checkpoint was made for another source; `differences` has one text per part that differs."""

    def __init__(self, differences: list[str]) -> None:
        super().__init__(f"the checkpoint belongs to another source: {'; '.join(differences)}")
        self.differences = differences


class SinkError(TrailsieveError):
    """A receiver accepts nothing; the message has its response and what to do."""


class DeliveryError(TrailsieveError):
    """Some alerts of a delivery were not accepted; all others were.

    Attributes:
        reason: the receiver's response, in one line.
        again: ids of the alerts to retry.
        refused: reasons by id, for alerts that the receiver will never accept.
        retry_after: seconds to wait, as the receiver asked; None if it did not.
    """

    def __init__(
        self,
        reason: str,
        again: frozenset[str],
        refused: dict[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        self.refused = refused or {}
        self.retry_after = retry_after


class CheckpointError(TrailsieveError):
    """State cannot be written or read; nothing is committed beyond what it holds."""


class DeadLetterError(TrailsieveError):
    """Too many records are unreadable, or dead letters cannot be written."""


class TemporaryFileError(TrailsieveError):
    """A temporary file cannot be written or read; the message has its folder and what to do."""


class ThreadError(TrailsieveError):
    """A thread died of an unexpected error; the message names both."""


def visible(text: str) -> str:
    """`text` with each control, format and surrogate character replaced by a visible one.

    The length stays the same, and so do column numbers.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character in "\n\r\t":
        return {"\n": "⏎", "\r": "␍", "\t": " "}[character]
    return character if character == " " or character.isprintable() else "�"


def visible_lines(text: str) -> str:
    """`text` made `visible` line by line."""
    return "\n".join(map(visible, text.split("\n")))


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun: "1 alert", "2,000 alerts"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def with_and(parts: Sequence[str]) -> str:
    """Parts of a sentence as a list: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def shorten(text: str, width: int) -> str:
    """`visible` text, cut to at most `width` characters with an ellipsis."""
    shown = visible(text[: width + 1])
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def tail(text: str, width: int) -> str:
    """`visible` text, of which at most the last `width` characters are shown, behind an ellipsis."""
    shown = visible(text[-width - 1 :])
    return shown if len(shown) <= width else "…" + shown[1 - width :]


def caret(text: str, column: int) -> list[str]:
    """Two lines: the text (a window of it when it is long) and a caret under the 1-based column."""
    if not text:
        return []
    start = max(0, column - 1 - _WINDOW)
    end = min(len(text), column - 1 + _WINDOW)
    before = ("…" if start else "") + visible(text[start : column - 1])
    after = visible(text[column - 1 : end]) + ("…" if end < len(text) else "")
    return [f"    {before}{after}", "    " + " " * cells(before) + "^"]


def cells(text: str) -> int:
    """Terminal cells that `text` takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
