"""A running service out of a configuration."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trailsieve.alarms.evaluator import Alarms
from trailsieve.app import registry
from trailsieve.app.config import Config, Part
from trailsieve.engine.checkpoint import SqliteCheckpoint
from trailsieve.engine.dead_letters import (
    AlertLetters,
    DeadLetters,
    FileDeadLetters,
    RatioLimit,
    ReportedDeadLetters,
)
from trailsieve.engine.decode import Decoder
from trailsieve.engine.dedup import RecentIds
from trailsieve.engine.delivery import Delivery
from trailsieve.engine.heartbeat import Heartbeat
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.pipeline import ExamineAll, Pipeline, one_by_one, together
from trailsieve.engine.processor import Examiner
from trailsieve.engine.sink_worker import Outlet, Refusal
from trailsieve.engine.stats import Summary
from trailsieve.engine.workers import WorkerPool
from trailsieve.model import Problem
from trailsieve.ports import RunContext, Sink, Source
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule, joined
from trailsieve.sources.dead_letters import DeadLetterSource

# Seconds for which alarms hold new event times: objects are listed by account and region, not by time.
_HOLD_OBJECTS = 600.0
_HOLD_STREAM = 30.0


@dataclass(slots=True)
class Service:
    """A pipeline and everything that must be closed after it, in this order."""

    pipeline: Pipeline
    source: Source
    sinks: list[Sink]
    closers: list[Callable[[], None]]

    def close(self) -> None:
        """Closes all parts, whatever any of them says."""
        for close in self.closers:
            close()


def rules_of(config: Config) -> list[Rule]:
    """The rules of all packs of a configuration."""
    packs = [load_pack(rules.pack or rules.path, limits=config.limits) for rules in config.rules]
    return joined(packs)


def open_part(group: registry.Group, part: Part, context: RunContext) -> Any:
    """A source or sink, opened."""
    module = registry.module(group, part.kind)
    opened = module.open_source if group == "sources" else module.open_sink
    return opened(part.settings, context)


def build(
    config: Config,
    context: RunContext,
    stopping: Callable[[], bool],
    problem: Callable[[Problem], None],
    *,
    dead_letters_only: bool = False,
) -> Service:
    """Opens everything that a configuration names; the dead letters in place of the source, if told so."""
    summary = Summary()
    context = replace(context, skip=summary.skip)
    rules = rules_of(config)
    checkpoint = SqliteCheckpoint(Path(config.checkpoint.path), config.checkpoint.ids)
    letters_path = Path(config.dead_letters.path)
    source: Source = (
        DeadLetterSource(letters_path) if dead_letters_only else open_part("sources", config.source, context)
    )
    matcher = Matcher(rules, source.selection.wants if source.selection.narrows else None)
    file = FileDeadLetters(letters_path)
    limit = RatioLimit(config.dead_letters.max_ratio, config.dead_letters.after, summary)
    letters: list[DeadLetters] = [ReportedDeadLetters(problem), file, limit]
    sinks: list[Sink] = [open_part("sinks", part, context) for part in config.sinks]
    delivery = Delivery(
        [Outlet(sink, part.routing, context.info) for sink, part in zip(sinks, config.sinks, strict=True)],
        source.keep_alive,
        _refuse(AlertLetters(alert_letters(config)), limit, problem, config),
        stopping,
        Heartbeat(config.heartbeat),
        context.gauge,
    )
    pipeline = Pipeline(
        source=source,
        examine=_examine(Examiner(Decoder(context.max_object_size), matcher), config, source, context),
        delivery=delivery,
        dead_letters=letters,
        summary=summary,
        checkpoint=checkpoint,
        seen=RecentIds(config.checkpoint.ids),
        alarms=Alarms(rules, live=True, hold=_HOLD_OBJECTS if source.whole_objects else _HOLD_STREAM),
        ends=not dead_letters_only,
        stopping=stopping,
        advise=context.info,
    )
    closers = [source.close, delivery.close, *(sink.close for sink in sinks), file.close, checkpoint.close]
    return Service(pipeline, source, sinks, closers)


def _examine(examiner: Examiner, config: Config, source: Source, context: RunContext) -> ExamineAll:
    """Whole objects go to worker processes; a stream's small messages are examined together, here."""
    if not source.whole_objects:
        return together(examiner)
    workers = config.workers or os.cpu_count() or 1
    return one_by_one(examiner) if workers == 1 else WorkerPool(examiner.examine, workers, context.info).run


def alert_letters(config: Config) -> Path:
    """Where alerts go that a sink never took."""
    path = Path(config.dead_letters.path)
    return Path(config.dead_letters.alerts or path.with_suffix(f".alerts{path.suffix}"))


def _refuse(
    kept: AlertLetters, limit: RatioLimit, show: Callable[[Problem], None], config: Config
) -> Callable[[Refusal], None]:
    """Keeps alerts that a sink never took; too many of a required sink's end the run."""
    required = {part.name for part in config.sinks if part.routing.required}

    def refuse(refusal: Refusal) -> None:
        kept.add(refusal)
        alert = refusal.alert
        reason = f"alert {alert.id} of {alert.rule} is not in sink {refusal.sink}: {refusal.reason}"
        problem = Problem(alert.position, reason)
        show(problem)
        if refusal.sink in required:
            limit.add(problem)

    return refuse
