"""Every error that trailsieve raises on purpose, one tree.

    TrailsieveError
    ├── PatternError      a filter pattern that AWS would refuse (also a ValueError)
    ├── RuleError         a rule file with mistakes: all of them, each with its place (also a ValueError)
    ├── UsageError        wrong use: a path that does not exist, options that exclude each other
    ├── ConfigError       a configuration with mistakes: all of them, each with its place (also a ValueError)
    ├── UnreadableError   an object or record of the trail that cannot be read, with the reason
    ├── SourceError       a source that cannot be read until a person mends something
    ├── SinkError         a receiver that will take nothing until a person mends something
    ├── DeliveryError     alerts that a receiver did not take: which to send again, which it refused for good
    ├── CheckpointError   state that cannot be kept or read
    └── DeadLetterError   too much cannot be read to go on, or the dead letters cannot be kept

Each says what, where, and what to do. Text that came from outside is shown through `visible`, so that
no control or direction character of it reaches a terminal or a log line.
"""

from __future__ import annotations

import unicodedata

_WINDOW = 50  # characters of a long pattern that are shown on each side of the caret


class TrailsieveError(Exception):
    """Base of all errors that trailsieve raises on purpose."""


class PatternError(TrailsieveError, ValueError):
    """A filter pattern that cannot be used.

    Attributes:
        message: what is wrong, one line.
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
    """A rule pack with mistakes; `problems` holds one text a mistake, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UsageError(TrailsieveError):
    """The command or the API was used wrongly; the message says what to do."""


class UnknownError(TrailsieveError):
    """A question about patterns that is too hard to decide; `logic` makes it the reason of a `Verdict`."""


class UnreadableError(TrailsieveError):
    """An object or record that cannot be read; `reason` is one line, without its name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfigError(TrailsieveError, ValueError):
    """A configuration with mistakes; `problems` holds one text a mistake, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SourceError(TrailsieveError):
    """A source that cannot be read; the message says what the other side answered and what to do."""


class SinkError(TrailsieveError):
    """A receiver that takes nothing; the message says what it answered and what to do."""


class DeliveryError(TrailsieveError):
    """Alerts that were not accepted; all others of the delivery were.

    Attributes:
        reason: one line, what the receiver answered.
        again: the ids of the alerts to send again.
        refused: the ids of the alerts that it will never take, each with the reason.
        wait: seconds after which the receiver wants to be asked again, None when it did not say.
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
    """State that cannot be kept or read; nothing is committed that it does not hold."""


class DeadLetterError(TrailsieveError):
    """Too much cannot be read to go on, or the dead letters cannot be kept."""


def visible(text: str) -> str:
    """`text` with every control, format and surrogate character as one visible stand-in.

    One character stays one character, so columns keep their meaning.
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
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
