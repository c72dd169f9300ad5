"""What the tests of sources share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests import ledger
from tests.sources.kill_report import ROWS
from tests.sources.kill_report import lines as report_lines
from trailsieve.model import IDENTITY, Message
from trailsieve.sources.follow.source import FollowSource
from trailsieve.sources.kafka.source import KafkaSource
from trailsieve.sources.kinesis.source import KinesisSource
from trailsieve.sources.s3.source import S3Source
from trailsieve.sources.sqs.source import SqsSource
from trailsieve.sources.stdin import StdinSource


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the kills and campaigns cost."""
    if ROWS:
        terminalreporter.section("alerts of services that were killed")
        terminalreporter.write("\n".join(report_lines()) + "\n")
    ledger.report(terminalreporter)


@pytest.fixture(autouse=True)
def without_watermarks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what sources say of themselves and of their shards; two modules are about that."""
    if request.module.__name__.endswith("test_identity"):
        return
    keep = request.module.__name__.endswith("test_watermarks")
    for source in (FollowSource, KafkaSource, KinesisSource, S3Source, SqsSource, StdinSource):
        monkeypatch.setattr(source, "poll", _only_records(source.poll, watermarks=keep))


def _only_records(
    poll: Callable[[Any], Sequence[Message]], *, watermarks: bool
) -> Callable[[Any], list[Message]]:
    def wanted(message: Message) -> bool:
        return watermarks if message.watermark else not message.position.shard.startswith(IDENTITY)

    return lambda source: [message for message in poll(source) if wanted(message)]
