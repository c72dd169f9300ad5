"""A checkpoint that was made for another source is refused, with what differs and what to do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import denied, trailsieve
from tests.ledger import compare, settle
from tests.servers import kinesis as kinesis_server
from tests.servers import shared
from tests.servers.kafka import Kafka
from tests.servers.moto import Moto
from tests.servers.patience import until
from tests.sources.kafka.topic import CLIENTS, alert_ids, new_topic
from tests.sources.service import Service
from tests.sources.trail_buckets import minutes, open_bucket, trail
from trailsieve.engine.checkpoint import Epoch, SqliteCheckpoint
from trailsieve.errors import OtherSourceError
from trailsieve.model import Offset, Position
from trailsieve.sources.identity import verified

AWS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def records(numbers: range) -> list[bytes]:
    """Records that each raise an alert."""
    fields: dict[str, Any] = {"eventVersion": "1.08"}
    return [json.dumps(denied(number, eventID=f"event-{number}", **fields)).encode() for number in numbers]


@dataclass
class Case:
    """A source that can be made anew under its name; `differs` is in the refusal."""

    config: str
    write: Callable[[list[bytes]], object]
    make_anew: Callable[[], object]
    differs: str
    environment: dict[str, str] = field(default_factory=dict)


def kinesis() -> Case:
    server = shared.kinesis()
    stream = kinesis_server.create(server, f"anew-{uuid.uuid4().hex[:8]}")

    def make_anew() -> None:
        stream.client.delete_stream(StreamName=stream.name)
        until(lambda: stream.name not in stream.client.list_streams(Limit=1000)["StreamNames"], "it was gone")
        kinesis_server.create(server, stream.name)

    settings = f'kind = "kinesis"\nstream = "{stream.name}"\nregion = "us-east-1"'
    return Case(f'{settings}\nendpoint_url = "{server.url}"', stream.put, make_anew, "created was 20", AWS)


def kafka(client: str) -> Callable[[], Case]:
    def case() -> Case:
        topic = new_topic(shared.kafka(), client)
        config = topic.config(group_instance_id="one").removeprefix("[source]\n")
        return Case(config, topic.produce, topic.make_anew, f"topic {topic.name} was ")

    return case


CASES: dict[str, Callable[[], Case]] = {
    "kinesis": kinesis,
    "kafka, confluent": kafka("confluent"),
    "kafka, kafka-python": kafka("kafka-python"),
}
NEEDS = {"kinesis": "kinesis", "kafka, confluent": "kafka", "kafka, kafka-python": "kafka"}


@pytest.mark.parametrize("name", shared.parameters(CASES.keys(), NEEDS))
def test_campaign_a_source_that_is_made_anew(name: str, tmp_path: Path) -> None:
    """More records than before, so that the old position is one in the middle of the new topic or stream."""
    case = CASES[name]()
    service = Service(tmp_path, f"[source]\n{case.config}\n", case.environment)
    old, new = records(range(20)), records(range(100, 140))
    case.write(old)
    service.started()
    until(lambda: alert_ids(old) <= set(service.alerts), "the first alerts arrived")
    assert service.stop() == 0
    case.make_anew()
    case.write(new)
    assert ended(service) == 3
    assert f"belongs to another source: {case.differs}" in service.said
    command = f"trailsieve config accept-source {service.folder}/service.toml"
    assert command in service.said
    assert set(service.alerts) == alert_ids(old)
    assert trailsieve(*command.split()[1:]).code == 0
    service.started()
    until(lambda: alert_ids(new) <= set(service.alerts), "the alerts of the new source arrived")
    assert service.stop() == 0
    settle(compare(name, "made anew while stopped", alert_ids(old + new), as_alerts(service)))


def ended(service: Service) -> int:
    """The exit code of a service that ends by itself."""
    service.start()
    assert service.process
    return service.process.wait(120)


def as_alerts(service: Service) -> list[dict[str, str]]:
    return [{"id": identity} for identity in service.alerts]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_kafka_checkpoint_says_which_cluster_and_topic_it_is_of(client: str, kafka: Kafka) -> None:
    topic = new_topic(kafka, client)
    topic.produce(records(range(5)))
    source = topic.source()
    source.start({})
    positions = polled(source, lambda found: f"{topic.name}/0" in found)
    assert set(positions) == {
        "source:kind",
        "source:cluster",
        f"source:topic {topic.name}",
        f"{topic.name}/0",
    }
    source.close()
    other = topic.source()
    other.start({**positions, "source:cluster": "another"})
    with pytest.raises(OtherSourceError, match="cluster was another and is "):
        polled(other, lambda found: False)
    beyond = topic.source()  # a checkpoint from before topics had ids
    beyond.start({f"{topic.name}/0": 6})
    with pytest.raises(OtherSourceError, match=f"saved offset of {topic.name}/0 is 6 and its end is 5"):
        polled(beyond, lambda found: False)
    topic.close()


def polled(source: Any, enough: Callable[[dict[str, Offset]], bool]) -> dict[str, Offset]:
    """The positions that come until there are enough."""
    positions: dict[str, Offset] = {}

    def found() -> bool:
        positions.update((m.position.shard, m.position.offset) for m in source.poll() if not m.watermark)
        return enough(positions)

    until(found, "the positions came")
    return positions


def test_a_bucket_prefix_and_endpoint_belong_to_the_checkpoint(moto: Moto) -> None:
    bucket = moto.bucket(trail(minutes(1)))
    source = open_bucket(moto, bucket, "AWSLogs")
    source.start({})
    positions = {m.position.shard: m.position.offset for m in source.poll() if not m.watermark}
    assert positions["source:url"] == f"{bucket.url}/AWSLogs"
    assert positions["source:endpoint"] == moto.url
    source.start(positions)
    for part, was in (("url", "s3://other/AWSLogs"), ("endpoint", "http://other"), ("kind", "sqs")):
        with pytest.raises(OtherSourceError, match=f"{part} was {was} and is "):
            source.start({**positions, f"source:{part}": was})
    source.close()


def test_only_what_is_known_is_compared() -> None:
    assert not verified({"source:kind": "s3", "source:gone": "x"}, {"kind": "s3"})
    (marker,) = verified({"source:kind": "s3"}, {"kind": "s3", "url": "s3://bucket"})
    assert (marker.position.shard, marker.position.offset, marker.marker) == (
        "source:url",
        "s3://bucket",
        True,
    )
    with pytest.raises(OtherSourceError) as refused:
        verified({"source:kind": "s3", "source:url": "x"}, {"kind": "sqs", "url": "y"})
    assert refused.value.differences == ["kind was s3 and is sqs", "url was x and is y"]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    log = tmp_path / "trail.jsonl"
    log.write_bytes(b"".join(record + b"\n" for record in records(range(10))))
    made = Service(tmp_path, f'[source]\nkind = "follow"\npaths = ["{log}"]\n', {})
    yield made
    if made.running:
        made.kill()


def test_another_kind_of_source_is_refused_and_can_be_accepted_with_its_positions(service: Service) -> None:
    service.start("--until-idle")
    until(lambda: len(service.alerts) == 10, "all alerts arrived")
    service.stop()
    state = service.folder / "state.db"
    checkpoint = SqliteCheckpoint(state)
    checkpoint.save(Epoch([Position("source:kind", "kafka")]))
    checkpoint.close()
    assert ended(service) == 3
    assert "the checkpoint belongs to another source: kind was kafka and is follow" in service.said
    accepted = trailsieve("config", "accept-source", "--keep-positions", service.folder / "service.toml")
    assert accepted.lines == [f"ok    {state}: the next run accepts its source; positions kept"]
    service.started()
    assert service.stop() == 0
    assert len(service.alerts) == 10
    state.unlink()
    missing = trailsieve("config", "accept-source", service.folder / "service.toml")
    assert missing.code == 2
    assert "no such checkpoint" in missing.err


def test_campaign_a_checkpoint_that_is_deleted_while_the_service_runs(service: Service) -> None:
    """It is written again, so that a kill and a rotation lose nothing after it."""
    log = service.folder / "trail.jsonl"
    written = log.read_bytes().splitlines()
    service.started()
    until(lambda: alert_ids(written) <= set(service.alerts), "the first alerts arrived")
    for path in service.folder.glob("state.db*"):
        path.unlink()
    restored = "state.db was deleted while it was in use; it has been written again"
    until(lambda: restored in service.said, "the operator was told")
    service.kill()
    later = records(range(100, 110))
    with log.open("ab") as file:
        file.writelines(record + b"\n" for record in later)
    log.rename(service.folder / "trail.jsonl.1")
    log.touch()
    service.started()
    until(lambda: alert_ids(later) <= set(service.alerts), "all alerts arrived")
    assert service.stop() == 0
    wanted = alert_ids(written + later)
    settle(compare("follow", "checkpoint deleted while running", wanted, as_alerts(service)))
