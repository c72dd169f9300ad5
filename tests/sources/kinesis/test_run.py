"""`trailsieve run` over Kinesis: killed at any moment, over all envelopes, exactly the expected alerts."""

from __future__ import annotations

import gzip
import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import denied
from tests.servers.kinesis import Kinesis, Stream, create
from tests.servers.patience import stretched, until
from tests.sources.kafka.topic import alert_ids
from tests.sources.kill_report import add_row
from tests.sources.service import DEADLINE, KILLS, Service
from tests.trail.aggregate import aggregated

PER_KILL = 330  # records
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture
def stream(kinesis: Kinesis) -> Iterator[Stream]:
    made = create(kinesis, f"run-{uuid.uuid4().hex[:8]}", shards=2)
    yield made
    made.client.delete_stream(StreamName=made.name)


@pytest.fixture
def service(stream: Stream, tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path, source(stream), ENVIRONMENT)
    yield made
    if made.running:
        made.kill()


def source(stream: Stream) -> str:
    return f"""[source]
kind = "kinesis"
stream = "{stream.name}"
region = "us-east-1"
endpoint_url = "{stream.client.meta.endpoint_url}"
"""


def record(number: int) -> dict[str, Any]:
    """Every tenth is a hit."""
    fields: dict[str, Any] = {"eventVersion": "1.08", "eventID": f"event-{number}"}
    return denied(number, **fields) if number % 10 == 0 else denied(number, errorCode=None, **fields)


def payload(chance: random.Random, numbers: list[int]) -> bytes:
    """Some records as they may come: packed, subscribed, in lines."""
    texts = [json.dumps(record(number)).encode() for number in numbers]
    events = [{"id": "1", "timestamp": 1, "message": text.decode()} for text in texts]
    subscribed = {"messageType": "DATA_MESSAGE", "logGroup": "g", "logEvents": events}
    return chance.choice(
        [aggregated(texts), gzip.compress(json.dumps(subscribed).encode()), b"\n".join(texts)]
    )


def hits(numbers: int) -> int:
    return len(range(0, numbers, 10))


def drained(service: Service) -> None:
    """Runs the service until the stream has nothing more for it."""
    service.start("--until-idle")
    assert service.process
    assert service.process.wait(stretched(DEADLINE)) == 0


def test_kills_splits_and_merges_lose_nothing(stream: Stream, service: Service) -> None:
    chance = random.Random(7)
    per_part = PER_KILL
    for part in range(KILLS):
        numbers = list(range(part * per_part, (part + 1) * per_part))
        stream.put([payload(chance, numbers[start : start + 7]) for start in range(0, per_part, 7)])
        stream.put([gzip.compress(b'{"messageType":"CONTROL_MESSAGE","logEvents":[]}')])
        service.start()
        before, wanted = len(service.alerts), chance.randrange(per_part // 10)
        until(lambda: len(service.alerts) >= before + wanted, "some alerts came")  # noqa: B023
        service.kill()
        (stream.split, stream.merge)[part % 2]()
    drained(service)  # what was delivered shortly before the last kill is delivered again
    expected = hits(per_part * KILLS)
    records = [json.dumps(record(number)).encode() for number in range(per_part * KILLS)]
    add_row("kinesis", KILLS, len(records), alert_ids(records), service.alerts)
    assert len(set(service.alerts)) == expected
    assert not service.dead_letters
    assert "control messages" in service.said
    done = len(service.alerts)
    drained(service)
    assert len(service.alerts) == done
