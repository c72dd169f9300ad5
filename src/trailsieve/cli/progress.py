"""The progress bar of a replay, on a terminal only."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from trailsieve.cli.options import Screen
from trailsieve.engine.stats import RunStats

_EVERY = 0.2  # seconds between updates


class Progress:
    """Files, bytes, events per second and time left, on stderr.

    The total may grow: a bucket is read while it is still being listed.
    """

    def __init__(self, stats: RunStats, shown: Screen) -> None:
        self._files = 0
        self._bytes = 0
        self._stats = stats
        self._wanted = sys.stderr.isatty() and not shown.json
        self._done_files = 0
        self._done_bytes = 0
        self._started = self._drawn = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def found(self, size: int) -> None:
        """Counts a file that will be read."""
        self._files += 1
        self._bytes += size

    def done(self, size: int) -> None:
        """Counts a finished file."""
        self._done_files += 1
        self._done_bytes += size
        now = time.monotonic()
        if self._wanted and now - self._drawn >= _EVERY:
            self._drawn = now
            self._draw(now)

    def _draw(self, now: float) -> None:
        if self._bar is None:
            self._bar = _bar()
            self._bar.start()
        rate = self._stats.records / (now - self._started)
        text = f"{self._done_files:,}/{self._files:,} files  {self._stats.records:,} events  {rate:,.0f}/s"
        self._bar.update(0, total=self._bytes or 1, completed=self._done_bytes, description=text)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        BarColumn(bar_width=30),
        DownloadColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
        auto_refresh=False,
    )
    bar.add_task("")
    return bar
