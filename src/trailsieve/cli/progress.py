"""The progress bar of a replay, on a terminal only.

It is one line that a carriage return draws again, and the cursor stays visible: whatever ends the process,
the terminal is as it was. A thread draws it, so it also moves while a large file is read.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import TracebackType

from trailsieve.cli.options import Screen, terminal_width
from trailsieve.cli.sparkline import can_show
from trailsieve.engine.stats import RunStats

_EVERY = 0.2  # seconds between two drawings
_ERASE = "\x1b[K"  # what was drawn behind the cursor
_BAR = (8, 40)  # its cells, at least and at most
_KNOWN = (3.0, 0.05)  # seconds, and share of the bytes, from which on the rate is known
_GAP = "  "


class Progress:
    """Files, bytes, events per second and time left, on stderr.

    Args:
        noun: what is read, in the plural.
        listed: whether all of it is known before the first is read. A bucket is read while it is still being
            listed: nobody knows what is left.
    """

    def __init__(self, stats: RunStats, shown: Screen, noun: str = "files", *, listed: bool = True) -> None:
        self._stats = stats
        self._screen = shown
        self._noun = noun
        self._listed = listed
        self._wanted = sys.stderr.isatty() and not shown.json and os.environ.get("TERM") != "dumb"
        self._files = self._bytes = self._done_files = self._done_bytes = 0
        self._started = time.monotonic()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._line = ""

    def __enter__(self) -> Progress:
        self._started = time.monotonic()
        if self._wanted:
            self._screen.above = self._above
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._screen.above = nullcontext
        self._ended.set()
        if self._thread:
            self._thread.join()
        self._draw("")

    @property
    def files(self) -> int:
        """The number of files and objects to read that are known."""
        return self._files

    @property
    def bytes(self) -> int:
        """Their size."""
        return self._bytes

    def found(self, size: int) -> None:
        """Counts a file that will be read."""
        self._files += 1
        self._bytes += size

    def reading(self, size: int) -> None:
        """Counts bytes of a file that is not finished."""
        self._done_bytes += size
        if self._wanted and self._thread is None:  # starts here, after the worker processes were forked
            self._thread = threading.Thread(target=self._keep_drawing, name="progress", daemon=True)
            self._thread.start()

    def done(self, size: int) -> None:
        """Counts a finished file, and those of its bytes that `reading` has not counted."""
        self._done_files += 1
        self.reading(size)

    def line(self, seconds: float, width: int, encoding: str | None) -> str:
        """The bar after `seconds`, in less than `width` cells."""
        rate = self._stats.records / seconds if seconds else 0
        known = self._listed and 0 < self._done_bytes <= self._bytes  # a pipe has no size
        share = self._done_bytes / self._bytes if known else 0.0
        steady = seconds >= _KNOWN[0] and share >= _KNOWN[1] and rate > 0
        parts = [
            f"{share:4.0%}" if known else "",
            f"{self._done_files:,}/{self._files:,} {self._noun}",
            f"{self._done_bytes / 1e6:,.1f}{f'/{self._bytes / 1e6:,.1f}' if known else ''} MB",
            f"{rate:,.0f} events/s",
            f"{_clock(seconds / share - seconds)} left" if steady else _clock(seconds),
        ]
        text = _GAP.join(part for part in parts if part)
        cells = min(width - len(text) - len(_GAP) - 1, _BAR[1])
        if known and cells >= _BAR[0]:
            text = _bar(share, cells, encoding) + _GAP + text
        return text[: width - 1]

    @contextmanager
    def _above(self) -> Iterator[None]:
        """A time without the bar, for lines of text."""
        with self._lock:
            below = self._line
            self._draw("")
            yield
            self._draw(below)

    def _keep_drawing(self) -> None:
        while not self._ended.wait(_EVERY):
            with self._lock:
                seconds = time.monotonic() - self._started
                self._draw(self.line(seconds, terminal_width(sys.stderr) or 0, sys.stderr.encoding))

    def _draw(self, line: str) -> None:
        """Shows this line instead of the last one; an empty line leaves the cursor at its beginning."""
        if line or self._line:
            sys.stderr.write(f"\r{line}{_ERASE}")
            sys.stderr.flush()
        self._line = line


def _bar(share: float, cells: int, encoding: str | None) -> str:
    full, empty = "━─" if can_show("━─", encoding) else "#."
    done = int(share * cells)
    return full * done + empty * (cells - done)


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
