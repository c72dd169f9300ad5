"""Standard output and standard error, whose readers may go away and whose disk may be full.

Reporting never raises. Messages that cannot be written are counted; the status line of `run` has the count.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import Any

_SUBSTITUTES = "trailsieve.substitutes"
_PLAIN = {ord(each): plain for each, plain in zip("…✗•·×→–▁▂▃▄▅▆▇█", ".x*-x>-_..::++#", strict=True)}


class _StandardError(io.FileIO):
    """Counts the lines that cannot be written.

    Attributes:
        lost: the number of these lines.
        failing: whether the latest write failed.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self.lost = 0
        self.failing = False

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        try:
            while rest:
                written = super().write(rest)
                if written is None:
                    raise BlockingIOError(errno.EAGAIN, "nobody reads it")
                rest = rest[written:]
            self.failing = False
        except OSError:
            self.failing = True
            self.lost += bytes(data).count(b"\n")
        return len(data)


class _Terminal(io.FileIO):
    """Writes UTF-8 to a terminal of another encoding, with a substitute for what the encoding lacks."""

    def __init__(self, descriptor: int, encoding: str) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._encoding = encoding

    def write(self, data: Any) -> int:
        rest = memoryview(self._decoder.decode(bytes(data)).encode(self._encoding, _SUBSTITUTES))
        while rest:
            rest = rest[super().write(rest) or 0 :]
        return len(data)


def _substituted(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_PLAIN.get(ord(each), "?") for each in error.object[error.start : error.end]), error.end


codecs.register_error(_SUBSTITUTES, _substituted)


def open_streams() -> None:
    """Replaces `sys.stdout` and `sys.stderr` of this process."""
    if sys.stdout:
        # Buffered even with PYTHONUNBUFFERED, which can cut a write short without an error;
        # and characters that the locale lacks are replaced.
        encoding = codecs.lookup(sys.stdout.encoding).name
        if sys.stdout.isatty() and encoding != "utf-8":
            terminal = _Terminal(sys.stdout.fileno(), encoding)
            sys.stdout = io.TextIOWrapper(
                io.BufferedWriter(terminal), "utf-8", "replace", line_buffering=True
            )
        else:
            sys.stdout = open(sys.stdout.fileno(), "w", encoding=encoding, errors="replace", closefd=False)  # noqa: SIM115
    if sys.stderr:
        raw = _StandardError(sys.stderr.fileno())
        encoding = sys.stderr.encoding
    else:  # it is closed; without this, messages would go to standard output
        raw, encoding = _StandardError(os.open(os.devnull, os.O_WRONLY)), "utf-8"
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=True
    )


def lost_messages() -> int:
    """Returns how many lines of standard error could not be written."""
    raw = _raw()
    return raw.lost if raw else 0


def messages_are_lost() -> bool:
    """Returns whether the latest line of standard error could not be written."""
    raw = _raw()
    return raw is not None and raw.failing


def output_failure() -> str:
    """Returns why standard output cannot be written; "" if it has taken everything."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return f"standard output cannot be written: {error.strerror or error}"
    return ""


def drop_output() -> None:
    """Drops what standard output has not taken, so that Python does not complain when it exits."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _raw() -> _StandardError | None:
    raw = getattr(getattr(sys.stderr, "buffer", None), "raw", None)
    return raw if isinstance(raw, _StandardError) else None
