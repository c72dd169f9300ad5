"""`trailsieve run` over a real Kafka: whatever dies, moves or refuses, exactly the expected alerts at the end."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.servers.kafka import Kafka
from tests.servers.patience import until
from tests.sources.kafka.topic import CLIENTS, Topic, alert_ids, cloudtrail, new_topic
from tests.sources.kill_report import add_row
from tests.sources.service import KILLS, Service
from trailsieve.engine.checkpoint import MemoryCheckpoint
from trailsieve.engine.decode import Decoder
from trailsieve.engine.delivery import Delivery
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.pipeline import Pipeline, per_batch
from trailsieve.engine.processor import Processor
from trailsieve.engine.sink_worker import SinkWorker
from trailsieve.errors import DeliveryError
from trailsieve.model import Alert
from trailsieve.rules.load import load_pack
from trailsieve.sinks.memory import MemorySink

RECORDS = 2000
every_client = pytest.mark.parametrize("client", CLIENTS)
SLOWLY = {"max_poll_records": 20}  # so that something is always in hand


@pytest.fixture
def services() -> Iterator[list[Service]]:
    """Those of a test; none is left behind."""
    made: list[Service] = []
    yield made
    for service in made:
        if service.running:
            service.kill()


def service_of(services: list[Service], topic: Topic, folder: Path, **other: object) -> Service:
    folder.mkdir(exist_ok=True)
    services.append(Service(folder, topic.config(group_instance_id=folder.name, **SLOWLY, **other), {}))
    return services[-1]


def wait_for(wanted: set[str], services: Sequence[Service]) -> None:
    """Until the alerts are there, and only they."""

    def arrived() -> bool:
        assert [each.said for each in services if each.failed] == []
        return wanted <= {i for each in services for i in each.alerts}

    until(arrived, f"all {len(wanted)} alerts arrived")
    assert {i for each in services for i in each.alerts} == wanted


@every_client
def test_killed_at_any_moment_nothing_is_lost(
    client: str, kafka: Kafka, services: list[Service], tmp_path: Path
) -> None:
    topic = new_topic(kafka, client, partitions=2)
    records = cloudtrail(RECORDS)
    service = service_of(services, topic, tmp_path / "one")
    chance = random.Random(5)
    share = len(records) // KILLS
    for number in range(KILLS):
        topic.produce(records[number * share : (number + 1) * share], number % 2)
        service.killed_at_random(chance)
    topic.produce(records[KILLS * share :])
    service.started()
    wait_for(alert_ids(records), [service])
    assert service.stop() == 0
    add_row(f"kafka, {client}", KILLS, len(records), alert_ids(records), service.alerts)
    assert sum(topic.committed().values()) == len(records)
    assert service.dead_letters == []


@every_client
def test_a_broker_that_stops_and_starts_is_waited_for(
    client: str, kafka: Kafka, services: list[Service], tmp_path: Path
) -> None:
    topic = new_topic(kafka, client)
    records = cloudtrail(RECORDS)
    topic.produce(records[: RECORDS // 2])
    service = service_of(services, topic, tmp_path / "one")
    service.started()
    until(lambda: bool(service.alerts), "it was at work")
    kafka.stop(0)
    try:
        until(lambda: "retrying" in service.said, "it noticed")
    finally:
        kafka.restart(0)
    topic.produce(records[RECORDS // 2 :])
    wait_for(alert_ids(records), [service])
    assert service.stop() == 0
    assert len(service.alerts) == len(set(service.alerts))


@every_client
def test_a_leader_that_is_killed_and_one_that_stops_lose_nothing(
    client: str, three_kafkas: Kafka, services: list[Service], tmp_path: Path
) -> None:
    topic = new_topic(three_kafkas, client, partitions=2, copies=3)
    records = cloudtrail(RECORDS)
    service = service_of(services, topic, tmp_path / "one")
    service.started()
    for part, end in (
        (records[: RECORDS // 2], three_kafkas.kill),
        (records[RECORDS // 2 :], three_kafkas.stop),
    ):
        before = len(service.alerts)
        topic.produce(part[:500])
        until(partial(lambda before: len(service.alerts) > before, before), "it was at work")
        leader = three_kafkas.leader(topic.name)
        end(leader)
        try:
            until(
                partial(lambda old: three_kafkas.leader(topic.name) not in (old, -1), leader),
                "another leads",
            )
            topic.produce(part[500:])
            until(partial(lambda ids: ids <= set(service.alerts), alert_ids(part)), "all alerts arrived")
        finally:
            three_kafkas.restart(leader)
    wait_for(alert_ids(records), [service])
    assert service.stop() == 0


@every_client
def test_members_that_join_leave_and_die_in_mid_epoch_lose_nothing(
    client: str, kafka: Kafka, services: list[Service], tmp_path: Path
) -> None:
    topic = new_topic(kafka, client, partitions=4)
    records = cloudtrail(2 * RECORDS)
    parts = [records[number::8] for number in range(8)]

    def produce(number: int) -> None:
        for partition in range(4):
            topic.produce(parts[number][partition::4], partition)

    one, two, three = (service_of(services, topic, tmp_path / name) for name in ("one", "two", "three"))
    one.started()
    for number in range(4):
        produce(number)
    two.started()
    until(lambda: topic.members() == 2, "two had a share")
    produce(4)
    three.started()
    until(lambda: topic.members() == 3, "three had a share")
    produce(5)
    assert two.stop() == 0
    one.kill()  # its partitions go to the others when its session has ended
    produce(6)
    two.started()
    produce(7)
    wait_for(alert_ids(records), [one, two, three])
    assert two.stop() == 0
    assert three.stop() == 0
    assert sum(topic.committed().values()) == len(records)


@every_client
def test_poison_goes_to_the_dead_letters_and_the_rest_is_worked_on(
    client: str, kafka: Kafka, services: list[Service], tmp_path: Path
) -> None:
    topic = new_topic(kafka, client)
    records = cloudtrail(200)
    poison = [
        b"",
        b"\x00\xff",
        b'{"eventVersion":',
        b"\x1f\x8b\x08broken",
        b'{"eventVersion":"1"' + b"[" * 5000 + b"}",
    ]
    for number, payload in enumerate(poison):
        topic.produce([*records[40 * number : 40 * number + 40], payload])
    service = service_of(services, topic, tmp_path / "one")
    service.started()
    wait_for(alert_ids(records), [service])
    until(lambda: topic.committed() == {0: len(records) + len(poison)}, "all was committed")
    assert service.stop() == 0
    assert [letter["object"] for letter in service.dead_letters] == [
        f"{topic.name}/0@{41 * number + 40}" for number in range(len(poison))
    ]


class RefusingSink(MemorySink):
    """Takes nothing until it was asked `times` times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def deliver(self, alerts: Sequence[Alert]) -> None:
        if self.times:
            self.times -= 1
            raise DeliveryError("503", frozenset(alert.id for alert in alerts), retry_after=1.0)
        super().deliver(alerts)


@every_client
def test_a_sink_that_refuses_for_longer_than_a_session_costs_neither_membership_nor_records(
    client: str, kafka: Kafka
) -> None:
    topic = new_topic(kafka, client)
    records = cloudtrail(300)
    topic.produce(records)
    wanted = alert_ids(records)
    source = topic.source(session_timeout=2.0, max_poll_records=100)
    sink = RefusingSink(6)
    pipeline = Pipeline(
        source=source,
        process=per_batch(Processor(Decoder(), Matcher(load_pack("cis-aws").rules))),
        delivery=Delivery([SinkWorker(sink)], source.keep_alive),
        on_problem=[],
        checkpoint=MemoryCheckpoint(),
        stopping=lambda: len(sink.alerts) >= len(wanted),
    )
    stats = pipeline.run()
    topic.close()
    assert {alert.id for alert in sink.alerts} == wanted
    assert stats.duplicates == len(sink.alerts) - len(wanted) == 0
