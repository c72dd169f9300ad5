"""One epoch after another: poll → examine → alarm → deliver → checkpoint → commit.

The order is the guarantee: a position is kept only after every required sink has accepted the alerts before
it, so a crash at any point repeats alerts (with the same ids) and never loses one. The alarms' state is kept
together with the positions, so no event is counted twice or forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from trailsieve.alarms.evaluator import Alarms
from trailsieve.engine.checkpoint import Checkpoint, Epoch, MemoryCheckpoint
from trailsieve.engine.dead_letters import DeadLetters
from trailsieve.engine.dedup import RecentIds
from trailsieve.engine.delivery import Delivery, DirectDelivery
from trailsieve.engine.processor import Examiner, Findings
from trailsieve.engine.stats import Summary
from trailsieve.model import Alert, Message, Position
from trailsieve.ports import Source

T = TypeVar("T")

Examined = tuple[Sequence[Message], Findings]
# Examines what was polled, in order: in this process or in others. An empty poll is an empty epoch.
ExamineAll = Callable[[Iterable[Sequence[Message]]], Iterable[Examined]]


def one_by_one(examiner: Examiner) -> ExamineAll:
    """Each message is an epoch of its own: for files and objects."""

    def examine(polled: Iterable[Sequence[Message]]) -> Iterator[Examined]:
        for messages in polled:
            if not messages:
                yield (), Findings()
            for message in messages:
                yield (message,), examiner.examine(message)

    return examine


def together(examiner: Examiner) -> ExamineAll:
    """What was polled together is one epoch: for streams of small messages."""
    return lambda polled: ((messages, examiner.together(messages)) for messages in polled)


@dataclass(slots=True)
class Pipeline:
    """A source, a rule set and sinks, wired together.

    Attributes:
        alarms: of the rules that have one.
        ends: whether the end of the source is the end of all events, at which every period is closed.
        advise: told, once each, what the person who runs this ought to know of what comes in.
        stopping: asked between epochs; once it is true, what was polled is finished and `run` returns.
    """

    source: Source
    examine: ExamineAll
    delivery: Delivery | DirectDelivery
    dead_letters: Sequence[DeadLetters]
    summary: Summary = field(default_factory=Summary)
    checkpoint: Checkpoint = field(default_factory=MemoryCheckpoint)
    seen: RecentIds = field(default_factory=RecentIds)
    alarms: Alarms = field(default_factory=lambda: Alarms(()))
    ends: bool = True
    stopping: Callable[[], bool] = lambda: False
    advise: Callable[[str], None] = lambda text: None
    _advised: set[str] = field(default_factory=set)

    def run(self) -> Summary:
        """Works until the source is exhausted, or told to stop."""
        self.source.start(self.checkpoint.positions())
        for identity in self.checkpoint.ids():
            self.seen.add(identity)
        self.alarms.restore(self.checkpoint.state())
        for messages, findings in self.examine(self._polled()):
            self.epoch(messages, findings)
        if self.ends and self.source.exhausted:
            self._raise(self.alarms.close(), [], [])
        return self.summary

    def epoch(self, messages: Sequence[Message], findings: Findings) -> None:
        """Delivers what the messages held, then commits them."""
        alerts = self._new(findings.alerts, lambda alert: alert)
        samples = self._new(findings.samples, lambda sample: sample.alert)
        ids = [alert.id for alert in alerts] + [sample.alert.id for sample in samples]
        self.alarms.add(samples)
        self.alarms.add_misses(findings.misses)
        alerts += self.alarms.advance(findings.newest, heard=any(not m.marker for m in messages))
        self.summary.saw(findings)
        self._report(findings)
        self._raise(alerts, ids, [message.position for message in messages])

    def _raise(self, alerts: Sequence[Alert], ids: Sequence[str], positions: Sequence[Position]) -> None:
        self.summary.raised(alerts)
        self.delivery.deliver(alerts)
        state = self.alarms.changes()
        if positions or state:
            self.checkpoint.save(Epoch(positions, ids, state))
        if positions:
            self.source.commit(positions)

    def _report(self, findings: Findings) -> None:
        for advice in (*findings.advice, *self._alarm_advice(findings)):
            if advice not in self._advised:
                self._advised.add(advice)
                self.advise(advice)
        for problem in findings.problems:
            self.summary.refused(problem)
            for letters in self.dead_letters:
                letters.add(problem)

    def _alarm_advice(self, findings: Findings) -> Iterator[str]:
        self.summary.late, self.summary.crowded = self.alarms.late, self.alarms.crowded
        for rule in self.summary.late:
            yield f"rule {rule}: events come later than its alarm's allowed_lateness: not counted; raise it"
        for rule in self.summary.crowded:
            yield f"rule {rule}: more dimension values than its alarm's max_keys: new ones count together"
        for rule, reasons in findings.expired.items():
            for reason in reasons:
                yield f"rule {rule}: the exception {reason!r} has expired: what it hid counts again"

    def _polled(self) -> Iterator[Sequence[Message]]:
        while not self.source.exhausted and not self.stopping():
            yield self.source.poll()

    def _new(self, found: Sequence[T], alert_of: Callable[[T], Alert]) -> list[T]:
        """What was not found before: alerts, or samples by the alert of their match."""
        new = []
        for item in found:
            alert = alert_of(item)
            is_new = self.seen.add(alert.id)
            self.summary.matched(alert, repeated=not is_new)
            if is_new:
                new.append(item)
        return new
