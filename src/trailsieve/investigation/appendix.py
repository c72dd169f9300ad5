"""How an investigation or a replay was made: the command, the version, what was read and what was not."""

from __future__ import annotations

from collections.abc import Iterator

import trailsieve
from trailsieve.engine.stats import RunStats
from trailsieve.errors import counted

_MOST_PROBLEMS = 20


def appendix(stats: RunStats, command: str) -> Iterator[tuple[str, str]]:
    """Yields labels and texts; text from the archive is not escaped."""
    yield "Command", command
    yield "Version", f"trailsieve {trailsieve.__version__}"
    read = f"{counted(stats.records, 'event')} in {counted(stats.files, 'file')}"
    yield "Read", f"{read}, {stats.bytes / 1e6:,.1f} MB"
    for reason, count in sorted(stats.skipped.items()):
        yield "Skipped", f"{count:,} × {reason}"
    if stats.unreadable_records:
        yield "Not read", counted(stats.unreadable_records, "record")
    for problem in stats.problems[:_MOST_PROBLEMS]:
        yield "Problem", f"{problem.origin}: {problem.reason}"
    more = len(stats.problems) - _MOST_PROBLEMS
    if more > 0:
        yield "Problem", f"{more:,} more"
    if stats.duplicates:
        yield "Duplicates", f"{counted(stats.duplicates, 'alert')} not raised again"
