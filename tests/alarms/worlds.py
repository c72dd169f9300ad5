"""Events, rules and pipelines for the tests of alarms."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.engine.checkpoint import Epoch, MemoryCheckpoint
from trailsieve.engine.decode import Decoder
from trailsieve.engine.delivery import Delivery
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.pipeline import Pipeline, per_batch
from trailsieve.engine.processor import Processor
from trailsieve.engine.routing import Routing
from trailsieve.engine.sink_worker import SinkWorker
from trailsieve.model import Alert, Message, Position
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.parser import parse_selector
from trailsieve.rules.alarm import PLAIN, Alarm, Metric, Reference
from trailsieve.rules.rule import Rule
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource
from trailsieve.times import seconds_of

START = 1_773_446_400  # 2026-03-14T00:00:00Z
LATER = START + 10 * 365 * 86400.0
PATTERN = '{ $.errorCode = "AccessDenied" }'
NOTHING = compile('{ ($.eventID = "none") && ($.eventID != "none") }')


def reference_of(text: str) -> Reference:
    """A selector, or `$name`."""
    return Reference(text, parse_selector(text) if text.startswith("$.") else None)


def rule(alarm: Alarm | None, metric: Metric = PLAIN, pattern: str = PATTERN, **more: Any) -> Rule:
    """A rule with an alarm."""
    return Rule("denied", "Denied", "high", compile(pattern), alarm=alarm, metric=metric, **more)


def when(seconds: int) -> str:
    """The time so many seconds after midnight, as CloudTrail writes it."""
    return f"{datetime.fromtimestamp(START + seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def event(number: int, seconds: int, who: str = "mia", **fields: Any) -> dict[str, Any]:
    """A denied call."""
    return {
        "eventID": f"e{number}",
        "eventTime": when(seconds),
        "eventName": "ListUsers",
        "errorCode": "AccessDenied",
        "userIdentity": {"arn": f"arn:aws:iam::111122223333:user/{who}"},
        **fields,
    }


class Kept(MemoryCheckpoint):
    """A checkpoint that outlives its process."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    def save(self, epoch: Epoch) -> None:
        super().save(epoch)
        self.kept += epoch.ids

    def ids(self) -> Iterable[str]:
        return self.kept


def message(
    number: int, records: Sequence[Mapping[str, Any]], shard: str = "s", arrived: float | None = None
) -> Message:
    data = json.dumps({"Records": records}).encode()
    return Message(data, Position(shard, number), f"{shard}/{number}", arrived=arrived)


def pipeline(
    rules: Sequence[Rule],
    source: MemorySource,
    sink: MemorySink,
    *,
    live: bool = True,
    clock: Callable[[], float | None] = lambda: LATER,
    **more: Any,
) -> Pipeline:
    """A stream's pipeline in this process."""
    return Pipeline(
        source=source,
        process=per_batch(Processor(Decoder(), Matcher(rules))),
        delivery=Delivery([SinkWorker(sink, Routing(confirmations=True))]),
        on_problem=[more.pop("problems", lambda problem: None)],
        alarms=Alarms(rules, live=Live(now=clock) if live else None),
        **more,
    )


def alerts(
    chosen: Rule | Sequence[Rule], *records: Mapping[str, Any], epochs: int = 1, **more: Any
) -> list[Alert]:
    """What some records raise for good, in so many epochs."""
    rules = [chosen] if isinstance(chosen, Rule) else chosen
    size = -(-len(records) // epochs) or 1
    parts = [records[n : n + size] for n in range(0, len(records), size)]
    sink = MemorySink()
    source = MemorySource([message(n, part) for n, part in enumerate(parts, 1)], 1)
    pipeline(rules, source, sink, **more).run()
    return [alert for alert in sink.alerts if not alert.provisional]


def clock_of(text: str) -> int:
    """Seconds after midnight."""
    seconds = seconds_of(text)
    assert seconds is not None
    return seconds - START
