"""Sources that wait for more without end, made to end for the contract."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.servers import kinesis as kinesis_server
from tests.servers import shared
from trailsieve.model import Message, Position
from trailsieve.ports import RunContext, Source
from trailsieve.sources.follow import source as follow_source
from trailsieve.sources.kinesis.source import Config, KinesisSource
from trailsieve.sources.stdin import StdinSource

_QUIET = 3  # empty polls in a row after which nothing will come


class Ending:
    """A source that is exhausted once it was quiet; markers, which hold no message, are left out."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._quiet = 0
        self.whole_objects = source.whole_objects
        self.open_reader = source.open_reader
        self.selection = source.selection
        self.ordered = source.ordered
        self.start = source.start
        self.keep_alive = source.keep_alive
        self.check = source.check
        self.close = source.close

    @property
    def exhausted(self) -> bool:
        return self._quiet >= _QUIET

    def poll(self) -> Sequence[Message]:
        messages = [message for message in self._source.poll() if not message.marker]
        self._quiet = 0 if messages else self._quiet + 1
        return messages

    def commit(self, positions: Iterable[Position]) -> None:
        self._source.commit(positions)


class Clock:
    """Time that passes only while somebody waits."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def kinesis(folder: Path, payloads: Sequence[bytes]) -> Source:
    """A stream of one shard, by the folder's name."""
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    server = shared.kinesis()
    if folder.name not in server.client().list_streams(Limit=1000)["StreamNames"]:
        stream = kinesis_server.create(server, folder.name)
        for payload in payloads:
            stream.put([payload])
    clock = Clock()
    config = Config(stream=folder.name, endpoint_url=server.url, region=server.region)
    return Ending(KinesisSource(config, RunContext(), clock, clock.sleep))


def follow(folder: Path, payloads: Sequence[bytes]) -> Source:
    """A growing file of lines."""
    clock = Clock()
    config = follow_source.Config(paths=[str(_lines(folder, payloads))])
    return Ending(follow_source.FollowSource(config, RunContext(), clock, clock.sleep))


def stdin(folder: Path, payloads: Sequence[bytes]) -> Source:
    """What would come through a pipe."""
    return StdinSource(os.open(_lines(folder, payloads), os.O_RDONLY), RunContext(max_object_size=2**20))


def _lines(folder: Path, payloads: Sequence[bytes]) -> Path:
    path = folder / "lines.jsonl"
    if not path.exists():
        path.write_bytes(b"".join(payload + b"\n" for payload in payloads))
    return path
