"""One epoch after another: poll → decode → match → deliver → checkpoint → commit.

The order is the guarantee: a position is kept only after every sink has accepted the alerts before it, so a
crash at any point repeats alerts (with the same ids) and never loses one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trailsieve.flow.alert import alert_of
from trailsieve.flow.checkpoint import Checkpoint, MemoryCheckpoint
from trailsieve.flow.deadletter import DeadLetters
from trailsieve.flow.decode import Decoder
from trailsieve.flow.matcher import Matcher
from trailsieve.flow.seen import RecentIds
from trailsieve.flow.summary import Summary
from trailsieve.model import Alert, Message, Problem
from trailsieve.ports import Sink, Source


@dataclass(slots=True)
class Pipeline:
    """A source, a rule set and sinks, wired together."""

    source: Source
    decoder: Decoder
    matcher: Matcher
    sinks: Sequence[Sink]
    dead_letters: Sequence[DeadLetters]
    summary: Summary = field(default_factory=Summary)
    checkpoint: Checkpoint = field(default_factory=MemoryCheckpoint)
    seen: RecentIds = field(default_factory=RecentIds)

    def run(self) -> Summary:
        """Works until the source is exhausted."""
        while not self.source.exhausted:
            self.epoch(self.source.poll())
        return self.summary

    def epoch(self, messages: Sequence[Message]) -> None:
        """Works on these messages and commits them."""
        alerts = [alert for message in messages for alert in self._alerts(message)]
        for sink in self.sinks:
            sink.deliver(alerts)
        positions = [message.position for message in messages]
        self.checkpoint.save(positions)
        self.source.commit(positions)

    def _alerts(self, message: Message) -> list[Alert]:
        decoded = self.decoder.decode(message)
        alerts = []
        for found in self.matcher.match(decoded):
            if isinstance(found, Problem):
                self._refuse(found)
                continue
            alert = alert_of(found)
            is_new = self.seen.add(alert.id)
            self.summary.matched(alert, repeated=not is_new)
            if is_new:
                alerts.append(alert)
        self.summary.saw(decoded)
        for problem in decoded.problems:
            self._refuse(problem)
        return alerts

    def _refuse(self, problem: Problem) -> None:
        self.summary.refused(problem)
        for letters in self.dead_letters:
            letters.add(problem)
