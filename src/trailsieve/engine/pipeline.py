"""One epoch after another: poll → process → alarm → deliver → checkpoint → commit.

The order is the guarantee: a position is saved only after every required sink has accepted the alerts before
it, so a crash at any point repeats alerts (with the same ids) and never loses one. Where reading starts is
saved before the first delivery, so that a restart does not start somewhere else. The alarms' state is saved
together with the positions, so no event is counted twice or forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import TypeVar

from trailsieve.alarms.evaluator import Alarms
from trailsieve.alarms.protocol import AlarmEvaluation
from trailsieve.engine.accepted import Accepted
from trailsieve.engine.checkpoint import Checkpoint, Epoch, MemoryCheckpoint
from trailsieve.engine.dead_letters import UnreadableShare
from trailsieve.engine.dedup import RecentIds
from trailsieve.engine.delivery import Delivery, DirectDelivery
from trailsieve.engine.group_commit import GroupCommit
from trailsieve.engine.processor import BatchResult, Processed, Processor
from trailsieve.engine.read_ahead import read_ahead
from trailsieve.engine.stats import Matched, RunStats
from trailsieve.model import Alert, Message, Position, Problem
from trailsieve.ports import Reader, Source

_MOST_OBSERVED = 100_000  # records of which an observer keeps what it saw before it is taken
_ALIVE_SECONDS = 5.0  # between polls, or signs of life to the source

T = TypeVar("T", bound=Matched)

# Processes what was polled, in order, in this process or in others. An empty poll is an empty epoch.
ProcessAll = Callable[[Iterable[Sequence[Message]]], Iterable[Processed]]


def per_message(
    processor: Processor,
    open_reader: Callable[[], Reader] | None = None,
    on_read: Callable[[int], None] = lambda size: None,
) -> ProcessAll:
    """Makes each message an epoch of its own: for files and objects.

    Args:
        open_reader: opens what reads the messages that the source leaves unread.
        on_read: called with the bytes of each of these.
    """

    def process(polled: Iterable[Sequence[Message]]) -> Iterator[Processed]:
        for messages in read_ahead(polled, open_reader, on_read) if open_reader else polled:
            if not messages:
                yield (), BatchResult()
            for message in messages:
                result = processor.process(message)
                result.observed = processor.observed(_MOST_OBSERVED)
                yield (message,), result
        if observed := processor.observed():
            yield (), BatchResult(observed=observed)

    return process


def per_batch(processor: Processor) -> ProcessAll:
    """Makes each poll an epoch, or several when much is unwrapped from it: for streams of small messages."""
    return lambda polled: chain.from_iterable(map(processor.process_poll, polled))


@dataclass(slots=True)
class Pipeline:
    """A source, a rule set and sinks, wired together.

    Attributes:
        on_problem: called with each problem: to report it, to save it as a dead letter.
        alarms: the alarms of the rules that have one.
        on_observed: called with what an observer collected.
        accepted: what sinks accepted of epochs that were never committed.
        commit_every: seconds for which epochs wait to be saved together; 0 saves each at once.
        unreadable: watches how much cannot be read.
        ends: whether the end of the source is the end of all events, at which every period is closed.
        info: shows the operator a line about what arrives, each line once.
        stopping: asked between epochs; once it is true, what was polled is finished and `run` returns.
    """

    source: Source
    process: ProcessAll
    delivery: Delivery | DirectDelivery
    on_problem: Sequence[Callable[[Problem], None]]
    stats: RunStats = field(default_factory=RunStats)
    checkpoint: Checkpoint = field(default_factory=MemoryCheckpoint)
    seen: RecentIds = field(default_factory=RecentIds)
    alarms: AlarmEvaluation = field(default_factory=lambda: Alarms(()))
    on_observed: Callable[[bytes], None] = lambda observed: None
    accepted: Accepted = field(default_factory=Accepted)
    commit_every: float = 0
    unreadable: UnreadableShare = field(default_factory=UnreadableShare)
    ends: bool = True
    stopping: Callable[[], bool] = lambda: False
    info: Callable[[str], None] = lambda text: None
    _shown: set[str] = field(default_factory=set)
    _alive_at: float = field(default_factory=time.monotonic)
    _commits: GroupCommit = field(init=False)

    def __post_init__(self) -> None:
        self._commits = GroupCommit(self.checkpoint, self.source.commit, self.commit_every)

    def run(self) -> RunStats:
        """Works until the source is exhausted or `stopping` is true, and returns the counts.

        Raises:
            SourceError, SinkError, CheckpointError, DeadLetterError: going on would lose something.
            StoppedError: `stopping` became true while a required sink or the shared table was down.
        """
        self.source.start(self.checkpoint.positions())
        for identity in self.checkpoint.ids():
            self.seen.add(identity)
        state = self.checkpoint.state()
        self.accepted.restore(state)
        self.alarms.restore(state, self.checkpoint.samples())
        try:
            for messages, result in self.process(self._polled()):
                self.epoch(messages, result)
                self._keep_alive_if_due()
            if self.ends and self.source.exhausted:
                self._finish()
        finally:
            self._commits.flush()
        return self.stats

    def epoch(self, messages: Sequence[Message], result: BatchResult) -> None:
        """Delivers what the messages held, then commits them."""
        self._save_starts(messages)
        alerts = self._new(result.alerts)
        samples = self._new(result.samples)
        ids = [alert.id for alert in alerts] + [sample.id for sample in samples]
        self.alarms.add(samples)
        self.alarms.add_misses(result.misses)
        self.alarms.observe(result.newest, result.oldest)
        for message in messages:
            if message.watermark:
                self.alarms.mark(message.watermark)
        # A provisional alert costs a write of its own: no more of them than of other writes.
        alerts += self.alarms.advance(early=self._commits.is_due)
        self.stats.add(result)
        for observed in result.observed:
            self.on_observed(observed)
        self._report(result)
        self._raise(alerts, ids, [message.position for message in messages if not message.watermark])
        self.unreadable.add(result.messages, result.lost, result.problems)

    def _save_starts(self, messages: Sequence[Message]) -> None:
        """Saves the markers before the first record: a crash in delivery must not lose the start."""
        markers = takewhile(lambda message: message.marker, messages)
        starts = [message.position for message in markers if not message.watermark]
        if starts:
            self._commits.add(Epoch(starts))
            self._commits.flush()

    def _raise(self, alerts: Sequence[Alert], ids: Sequence[str], positions: Sequence[Position]) -> None:
        self.stats.raised(alerts)
        announced = self.alarms.announce()
        if announced:
            self._commits.add(Epoch(state=announced))
            self._commits.flush()
        self.delivery.deliver(alerts)
        self.alarms.delivered()
        changes = self.alarms.changes()
        accepted = self.accepted.committed(alerts)
        if positions or ids or changes or accepted:
            state = {**changes.state, **accepted}
            self._commits.add(Epoch(positions, ids, state, changes.samples, changes.expired))
        self._commits.flush_if_due()

    def _finish(self) -> None:
        """Closes every period. The alarms' state is kept as it was: a source may go on where it ended."""
        alerts = [alert for alert in self.alarms.close() if self.seen.add(alert.id)]
        self.stats.raised(alerts)
        self.delivery.deliver(alerts)
        if alerts:
            self._commits.add(
                Epoch(ids=[alert.id for alert in alerts], state=self.accepted.committed(alerts))
            )

    def _report(self, result: BatchResult) -> None:
        for advice in (*result.advice, *self._alarm_advice(result)):
            if advice not in self._shown:
                self._shown.add(advice)
                self.info(advice)
        for problem in result.problems:
            for handle in self.on_problem:
                handle(problem)

    def _alarm_advice(self, result: BatchResult) -> Iterator[str]:
        self.stats.late, self.stats.over_max_keys = self.alarms.late, self.alarms.over_max_keys
        for rule in self.stats.late:
            yield f"rule {rule}: events arrive after its alarm's allowed_lateness and do not count; raise it"
        for rule in self.stats.over_max_keys:
            yield f"rule {rule}: more dimension values than its alarm's max_keys; new ones count together"
        for rule, reasons in result.expired.items():
            for reason in reasons:
                yield f"rule {rule}: the exception {reason!r} has expired; what it hid counts again"

    def _polled(self) -> Iterator[Sequence[Message]]:
        while not self.source.exhausted and not self.stopping():
            messages = self.source.poll()
            self._alive_at = time.monotonic()
            yield messages

    def _keep_alive_if_due(self) -> None:
        """Polls that take long to process must not cost a membership."""
        if time.monotonic() - self._alive_at > _ALIVE_SECONDS:
            self.source.keep_alive()
            self._alive_at = time.monotonic()

    def _new(self, found: Sequence[T]) -> list[T]:
        """The matches that were not found before."""
        new = []
        for item in found:
            is_new = self.seen.add(item.id)
            self.stats.matched(item, duplicate=not is_new)
            if is_new:
                new.append(item)
        return new
