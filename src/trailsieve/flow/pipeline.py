"""One epoch after another: poll → examine → deliver → checkpoint → commit.

The order is the guarantee: a position is kept only after every required sink has accepted the alerts before
it, so a crash at any point repeats alerts (with the same ids) and never loses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from trailsieve.flow.checkpoint import Checkpoint, Epoch, MemoryCheckpoint
from trailsieve.flow.deadletter import DeadLetters
from trailsieve.flow.deliver import Delivery
from trailsieve.flow.examine import Examiner, Findings
from trailsieve.flow.seen import RecentIds
from trailsieve.flow.summary import Summary
from trailsieve.model import Alert, Message
from trailsieve.ports import Source

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
        advise: told, once each, what the person who runs this ought to know of what comes in.
        stopping: asked between epochs; once it is true, what was polled is finished and `run` returns.
    """

    source: Source
    examine: ExamineAll
    delivery: Delivery
    dead_letters: Sequence[DeadLetters]
    summary: Summary = field(default_factory=Summary)
    checkpoint: Checkpoint = field(default_factory=MemoryCheckpoint)
    seen: RecentIds = field(default_factory=RecentIds)
    stopping: Callable[[], bool] = lambda: False
    advise: Callable[[str], None] = lambda text: None
    _advised: set[str] = field(default_factory=set)

    def run(self) -> Summary:
        """Works until the source is exhausted, or told to stop."""
        self.source.start(self.checkpoint.positions())
        for identity in self.checkpoint.ids():
            self.seen.add(identity)
        for messages, findings in self.examine(self._polled()):
            self.epoch(messages, findings)
        return self.summary

    def epoch(self, messages: Sequence[Message], findings: Findings) -> None:
        """Delivers what the messages held, then commits them."""
        alerts = self._new(findings.alerts)
        self.summary.saw(findings)
        for advice in findings.advice:
            if advice not in self._advised:
                self._advised.add(advice)
                self.advise(advice)
        for problem in findings.problems:
            self.summary.refused(problem)
            for letters in self.dead_letters:
                letters.add(problem)
        self.delivery.deliver(alerts)
        positions = [message.position for message in messages]
        if positions:
            self.checkpoint.save(Epoch(positions, [alert.id for alert in alerts]))
            self.source.commit(positions)

    def _polled(self) -> Iterator[Sequence[Message]]:
        while not self.source.exhausted and not self.stopping():
            yield self.source.poll()

    def _new(self, alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts that were not raised before."""
        new = []
        for alert in alerts:
            is_new = self.seen.add(alert.id)
            self.summary.matched(alert, repeated=not is_new)
            if is_new:
                new.append(alert)
        return new
