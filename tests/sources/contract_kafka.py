"""Kafka sources for the contract: a topic of one partition by the folder's name, and a group of its own each time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.servers import shared
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import RunContext, Source
from trailsieve.sources.kafka.config import Config
from trailsieve.sources.kafka.source import open_source

_made: set[str] = set()


class Ending:
    """A source that is exhausted once all that was produced has come."""

    def __init__(self, source: Source, count: int) -> None:
        self._source = source
        self._left = count
        self.whole_objects = source.whole_objects
        self.open_reader = source.open_reader
        self.selection = source.selection
        self.ordered = source.ordered
        self.keep_alive = source.keep_alive
        self.check = source.check
        self.close = source.close

    def start(self, positions: Mapping[str, Offset]) -> None:
        self._left -= sum(
            offset for shard, offset in positions.items() if isinstance(offset, int) and "/0" in shard
        )
        self._source.start(positions)

    @property
    def exhausted(self) -> bool:
        return self._left <= 0

    def poll(self) -> Sequence[Message]:
        if self.exhausted:
            return ()
        messages = self._source.poll()
        self._left -= len(messages)
        return messages

    def commit(self, positions: Iterable[Position]) -> None:
        self._source.commit(positions)


def kafka(client: str) -> Callable[[Path, Sequence[bytes]], Source]:
    """Opens sources that read with one of the clients."""

    def opened(folder: Path, payloads: Sequence[bytes]) -> Source:
        cluster = shared.kafka()
        topic = f"{folder.name}-{client}"
        if topic not in _made:
            _made.add(topic)
            cluster.create_topic(topic)
            cluster.produce(topic, payloads)
        settings = {"bootstrap_servers": cluster.servers, "topics": [topic], "max_poll_records": 2}
        config = Config(**settings, client=client, group=uuid.uuid4().hex)  # type: ignore[arg-type]
        return Ending(open_source(config, RunContext()), len(payloads))

    return opened
