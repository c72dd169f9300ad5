"""What the shared state asks of a table, of the one in memory and of DynamoDB (moto's server)."""

from __future__ import annotations

import random
import uuid

import pytest

from tests.alarms.group import SharedState
from tests.alarms.shared_table import MemoryTable
from tests.alarms.test_provisional import sample
from tests.alarms.test_state_contract import hold_the_law
from tests.alarms.worlds import reference_of, rule
from tests.servers import shared
from trailsieve.alarms.shared.dynamodb import DynamoTable
from trailsieve.alarms.shared.table import Item, Table
from trailsieve.errors import CheckpointError
from trailsieve.rules.alarm import Alarm
from trailsieve.wire.aws import AwsConfig


def dynamodb(partition: str = "pk", sort: str = "sk", ttl: bool = True) -> DynamoTable:
    """A new table."""
    moto = shared.get("moto")
    name = f"alarms-{uuid.uuid4().hex[:8]}"
    client = moto.client("dynamodb")
    keys = ((partition, "HASH"), (sort, "RANGE"))
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    if ttl:
        enabled = {"Enabled": True, "AttributeName": "ttl"}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=enabled)
    return DynamoTable(AwsConfig(region="us-east-1", endpoint_url=moto.url), name)


@pytest.fixture(params=["memory", pytest.param("dynamodb", marks=pytest.mark.server("moto"))])
def table(request: pytest.FixtureRequest) -> Table:
    return MemoryTable() if request.param == "memory" else dynamodb()


def test_items_come_in_the_order_of_their_keys(table: Table) -> None:
    for number in (3, 1, 2, 4):
        table.put(Item("a", f"{number:04d}", b"%d" % number, ttl=2**31))
    table.put(Item("b", "0002", b"other"))
    assert [item.data for item in table.query("a")] == [b"1", b"2", b"3", b"4"]
    assert [item.data for item in table.query("a", "0002", "0003")] == [b"2", b"3"]
    table.delete("a", "0002")
    table.delete("a", "0002")
    assert [item.sk for item in table.query("a", "0001", "0003")] == ["0001", "0003"]
    assert list(table.query("c")) == []


def test_more_items_than_one_page_holds(table: Table) -> None:
    for number in range(4):
        table.put(Item("a", str(number), b"x" * 380_000))
    assert [(item.sk, len(item.data)) for item in table.query("a")] == [(str(n), 380_000) for n in range(4)]


def test_a_swap_needs_the_version_that_is_there(table: Table) -> None:
    def version() -> list[str]:
        return [item.version for item in table.query("head")]

    assert table.swap(Item("head", "head", b"", "one"), "")
    assert not table.swap(Item("head", "head", b"", "two"), "")
    assert not table.swap(Item("head", "head", b"", "two"), "zero")
    assert version() == ["one"]
    assert table.swap(Item("head", "head", b"", "two"), "one")
    assert version() == ["two"]


@pytest.mark.server("moto")
def test_members_over_dynamodb_raise_what_a_replay_raises() -> None:
    alarm = Alarm(threshold=3, period=60, by=(reference_of("who"),), allowed_lateness=300)
    samples = [sample(n, n * 7, "mia", 1) for n in range(60)]
    hold_the_law(rule(alarm), samples, SharedState(dynamodb()), random.Random(7), 0.2)


@pytest.mark.server("moto")
def test_a_check_says_what_is_there() -> None:
    table = dynamodb()
    assert table.check() == f"{table.name} is ACTIVE, an item can be written, read and deleted"
    assert list(table.query("check")) == []
    assert dynamodb(ttl=False).check().endswith("TTL on `ttl` is off: samples are never removed")


@pytest.mark.server("moto")
def test_a_check_says_what_is_wrong() -> None:
    with pytest.raises(CheckpointError, match=r"its key is id \(S\), time \(S\); it needs .*`pk`.*`sk`"):
        dynamodb("id", "time").check()
    table = dynamodb()
    table.name = "gone"
    with pytest.raises(CheckpointError, match=r"DescribeTable.*is the name right, and `region`"):
        table.check()
