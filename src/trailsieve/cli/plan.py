"""`replay --plan`: what there is to read, what its requests cost, and about how long it takes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from trailsieve.cli.archive import OpenArchive
from trailsieve.engine.read_ahead import read_ahead
from trailsieve.errors import counted
from trailsieve.model import Message

# S3 Standard in us-east-1, November 2026; source: aws.amazon.com/s3/pricing
_DOLLARS_A_LIST = 0.005 / 1000
_DOLLARS_A_GET = 0.0004 / 1000
_TRIED = 256  # objects that are read to see how fast that is


def plan(archive: OpenArchive) -> Iterator[str]:
    """Yields lines about the files and objects of an archive; of a bucket, only the first objects are read.

    Raises:
        SourceError: the bucket cannot be listed, or its objects cannot be read.
    """
    began = time.monotonic()
    first: list[Message] = []
    objects = 0
    if archive.source.open_reader:
        while not archive.source.exhausted:
            unread = [message for message in archive.source.poll() if message.unread is not None]
            objects += len(unread)
            first += unread[: _TRIED - len(first)]
    seconds = time.monotonic() - began
    noun = "object" if objects else "file"
    yield f"{counted(archive.progress.files, noun)}, {archive.progress.bytes / 1e6:,.1f} MB"
    for reason, count in sorted(archive.stats.skipped.items()):
        yield f"  skipped: {count:,} × {reason}"
    if objects:
        lists = int(archive.figures.get("s3_list_requests", 0))
        dollars = lists * _DOLLARS_A_LIST + objects * _DOLLARS_A_GET
        yield (
            f"{lists:,} requests to list them, which took {seconds:.1f} s, and {objects:,} to read them: "
            f"${dollars:.2f} at the prices of us-east-1, transfer out of the region apart"
        )
        yield _duration(archive, first, objects)


def _duration(archive: OpenArchive, first: Sequence[Message], objects: int) -> str:
    assert archive.source.open_reader
    began = time.monotonic()
    tried = sum(len(messages) for messages in read_ahead([first], archive.source.open_reader))
    rate = tried / (time.monotonic() - began) * archive.workers
    processes = counted(archive.workers, "process", "processes")
    return (
        f"about {_length(objects / rate)} with {processes}: the first {tried:,} objects were read at "
        f"{rate / archive.workers:,.0f} a second"
    )


def _length(seconds: float) -> str:
    if seconds < 90:
        return counted(max(1, round(seconds)), "second")
    return counted(round(seconds / 60), "minute") if seconds < 5400 else f"{seconds / 3600:.1f} hours"
