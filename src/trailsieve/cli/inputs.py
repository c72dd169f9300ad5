"""What stands on the command line as INPUT: files, folders, standard input, and folders of buckets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from trailsieve.errors import UsageError

if TYPE_CHECKING:
    from trailsieve.model import Message, Offset, Position
    from trailsieve.ports import RunContext, Source
    from trailsieve.sources.s3.source import S3Source
    from trailsieve.trail.selection import Selection


def apart(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """The paths and the addresses of S3 among inputs.

    Raises:
        UsageError: an address of another kind.
    """
    urls = [name for name in given if "://" in name]
    for url in urls:
        if not url.startswith("s3://"):
            raise UsageError(f"{url}: only s3://bucket/prefix is read from afar; copy other files first")
    return [name for name in given if "://" not in name], urls


def open_bucket(urls: Sequence[str], selection: Selection, context: RunContext) -> S3Source:
    """Folders of buckets, read once; credentials, region and endpoint are those of boto3's own chain.

    Raises:
        UsageError: an address that names no bucket.
    """
    from trailsieve.sources.s3.source import Config, open_urls

    return open_urls(urls, selection, Config(url="", poll_interval=0, look_back=0), context)


class Inputs:
    """Several sources as one: each is read when those before it are exhausted."""

    whole_objects = True

    def __init__(self, sources: Sequence[Source], selection: Selection) -> None:
        self._sources = sources
        self.selection = selection

    @property
    def exhausted(self) -> bool:
        return all(source.exhausted for source in self._sources)

    def start(self, positions: Mapping[str, Offset]) -> None:
        for source in self._sources:
            source.start(positions)

    def poll(self) -> Sequence[Message]:
        source = next((source for source in self._sources if not source.exhausted), None)
        return source.poll() if source else []

    def keep_alive(self) -> None:
        """Neither files nor objects slip away."""

    def commit(self, positions: Iterable[Position]) -> None:
        """A replay keeps no positions."""

    def check(self) -> str:
        return "; ".join(source.check() for source in self._sources)

    def close(self) -> None:
        for source in self._sources:
            source.close()
