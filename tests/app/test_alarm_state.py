"""A service whose alarms are in a table that does not answer: it waits, commits nothing, and can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from botocore.stub import Stubber
from msgspec.structs import replace

from tests.alarms.shared_table import MemoryTable
from tests.alarms.test_provisional import sample
from tests.alarms.worlds import LATER, Kept, alerts, event, message, pipeline, rule
from tests.cli.console import trailsieve
from tests.servers.moto import Moto
from trailsieve.alarms.evaluator import Live
from trailsieve.alarms.sample_log import samples_of
from trailsieve.alarms.shared.alarms import SharedAlarms
from trailsieve.alarms.shared.member import unpacked
from trailsieve.app import alarm_state
from trailsieve.app.config import AlarmsConfig, CheckpointConfig, Config, DeadLettersConfig, Part
from trailsieve.engine.delivery import StoppedError
from trailsieve.errors import CheckpointError
from trailsieve.model import Position, watermark_message
from trailsieve.ports import RunContext
from trailsieve.rules.alarm import Alarm
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

ALARM = Alarm(threshold=2, period=60, allowed_lateness=0)
EVENTS = [event(1, 20), event(2, 40)]
END = replace(watermark_message("s", LATER), position=Position("s", 99))  # comes after each restart


class Opened:
    """Alarms over a table whose responses are set."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        self.alive = 0
        self.reports: list[str] = []
        source = MemorySource([])
        source.keep_alive = self.keep_alive  # type: ignore[method-assign]
        settings = AlarmsConfig(state="dynamodb", table="trail-alarms", region="us-east-1")
        config = Config(Part("kafka", None), [], [], CheckpointConfig(), DeadLettersConfig(), settings)
        context = RunContext(info=self.reports.append)
        self.alarms, self.leave = alarm_state.open_alarms(config, [rule(ALARM)], source, context, stopping)
        assert isinstance(self.alarms, SharedAlarms)
        self.responses = Stubber(self.alarms._table._client)  # type: ignore[attr-defined]
        self.responses.activate()

    def keep_alive(self) -> None:
        self.alive += 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(alarm_state, "_SLICE", 0.001)


def test_while_the_table_is_away_the_source_is_kept_alive_until_the_run_is_to_stop() -> None:
    asked = iter(range(1000))
    opened = Opened(lambda: next(asked) > 20)
    for _ in range(20):
        opened.responses.add_client_error("put_item", "ServiceUnavailable", http_status_code=503)
    opened.alarms.add([sample(1, 10, "mia", 1)])
    with pytest.raises(StoppedError, match="DynamoDB table trail-alarms could not be reached"):
        opened.alarms.advance()
    assert opened.alive >= 20


def test_leaving_does_not_wait_for_the_table() -> None:
    opened = Opened(lambda: False)
    opened.responses.add_response("put_item", {})
    opened.responses.add_response("query", {"Items": []})
    opened.responses.add_response("put_item", {})
    for _ in range(3):
        opened.responses.add_response("query", {"Items": []})
    opened.alarms.advance()
    opened.responses.add_client_error("put_item", "ServiceUnavailable", http_status_code=503)
    opened.leave()
    opened.responses.assert_no_pending_responses()


def test_nothing_is_committed_before_its_matches_are_in_the_table() -> None:
    [expected] = alerts(rule(ALARM), *EVENTS)
    for number in count():
        table, checkpoint, sink = MemoryTable(failing_at(number)), Kept(), MemorySink()
        try:
            run(table, checkpoint, sink)
            break
        except CheckpointError:
            assert len(matches_in(table)) >= int(checkpoint.positions().get("s", 0))
        run(table, checkpoint, sink)
        assert checkpoint.positions() == {"s": 2}
        assert {alert.id for alert in sink.alerts if not alert.provisional} == {expected.id}
    assert number > 10


def run(table: MemoryTable, checkpoint: Kept, sink: MemorySink) -> None:
    """A process from its start until it has read all."""
    messages = [message(number, [item]) for number, item in enumerate(EVENTS, 1)]
    service = pipeline([rule(ALARM)], MemorySource([*messages, END]), sink, checkpoint=checkpoint)
    service.ends = False
    live = Live(now=lambda: LATER, monotonic=count(step=3).__next__)
    service.alarms = SharedAlarms([rule(ALARM)], table, live, lease=0, step=0)
    service.run()


def failing_at(number: int) -> Callable[[], None]:
    """Refuses that request, counted from 0."""
    requests = count()

    def meanwhile() -> None:
        if next(requests) == number:
            raise CheckpointError("the table is away")

    return meanwhile


def matches_in(table: MemoryTable) -> set[str]:
    """The ids of the matches in the logs."""
    rows = [unpacked(item.data) for (pk, _), item in table.items.items() if pk.startswith("samples/")]
    return {found.id for row in rows for found in samples_of(row)[0]}


@pytest.mark.server("moto")
def test_config_check_connect_asks_the_table(moto: Moto, tmp_path: Path) -> None:
    text = f"""[source]
kind = "sqs"
queue_url = "{moto.queue().url}"
buckets = ["trail"]
region = "us-east-1"
endpoint_url = "{moto.url}"
[alarms]
state = "dynamodb"
table = "not-there"
region = "us-east-1"
endpoint_url = "{moto.url}"
[[sink]]
kind = "files"
path = "{tmp_path}/alerts.jsonl"
[[rules]]
pack = "cis-aws"
"""
    path = tmp_path / "t.toml"
    path.write_text(text)
    result = trailsieve("config", "check", "--connect", path)
    assert result.code == 3
    assert "FAIL  alarms: DynamoDB table not-there (dynamodb:DescribeTable): " in result.out.decode()
    assert "ok    source sqs" in result.out.decode()
