"""The sources of campaigns: each is filled behind a relay that the service reads through."""

from __future__ import annotations

import gzip
import json
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from tests.servers import kinesis as kinesis_server
from tests.servers import shared
from tests.servers.moto import Moto
from tests.servers.tcp_relay import TcpRelay
from tests.sources.kafka.topic import new_topic
from tests.sources.trail_buckets import key

REGIONS = ("us-east-1", "eu-west-1")


class Shards(Protocol):
    """What is filled, and how a service reads it.

    Attributes:
        relay: the network between service and server; None where there is none.
        config: the table `[source]`.
        environment: of the service.
    """

    relay: TcpRelay | None
    config: str
    environment: Mapping[str, str]

    def put(self, records: Sequence[bytes], at: float) -> None:
        """Adds records that were delivered at a time, spread over the shards."""

    def put_everywhere(self, record: bytes, at: float) -> None:
        """Adds a record to each shard."""

    def close(self) -> None:
        """Releases what is open."""


class KafkaShards:
    """A topic of two partitions."""

    def __init__(self, client: str, folder: Path) -> None:
        cluster = shared.kafka()
        self.relay: TcpRelay | None = cluster.relay()
        self.environment: Mapping[str, str] = {}
        self._topic = new_topic(cluster, client, partitions=2)
        self._chance = random.Random(1)
        self.config = self._topic.config(
            bootstrap_servers=[f"127.0.0.1:{self.relay.port}"],
            group_instance_id=folder.name,
            max_poll_records=50,
        )

    def put(self, records: Sequence[bytes], at: float) -> None:
        parts: tuple[list[bytes], list[bytes]] = ([], [])
        for record in records:
            self._chance.choice(parts).append(record)
        for number, part in enumerate(parts):
            self._topic.produce(part, number)

    def put_everywhere(self, record: bytes, at: float) -> None:
        for number in (0, 1):
            self._topic.produce([record], number)

    def close(self) -> None:
        assert self.relay
        self.relay.close()


class KinesisShards:
    """A stream of two shards."""

    def __init__(self, folder: Path) -> None:
        server = shared.kinesis()
        self.relay: TcpRelay | None = TcpRelay(urlsplit(server.url).port or 0)
        self.environment: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        self._stream = kinesis_server.create(server, f"campaign-{uuid.uuid4().hex[:8]}", shards=2)
        self.config = (
            f'[source]\nkind = "kinesis"\nstream = "{self._stream.name}"\nregion = "us-east-1"\n'
            f'endpoint_url = "{self.relay.url}"\n'
        )

    def put(self, records: Sequence[bytes], at: float) -> None:
        self._stream.put(list(records))

    def put_everywhere(self, record: bytes, at: float) -> None:
        self._stream.put([record] * 64)  # by 64 keys

    def close(self) -> None:
        assert self.relay
        self.relay.close()
        self._stream.client.delete_stream(StreamName=self._stream.name)


class ObjectShards:
    """A trail in two regions of a bucket: its objects are listed, or their names come by a queue."""

    def __init__(self, kind: str, folder: Path) -> None:
        moto: Moto = shared.get("moto")
        self.relay: TcpRelay | None = TcpRelay(urlsplit(moto.url).port or 0)
        self.environment: Mapping[str, str] = {}
        self._bucket = moto.bucket()
        self._queue = moto.queue() if kind == "sqs" else None
        self._count = 0
        settings = (
            f'queue_url = "{self._queue.url}"\nbuckets = ["{self._bucket.name}"]\nvisibility_timeout = 5\n'
            if self._queue
            else f'url = "{self._bucket.url}"\npoll_interval = 0.2\nlook_back = 86400\n'
        )
        self.config = (
            f'[source]\nkind = "{kind}"\nendpoint_url = "{self.relay.url}"\nregion = "us-east-1"\n{settings}'
        )

    def put(self, records: Sequence[bytes], at: float) -> None:
        for number, region in enumerate(REGIONS):
            if part := records[number :: len(REGIONS)]:
                self._put(part, at, region)

    def put_everywhere(self, record: bytes, at: float) -> None:
        for region in REGIONS:
            self._put([record], at, region)

    def _put(self, records: Sequence[bytes], at: float, region: str) -> None:
        self._count += 1
        name = key(f"{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%M}", self._count, region=region)
        self._bucket.put(name, gzip.compress(b'{"Records":[' + b",".join(records) + b"]}"))
        if self._queue:
            self._queue.tell(self._bucket, [name])

    def close(self) -> None:
        assert self.relay
        self.relay.close()


class FileShards:
    """A folder of two growing files."""

    relay: TcpRelay | None = None
    environment: Mapping[str, str] = {}

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "log"
        self._folder.mkdir()
        self._chance = random.Random(1)
        self.config = f'[source]\nkind = "follow"\npaths = ["{self._folder}"]\n'

    def put(self, records: Sequence[bytes], at: float) -> None:
        for record in records:
            self._append(self._chance.choice("ab"), record)

    def put_everywhere(self, record: bytes, at: float) -> None:
        for name in "ab":
            self._append(name, record)

    def _append(self, name: str, record: bytes) -> None:
        with (self._folder / f"{name}.jsonl").open("ab") as file:
            file.write(record + b"\n")

    def close(self) -> None:
        """Nothing to release."""


OPENED: dict[str, Callable[[Path], Shards]] = {
    "kafka, confluent": lambda folder: KafkaShards("confluent", folder),
    "kafka, kafka-python": lambda folder: KafkaShards("kafka-python", folder),
    "kinesis": KinesisShards,
    "sqs": lambda folder: ObjectShards("sqs", folder),
    "s3": lambda folder: ObjectShards("s3", folder),
    "follow": FileShards,
}
NEEDS = {
    "kafka, confluent": "kafka",
    "kafka, kafka-python": "kafka",
    "kinesis": "kinesis",
    "sqs": "moto",
    "s3": "moto",
}


def encoded(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record).encode()
