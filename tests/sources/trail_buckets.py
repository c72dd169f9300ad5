"""Small trails for tests of buckets and queues."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any

from tests.servers.moto import Bucket, Moto
from tests.sources.reading import read
from trailsieve.model import Message, Offset
from trailsieve.ports import RunContext, Source
from trailsieve.sources.s3.source import Config, S3Source, open_source

ACCOUNT, REGION = "111122223333", "us-east-1"
BODY = gzip.compress(json.dumps({"Records": [{"eventVersion": "1.08", "eventName": "ListUsers"}]}).encode())


def key(
    time: str, number: int = 0, account: str = ACCOUNT, region: str = REGION, top: str = "AWSLogs/"
) -> str:
    """A key of CloudTrail; `time` is `20260314T0230`."""
    day = f"{time[:4]}/{time[4:6]}/{time[6:8]}"
    return (
        f"{top}{account}/CloudTrail/{region}/{day}/{account}_CloudTrail_{region}_{time}Z_{number:016}.json.gz"
    )


def minutes(*numbers: int, **more: str) -> list[str]:
    """Keys of these minutes after two in the morning of one day."""
    return [key(f"20260314T02{number:02}", number, **more) for number in numbers]


def trail(keys: Iterable[str]) -> dict[str, bytes]:
    """One quiet record under every key."""
    return dict.fromkeys(keys, BODY)


def open_bucket(
    moto: Moto, bucket: Bucket, prefix: str = "", context: RunContext | None = None, **more: Any
) -> S3Source:
    """A bucket as a source that reads it once."""
    settings: dict[str, Any] = {"poll_interval": 0, "region": "us-east-1", "endpoint_url": moto.url, **more}
    return open_source(Config(url=f"{bucket.url}/{prefix}", **settings), context or RunContext())


def rest(source: Source, positions: dict[str, Offset] | None = None, polls: int = 2000) -> list[Message]:
    """All that a source still has, committed as the engine does."""
    messages: list[Message] = []
    for _ in range(polls):
        if source.exhausted:
            return messages
        new = source.poll()
        messages += read(source, [message for message in new if not message.marker])
        source.commit([message.position for message in new])
        if positions is not None:
            positions.update((message.position.shard, message.position.offset) for message in new)
    raise AssertionError(f"not exhausted after {polls} polls")


def keys_of(messages: Iterable[Message], bucket: Bucket) -> list[str]:
    """The keys of the objects that were read."""
    return [message.name.removeprefix(f"{bucket.url}/") for message in messages]


def first(source: Source, polls: int = 1000) -> Sequence[Message]:
    """What a source that never ends yields next."""
    for _ in range(polls):
        polled = source.poll()
        source.commit([message.position for message in polled])
        if messages := read(source, [message for message in polled if not message.marker]):
            return messages
    raise AssertionError(f"nothing came in {polls} polls")
