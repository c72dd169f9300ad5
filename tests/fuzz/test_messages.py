"""Whatever arrives between them, no clean message is lost, nothing crashes and nothing hangs.

`make fuzz-messages` runs the services for a quarter of an hour; by default each gets one batch of messages.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import pytest

from tests.engine.plain import message, processor
from tests.fuzz.messages import Sent, clean_record, damaged, mixture
from tests.servers.kafka import Kafka
from tests.servers.moto import Moto, s3_notification
from tests.servers.patience import until
from tests.sources.kafka.topic import CLIENTS, alert_ids, new_topic
from tests.sources.service import Service
from tests.sources.trail_buckets import key
from trailsieve.engine.processor import BatchResult, joined
from trailsieve.model import Message, Position
from trailsieve.rules.load import load_pack

SECONDS = float(os.environ.get("MUTATION_SECONDS", "0"))
BATCH = 300
PROCESSOR = processor(load_pack("cis-aws").rules)
Send = Callable[[Sequence[Sent]], None]


def alerts_of(result: BatchResult) -> set[str]:
    return {alert.id for alert in result.alerts}


def wanted_of(sent: Sequence[Sent]) -> set[str]:
    return alert_ids([one.record for one in sent if one.record])


@pytest.mark.parametrize("seed", range(5))
def test_a_poll_of_mutated_messages(seed: int) -> None:
    sent = mixture(BATCH, 0, Random(seed))
    polled = [Message(one.payload, Position("t", n), f"t@{n}") for n, one in enumerate(sent)]
    result = joined([found for _, found in PROCESSOR.process_poll(polled)])
    assert alerts_of(result) == wanted_of(sent)
    assert result.messages == BATCH
    assert result.lost <= BATCH * 4 // 5


@pytest.mark.parametrize("seed", range(5))
def test_mutated_objects(seed: int) -> None:
    random = Random(seed)
    for number in range(BATCH):
        log = gzip.compress(b'{"Records":[' + b",".join([clean_record(number)] * 3) + b"]}")
        result = PROCESSOR.process(message(damaged(log, random)))
        assert result.records or result.problems


@dataclass
class Campaign:
    """A service that gets batch after batch, each only when all alerts of the one before have come."""

    service: Service
    sent: int = 0
    wanted: set[str] = field(default_factory=set)
    alerts: set[str] = field(default_factory=set)
    read: int = 0

    def run(self, name: str, send: Send) -> None:
        random, began = Random(name), time.monotonic()
        self.service.started()
        while not self.sent or time.monotonic() - began < SECONDS:
            batch = mixture(BATCH, self.sent, random)
            self.wanted |= wanted_of(batch)
            send(batch)
            self.sent += BATCH
            until(self._is_complete, f"the alerts of {self.sent:,} messages came")
        assert self.service.stop() == 0, self.service.said[-2000:]
        assert self.alerts == self.wanted
        assert "Traceback" not in self.service.said
        letters = (self.service.folder / "dead.jsonl").read_bytes().count(b"\n")
        print(f"{name}: {self.sent:,} messages, {len(self.wanted):,} alerts, {letters:,} letters, lost 0")

    def _is_complete(self) -> bool:
        assert self.service.running, self.service.said[-2000:]
        path = self.service.folder / "alerts.jsonl"
        if path.exists():
            with path.open("rb") as file:
                file.seek(self.read)
                lines = file.read().rpartition(b"\n")[0]
            self.read += len(lines) + bool(lines)
            self.alerts |= {json.loads(line)["id"] for line in lines.splitlines()}
        return self.wanted <= self.alerts


@pytest.fixture
def service_of(tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    made: list[Service] = []

    def make(config: str) -> Service:
        made.append(Service(tmp_path, config, {}))
        return made[-1]

    yield make
    for service in made:
        if service.running:
            service.kill()


@pytest.mark.parametrize("client", CLIENTS)
def test_mutated_messages_through_kafka(
    client: str, kafka: Kafka, service_of: Callable[[str], Service]
) -> None:
    topic = new_topic(kafka, client)
    Campaign(service_of(topic.config())).run(
        f"kafka, {client}", lambda sent: topic.produce([one.payload for one in sent])
    )


def test_mutated_messages_through_sqs(moto: Moto, service_of: Callable[[str], Service]) -> None:
    """Every third message names an object."""
    bucket, queue, random = moto.bucket(), moto.queue(), Random(1)
    names = count()

    def send(sent: Sequence[Sent]) -> None:
        for number, one in enumerate(sent):
            if number % 3:
                queue.send(one.as_text())
            else:
                name = f"{next(names)}.json"
                bucket.put(name, one.as_object(random))
                queue.send(s3_notification(bucket.name, name))

    config = f'[source]\nkind = "sqs"\nqueue_url = "{queue.url}"\nendpoint_url = "{moto.url}"\n'
    config += f'buckets = ["{bucket.name}"]\nkey_layout = "any"\n'
    Campaign(service_of(config)).run("sqs", send)


def test_mutated_objects_through_s3(moto: Moto, service_of: Callable[[str], Service]) -> None:
    bucket, random = moto.bucket(), Random(2)
    names = count()

    def send(sent: Sequence[Sent]) -> None:
        for one in sent:
            number = next(names)
            minute = number // 10
            time = f"202603{1 + minute // 1440:02}T{minute // 60 % 24:02}{minute % 60:02}"
            bucket.put(key(time, number), one.as_object(random))

    config = (
        f'[source]\nkind = "s3"\nurl = "{bucket.url}"\nendpoint_url = "{moto.url}"\n'
        'region = "us-east-1"\npoll_interval = 1\n'
    )
    Campaign(service_of(config)).run("s3", send)
