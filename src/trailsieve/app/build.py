"""Everything that is made of many parts: the service of a configuration, and replays of an archive."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trailsieve import private_file
from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.app import registry
from trailsieve.app.alarm_state import open_alarms, split_alarms
from trailsieve.app.config import Config, Part
from trailsieve.clock import TrustedClock
from trailsieve.engine.accepted import Accepted
from trailsieve.engine.checkpoint import Epoch, SqliteCheckpoint
from trailsieve.engine.dead_letters import (
    AlertDeadLetters,
    FileDeadLetters,
    UnreadableShare,
)
from trailsieve.engine.decode import Decoder
from trailsieve.engine.dedup import RecentIds
from trailsieve.engine.delivery import Delivery, DirectDelivery
from trailsieve.engine.heartbeat import Heartbeat
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.observer import Observer
from trailsieve.engine.pipeline import Pipeline, ProcessAll, per_batch, per_message
from trailsieve.engine.processor import Processor
from trailsieve.engine.sink_worker import Refusal, SinkWorker
from trailsieve.engine.stats import RunStats
from trailsieve.engine.wanted import Wanted
from trailsieve.errors import counted
from trailsieve.model import Problem
from trailsieve.ports import RunContext, Sink, Source
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule, joined
from trailsieve.sources.dead_letters import DeadLetterSource
from trailsieve.times import fraction_seconds


@dataclass(slots=True)
class Service:
    """A pipeline and everything that must be closed after it, in this order."""

    pipeline: Pipeline
    source: Source
    closers: list[Callable[[], None]]

    def close(self) -> None:
        """Closes all parts, also when one of them raises an error."""
        with ExitStack() as stack:
            for close in reversed(self.closers):
                stack.callback(close)


def rules_of(config: Config) -> list[Rule]:
    """Returns the rules of all packs of a configuration."""
    packs = [load_pack(rules.name, limits=config.limits) for rules in config.rules]
    return joined(packs)


def open_part(group: registry.Group, part: Part, context: RunContext) -> Any:
    """Returns an open source or sink."""
    module = registry.module(group, part.kind)
    opened = module.open_source if group == "sources" else module.open_sink
    return opened(part.settings, context)


def service(
    config: Config,
    context: RunContext,
    stopping: Callable[[], bool],
    on_problem: Callable[[Problem], None],
    *,
    dead_letters_only: bool = False,
) -> Service:
    """Opens everything that a configuration names.

    Args:
        dead_letters_only: the source is the file of dead letters, not the one that is configured.
    """
    stats = RunStats()
    heartbeat = Heartbeat(config.heartbeat)
    context = replace(context, skip=stats.skip, now=TrustedClock().now, reachable=heartbeat.set_reachable)
    rules = rules_of(config)
    checkpoint_path, letters_path = Path(config.checkpoint.path), Path(config.dead_letters.path)
    files = (checkpoint_path, letters_path, alert_dead_letters(config))
    for warning in (split_alarms(config, rules), *map(private_file.warning, files)):
        if warning:
            context.info(warning)
    checkpoint = SqliteCheckpoint(checkpoint_path, config.checkpoint.ids, context.info)
    source: Source = (
        DeadLetterSource(letters_path) if dead_letters_only else open_part("sources", config.source, context)
    )
    letters = FileDeadLetters(letters_path)
    workers = [
        SinkWorker(open_part("sinks", part, context), part.routing, context.info) for part in config.sinks
    ]
    delivery = Delivery(
        workers,
        source.keep_alive,
        _refuse(AlertDeadLetters(alert_dead_letters(config)), context.info),
        stopping,
        heartbeat,
        context.gauge,
        accepted := Accepted(),
        lambda state: checkpoint.save(Epoch(state=state)),
    )
    alarms, leave_alarms = open_alarms(config, rules, source, context, stopping)
    pipeline = Pipeline(
        source=source,
        process=_process(rules, source, config.workers or os.cpu_count() or 1, context),
        delivery=delivery,
        on_problem=[on_problem, letters.add],
        stats=stats,
        checkpoint=checkpoint,
        seen=RecentIds(config.checkpoint.ids),
        alarms=alarms,
        accepted=accepted,
        commit_every=fraction_seconds(config.checkpoint.every, "every"),
        unreadable=UnreadableShare(config.dead_letters.max_ratio, config.dead_letters.after, context.info),
        ends=not dead_letters_only,
        stopping=stopping,
        info=context.info,
    )
    closers = [leave_alarms, source.close, delivery.close, *(worker.sink.close for worker in workers)]
    return Service(pipeline, source, [*closers, letters.close, checkpoint.close])


def replay(  # noqa: PLR0913 - what a replay has, each by itself
    rules: Sequence[Rule],
    source: Source,
    sinks: Sequence[Sink],
    context: RunContext,
    on_problem: Sequence[Callable[[Problem], None]] = (),
    stats: RunStats | None = None,
    workers: int = 1,
    *,
    as_streamed: bool = False,
    wanted: Wanted | None = None,
) -> Pipeline:
    """Returns a pipeline over an archive, which saves nothing.

    Args:
        wanted: the records that count; those of the source's selection by default.
        as_streamed: whether alarms are evaluated as in a stream, while the source goes on, and provisional
            alerts are raised; else they are evaluated at the end.
    """
    until = source.selection.until
    live = Live(ordered=source.ordered, report=context.info) if as_streamed else None
    return Pipeline(
        source=source,
        process=_process(rules, source, workers, context, wanted),
        delivery=DirectDelivery(sinks),
        on_problem=on_problem,
        stats=stats or RunStats(),
        alarms=Alarms(rules, live=live, until=int(until.timestamp()) if until else None),
        info=context.info,
    )


def observe(  # noqa: PLR0913 - as of `replay`
    rules: Sequence[Rule],
    source: Source,
    sink: Sink,
    context: RunContext,
    observer: Observer,
    on_problem: Sequence[Callable[[Problem], None]] = (),
    stats: RunStats | None = None,
    workers: int = 1,
    *,
    wanted: Wanted | None = None,
) -> Pipeline:
    """Returns a pipeline that replays an archive and shows every record that counts to an observer."""
    until = source.selection.until
    return Pipeline(
        source=source,
        process=_process(rules, source, workers, context, wanted, observer),
        delivery=DirectDelivery([sink]),
        on_problem=on_problem,
        on_observed=observer.add,
        stats=stats or RunStats(),
        alarms=Alarms(rules, until=int(until.timestamp()) if until else None),
        info=context.info,
    )


def _process(
    rules: Sequence[Rule],
    source: Source,
    workers: int,
    context: RunContext,
    wanted: Wanted | None = None,
    observer: Observer | None = None,
) -> ProcessAll:
    """Whole objects may go to worker processes; small messages are processed together, in this one."""
    wanted = wanted or Wanted(source.selection)
    matcher = Matcher(rules, wanted.wants if wanted.narrows else None, observer)
    processor = Processor(Decoder(context.max_object_size), matcher)
    if not source.whole_objects:
        return per_batch(processor)
    if workers == 1:
        return per_message(processor, source.open_reader, context.object_read)
    from trailsieve.engine.workers import WorkerPool

    pool = WorkerPool(processor.process, workers, context.info, processor.observed if observer else None)
    pool.open_reader, pool.on_read = source.open_reader, context.object_read
    return pool.run


def alert_dead_letters(config: Config) -> Path:
    """Returns the file for alerts that a sink never accepted."""
    path = Path(config.dead_letters.path)
    return Path(config.dead_letters.alerts or path.with_suffix(f".alerts{path.suffix}"))


def _refuse(letters: AlertDeadLetters, info: Callable[[str], None]) -> Callable[[Sequence[Refusal]], None]:
    """Saves alerts that a sink never accepted, and reports them with one line for each reason."""

    def refuse(refusals: Sequence[Refusal]) -> None:
        for refusal in refusals:
            letters.add(refusal)
        for (sink, reason), count in Counter((one.sink, one.reason) for one in refusals).items():
            info(f"sink {sink}: {counted(count, 'alert')} not accepted, now in {letters.path}: {reason}")

    return refuse
