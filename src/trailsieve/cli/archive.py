"""An archive that a command reads once: its sources, its counts, its progress and its processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from trailsieve.cli.inputs import Inputs, StreamedInputs, delivery_order, open_bucket, split_inputs
from trailsieve.cli.options import Screen
from trailsieve.cli.progress import Progress
from trailsieve.engine.stats import RunStats
from trailsieve.errors import UsageError
from trailsieve.ports import RunContext, Source
from trailsieve.sources.files import FilesSource, list_files
from trailsieve.trail.selection import Selection

_WORTH_WORKERS = 4 * 2**20  # bytes of compressed files


@dataclass(frozen=True, slots=True)
class OpenArchive:
    """What a run over an archive needs.

    Attributes:
        figures: what the sources report of themselves, by name.
    """

    source: Source
    context: RunContext
    stats: RunStats
    progress: Progress
    workers: int
    figures: dict[str, float]


def open_archive(
    inputs: Sequence[str],
    selection: Selection,
    max_object_size: int,
    workers: int | None,
    shown: Screen,
    stack: ExitStack,
    *,
    as_streamed: bool = False,
) -> OpenArchive:
    """The archive that inputs name; `stack` closes it.

    Args:
        workers: how many processes are asked for; by default one per processor, but a single one when there
            is too little to read to be worth starting more.
        as_streamed: whether files come in the order of their delivery, lines one by one.

    Raises:
        UsageError: an input does not exist, or cannot be read in the order of delivery.
    """
    stats = RunStats()
    figures: dict[str, float] = {}
    paths, urls = split_inputs(inputs)
    progress = Progress(stats, shown, "objects" if urls else "files", listed=not urls)
    context = RunContext(
        shown.info,
        max_object_size,
        skip=stats.skip,
        object_found=progress.found,
        object_read=progress.done,
        bytes_read=progress.reading,
        gauge=figures.__setitem__,
    )
    if urls and as_streamed:
        raise UsageError(f"{urls[0]}: --as-streamed needs files: download them first, with `aws s3 sync`")
    files = selection.files(list_files(paths), stats.skip)
    sources: list[Source] = [FilesSource(delivery_order(files) if as_streamed else files, context, selection)]
    if urls:
        sources.append(open_bucket(urls, selection, context))
    source = (StreamedInputs if as_streamed else Inputs)(sources, selection)
    stack.callback(source.close)
    small = not urls and sum(file.size for file in files) < _WORTH_WORKERS
    processes = workers or (1 if small else os.cpu_count() or 1)
    return OpenArchive(source, context, stats, progress, processes, figures)


def nothing_to_read(inputs: Sequence[str], stats: RunStats) -> str:
    """A message that nothing was read, with the reasons."""
    skipped = "".join(f"; skipped: {count:,} × {reason}" for reason, count in stats.skipped.items())
    return f"nothing to read in {', '.join(inputs)}{skipped}"
