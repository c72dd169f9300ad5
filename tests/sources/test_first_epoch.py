"""Where reading starts is saved before the first delivery: a kill while the receiver refuses loses nothing."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import denied
from tests.ledger import compare, settle
from tests.servers import kinesis as kinesis_server
from tests.servers import shared
from tests.servers.http_receivers import Webhook
from tests.servers.patience import until
from tests.servers.receiver import Reply, Request
from tests.sources.kafka.topic import alert_ids, new_topic
from tests.sources.service import Service

BATCH = 40
AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
Write = Callable[[list[bytes]], object]


class Refusing(Webhook):
    """A receiver that answers 503 until it is repaired."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses = True

    def answer(self, request: Request) -> Reply:
        return Reply(503) if self.refuses else super().answer(request)

    @property
    def asked(self) -> set[str]:
        """The ids of the alerts that were sent, accepted or not."""
        return {request.headers["webhook-id"] for request in self.requests if "webhook-id" in request.headers}


@dataclass
class Case:
    """A source that starts at its end or in a file, and what happens to it while the service is down."""

    config: str
    write: Write
    meanwhile: Callable[[], object] = lambda: None
    environment: dict[str, str] = field(default_factory=dict)


def follow(folder: Path) -> Case:
    log = folder / "trail.jsonl"
    log.touch()

    def write(records: list[bytes]) -> None:
        with log.open("ab") as file:
            file.write(b"".join(record + b"\n" for record in records))

    def rotate() -> None:
        log.rename(folder / "trail.jsonl.1")
        log.touch()

    return Case(f'kind = "follow"\npaths = ["{log}"]', write, rotate)


def kinesis(folder: Path) -> Case:
    server = shared.kinesis()
    stream = kinesis_server.create(server, f"first-{uuid.uuid4().hex[:8]}")
    settings = f'kind = "kinesis"\nstream = "{stream.name}"\nregion = "us-east-1"\nstart = "latest"'
    return Case(f'{settings}\nendpoint_url = "{server.url}"', stream.put, environment=AWS)


def kafka(client: str) -> Callable[[Path], Case]:
    def case(folder: Path) -> Case:
        topic = new_topic(shared.kafka(), client)
        config = topic.config(start="latest", group_instance_id="one").removeprefix("[source]\n")
        return Case(config, topic.produce, topic.forget_group)

    return case


CASES: dict[str, Callable[[Path], Case]] = {
    "follow": follow,
    "kinesis": kinesis,
    "kafka, confluent": kafka("confluent"),
    "kafka, kafka-python": kafka("kafka-python"),
}
NEEDS = {"kinesis": "kinesis", "kafka, confluent": "kafka", "kafka, kafka-python": "kafka"}


@pytest.fixture
def receiver() -> Iterator[Refusing]:
    made = Refusing()
    yield made
    made.close()


def records(first: int) -> list[bytes]:
    """Records that each raise an alert."""
    fields: dict[str, Any] = {"eventVersion": "1.08"}
    return [
        json.dumps(denied(number, eventID=f"event-{number}", **fields)).encode()
        for number in range(first, first + BATCH)
    ]


@pytest.mark.parametrize("name", shared.parameters(CASES.keys(), NEEDS))
def test_campaign_a_kill_before_the_first_delivery(name: str, receiver: Refusing, tmp_path: Path) -> None:
    case = CASES[name](tmp_path)
    sink = f'[[sink]]\nkind = "webhook"\nurl = "{receiver.url}{receiver.path}"\n'
    service = Service(tmp_path, f"[source]\n{case.config}\n{sink}", case.environment)
    service.started()
    written = 0

    def reached() -> bool:
        nonlocal written
        case.write(records(written))
        written += BATCH
        return bool(receiver.asked)

    until(reached, "alerts reached the receiver")
    service.kill()
    expected = receiver.asked  # what came before the service first looked is not its concern
    case.meanwhile()
    later = records(written)
    case.write(later)
    receiver.refuses = False
    service.started()
    expected |= alert_ids(later)
    until(lambda: expected <= set(receiver.accepted), "all alerts arrived")
    assert service.stop() == 0
    settle(compare(name, "kill -9 before the first delivery", expected, raised(receiver, expected)))


def raised(receiver: Refusing, expected: set[str]) -> list[dict[str, str]]:
    """The accepted alerts, less those of records from before the first look."""
    return [{"id": identity} for identity in dict.fromkeys(receiver.accepted) if identity in expected]
