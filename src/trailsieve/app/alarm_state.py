"""The alarms of a service: counted by this process alone, or by all processes that share a table."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.alarms.protocol import AlarmEvaluation
from trailsieve.app.config import Config
from trailsieve.engine.delivery import StoppedError
from trailsieve.errors import CheckpointError
from trailsieve.ports import RunContext, Source
from trailsieve.rules.rule import Rule
from trailsieve.times import duration_seconds

if TYPE_CHECKING:
    from trailsieve.alarms.shared.dynamodb import DynamoTable

_SLICE = 0.5  # seconds between two calls of keep_alive


def split_alarms(config: Config, rules: Sequence[Rule]) -> str:
    """Returns a warning that alarms count only a part of the events, or "" where they count all."""
    counts_all = config.source.kind != "kafka" or config.alarms.state != "local"
    if counts_all or not any(rule.alarm for rule in rules if rule.enabled):
        return ""
    return (
        "alarms count the events of the partitions that this process reads: run one member of group "
        f"{config.source.settings.group!r}, use keys that keep the events of an alarm in one partition, "
        'or let all members count together: [alarms] state = "dynamodb"'
    )


def open_alarms(
    config: Config,
    rules: Sequence[Rule],
    source: Source,
    context: RunContext,
    stopping: Callable[[], bool],
) -> tuple[AlarmEvaluation, Callable[[], None]]:
    """Returns the alarms of a service, and what to call when it ends.

    Raises:
        CheckpointError: AWS credentials or the region are missing.
    """
    max_wait = duration_seconds(config.alarms.max_wait, "max_wait") if config.alarms.max_wait else 0
    live = Live(ordered=source.ordered, now=context.now, max_wait=max_wait, report=context.info)
    if config.alarms.state == "local":
        return Alarms(rules, live=live), lambda: None
    from trailsieve.alarms.shared.alarms import SharedAlarms
    from trailsieve.alarms.shared.dynamodb import DynamoTable

    table = DynamoTable(config.alarms, config.alarms.table, context.info)
    table.pause = _pauses(source, stopping, table)
    alarms = SharedAlarms(rules, table, live)

    def leave() -> None:
        table.pause = None
        with contextlib.suppress(CheckpointError):  # the lease then ends by itself
            alarms.leave()

    return alarms, leave


def _pauses(source: Source, stopping: Callable[[], bool], table: DynamoTable) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if stopping():
                raise StoppedError(f"{table.label} could not be reached")
            source.keep_alive()
            time.sleep(min(left, _SLICE))

    return pause
