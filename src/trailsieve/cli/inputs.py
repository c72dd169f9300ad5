"""INPUT on the command line: files, folders, standard input and folders of buckets; and its options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import replace

from trailsieve.engine.read_ahead import read_ahead
from trailsieve.errors import UsageError
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import Reader, RunContext, Source
from trailsieve.trail.layout import parse_key
from trailsieve.trail.selection import ListedFile, Selection

if TYPE_CHECKING:
    from trailsieve.sources.s3.source import S3Source

F = TypeVar("F", bound=Callable[..., Any])

over = click.option(
    "--over",
    "inputs",
    metavar="ARCHIVE",
    multiple=True,
    required=True,
    help="Files or folders; may be repeated.",
)


def time_range(command: F) -> F:
    """Adds the options `--since` and `--until`."""
    since = click.option(
        "--since", metavar="TIME", help="Only events since then: ISO 8601, or 24h, 7d before now."
    )
    return since(click.option("--until", metavar="TIME", help="Only events before then.")(command))


def split_inputs(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the paths and the S3 URLs among inputs.

    Raises:
        UsageError: a URL of another kind.
    """
    urls = [name for name in given if "://" in name]
    for url in urls:
        if not url.startswith("s3://"):
            raise UsageError(f"{url}: the only URLs are s3://bucket/prefix; download other files first")
    return [name for name in given if "://" not in name], urls


def open_bucket(urls: Sequence[str], selection: Selection, context: RunContext) -> S3Source:
    """Returns a source that reads folders of buckets once, with boto3's default settings.

    Raises:
        UsageError: a URL without a bucket.
    """
    from trailsieve.sources.s3.source import Config, open_urls  # only if a bucket is read

    return open_urls(urls, selection, Config(url="", poll_interval=0, look_back=0), context)


class Inputs:
    """Several sources as one, read one after the other."""

    whole_objects = True
    ordered = False

    def __init__(self, sources: Sequence[Source], selection: Selection) -> None:
        self._sources = sources
        self.selection = selection

    @property
    def open_reader(self) -> Callable[[], Reader] | None:
        return next((source.open_reader for source in self._sources if source.open_reader), None)

    @property
    def exhausted(self) -> bool:
        return all(source.exhausted for source in self._sources)

    def start(self, positions: Mapping[str, Offset]) -> None:
        for source in self._sources:
            source.start(positions)

    def poll(self) -> Sequence[Message]:
        source = next((source for source in self._sources if not source.exhausted), None)
        return source.poll() if source else []

    def messages(self) -> Iterator[Message]:
        """Yields all messages, read."""
        polled = (self.poll() for _ in iter(lambda: self.exhausted, True))
        for messages in read_ahead(polled, self.open_reader) if self.open_reader else polled:
            yield from messages

    def keep_alive(self) -> None:
        """Files and objects need no lease."""

    def commit(self, positions: Iterable[Position]) -> None:
        """A replay saves no positions."""

    def check(self) -> str:
        return "; ".join(source.check() for source in self._sources)

    def close(self) -> None:
        for source in self._sources:
            source.close()


class StreamedInputs(Inputs):
    """The same as one ordered shard, in which each line of a file of lines comes by itself."""

    ordered = True

    def poll(self) -> Sequence[Message]:
        return [one for message in super().poll() for one in _lines_of(message)]


def delivery_order(files: Iterable[ListedFile]) -> list[ListedFile]:
    """Returns files in the order in which CloudTrail delivered them; first those whose names do not tell."""

    def when(file: ListedFile) -> tuple[datetime, str]:
        key = parse_key(file.path)
        return (key.delivered if key else datetime.min.replace(tzinfo=UTC)), file.path

    return sorted(files, key=when)


def _lines_of(message: Message) -> Iterator[Message]:
    """The message with the position of the one shard; lines one by one."""
    message = replace(message, position=Position("archive", message.position.offset))
    if not message.lines or message.problem:
        yield message
        return
    for number, line in enumerate(message.payload.rstrip(b"\n").split(b"\n"), message.lines):
        yield replace(message, payload=line, lines=number)
