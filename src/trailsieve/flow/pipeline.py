"""One epoch after another: poll → examine → deliver → checkpoint → commit.

The order is the guarantee: a position is kept only after every sink has accepted the alerts before it, so a
crash at any point repeats alerts (with the same ids) and never loses one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from trailsieve.flow.checkpoint import Checkpoint, MemoryCheckpoint
from trailsieve.flow.deadletter import DeadLetters
from trailsieve.flow.examine import Examiner, Findings
from trailsieve.flow.seen import RecentIds
from trailsieve.flow.summary import Summary
from trailsieve.model import Alert, Message
from trailsieve.ports import Sink, Source

# Examines messages and gives each with its findings, in order: in this process or in others.
ExamineAll = Callable[[Iterable[Message]], Iterable[tuple[Message, Findings]]]


def in_this_process(examiner: Examiner) -> ExamineAll:
    """Examines one message after another."""
    return lambda messages: ((message, examiner.examine(message)) for message in messages)


@dataclass(slots=True)
class Pipeline:
    """A source, a rule set and sinks, wired together."""

    source: Source
    examine: ExamineAll
    sinks: Sequence[Sink]
    dead_letters: Sequence[DeadLetters]
    summary: Summary = field(default_factory=Summary)
    checkpoint: Checkpoint = field(default_factory=MemoryCheckpoint)
    seen: RecentIds = field(default_factory=RecentIds)

    def run(self) -> Summary:
        """Works until the source is exhausted."""
        for message, findings in self.examine(self._messages()):
            self.epoch(message, findings)
        return self.summary

    def epoch(self, message: Message, findings: Findings) -> None:
        """Delivers what a message held, then commits the message."""
        alerts = self._new(findings.alerts)
        self.summary.saw(findings)
        for problem in findings.problems:
            self.summary.refused(problem)
            for letters in self.dead_letters:
                letters.add(problem)
        for sink in self.sinks:
            sink.deliver(alerts)
        self.checkpoint.save([message.position])
        self.source.commit([message.position])

    def _messages(self) -> Iterator[Message]:
        while not self.source.exhausted:
            yield from self.source.poll()

    def _new(self, alerts: Sequence[Alert]) -> list[Alert]:
        """The alerts that were not raised before."""
        new = []
        for alert in alerts:
            is_new = self.seen.add(alert.id)
            self.summary.matched(alert, repeated=not is_new)
            if is_new:
                new.append(alert)
        return new
