"""Members of one Kafka group that count alarms together over DynamoDB: exactly the alarms of a replay."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.alarms.worlds import alerts, event
from tests.ledger import compare, settle
from tests.servers.kafka import Kafka
from tests.servers.moto import ENVIRONMENT, Moto
from tests.servers.patience import until
from tests.sources.kafka.topic import new_topic
from tests.sources.service import Service
from trailsieve.rules.load import load_pack

PARTITIONS = 4
EVENTS = 3000
LATENESS = 300
RULES = """
[[rule]]
id = "seen"
pattern = '{ $.errorCode = "AccessDenied" }'
[[rule]]
id = "denied"
pattern = '{ $.errorCode = "AccessDenied" }'
alarm = { threshold = 3, period = "1m", by = ["$.userIdentity.arn"], allowed_lateness = "5m" }
[[rule]]
id = "denied-often"
pattern = '{ $.errorCode = "AccessDenied" }'
alarm = { threshold = 25, period = "1m", evaluation_periods = 3, datapoints_to_alarm = 2, allowed_lateness = "5m" }
"""


def create_table(moto: Moto) -> str:
    name = f"alarms-{uuid.uuid4().hex[:8]}"
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    moto.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


@pytest.fixture
def members() -> Iterator[list[Service]]:
    """Those of a test; none is left behind."""
    made: list[Service] = []
    yield made
    for member in made:
        if member.running:
            member.kill()


def denied_calls() -> list[dict[str, Any]]:
    """Events of two hours in the order of their arrival, each at most the lateness late."""
    chance = random.Random(11)
    seconds = sorted(chance.uniform(0, 7200) for _ in range(EVENTS))
    found = [event(n, int(at), f"u{chance.randrange(30)}") for n, at in enumerate(seconds)]
    late = {
        item["eventID"]: at + chance.uniform(0, LATENESS) for item, at in zip(found, seconds, strict=True)
    }
    return sorted(found, key=lambda item: late[item["eventID"]])


def delivered(members: list[Service], rule: str) -> list[dict[str, Any]]:
    """The alerts of all members, of rules whose ids begin so."""
    files = [each.folder / "all.jsonl" for each in members]
    lines = [line for file in files if file.exists() for line in file.read_text().split("\n")[:-1]]
    return [alert for alert in map(json.loads, lines) if alert["rule"].startswith(rule)]


def test_members_that_join_and_die_raise_what_a_replay_raises(
    kafka: Kafka, moto: Moto, members: list[Service], tmp_path: Path
) -> None:
    topic, table, chance = new_topic(kafka, "confluent", PARTITIONS), create_table(moto), random.Random(5)
    rules = tmp_path / "rules.toml"
    rules.write_text(RULES)
    events = denied_calls()
    for partition, share in enumerate(_shares(events, chance)):
        topic.produce([json.dumps(item).encode() for item in share], partition)

    def member(name: str) -> Service:
        (tmp_path / name).mkdir()
        config = f"""{topic.config(max_poll_records=10)}
[alarms]
state = "dynamodb"
table = "{table}"
region = "us-east-1"
endpoint_url = "{moto.url}"
[[rules]]
path = "{rules}"
[[sink]]
kind = "files"
name = "all"
path = "{tmp_path}/{name}/all.jsonl"
confirmations = true
"""
        members.append(Service(tmp_path / name, config, ENVIRONMENT))
        return members[-1]

    one, two, three = member("one"), member("two"), member("three")
    one.started()
    until(lambda: len(delivered([one], "seen")) > EVENTS // 10, "one was at work")
    two.started()
    until(lambda: topic.members() == 2, "two had a share")
    one.kill()
    assert len(delivered(members, "seen")) < EVENTS
    three.started()
    replayed = alerts(load_pack(rules).rules, *events, live=False)
    expected = [alert.id for alert in replayed if alert.kind == "alarm"]
    until(lambda: set(expected) <= {alert["id"] for alert in delivered(members, "denied")}, "all alarms came")
    assert [each.stop() for each in (two, three)] == [0, 0]
    assert sum(topic.committed().values()) == EVENTS
    settle(compare("kafka, shared", "joins late, dies, a third one", expected, delivered(members, "denied")))


def _shares(events: list[dict[str, Any]], chance: random.Random) -> list[list[dict[str, Any]]]:
    """The events of each partition."""
    shares: list[list[dict[str, Any]]] = [[] for _ in range(PARTITIONS)]
    for item in events:
        chance.choice(shares).append(item)
    return shares
