"""Processes of one group that read shards and count alarms: they die, come back and hand over their shards."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.alarms.shared_table import DiedError, MemoryTable
from tests.alarms.worlds import LATER
from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.alarms.protocol import AlarmEvaluation
from trailsieve.alarms.rule_alarm import RuleAlarm
from trailsieve.alarms.shared.alarms import SharedAlarms
from trailsieve.alarms.shared.table import Table
from trailsieve.engine.checkpoint import Epoch, MemoryCheckpoint
from trailsieve.model import Alert, Position, Watermark
from trailsieve.rules.rule import Rule

LEASE = 10.0


@dataclass
class Clock:
    """A monotonic clock that is set by hand."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


class State(Protocol):
    """Where the alarms of a group are kept: what a contract test needs of it."""

    most_members: int

    def start(self, rule: Rule, clock: Clock) -> AlarmEvaluation:
        """The alarms of a new process."""

    def keep(self, epoch: Epoch) -> None:
        """The checkpoint of the process that runs."""

    def positions(self, group: Mapping[str, int]) -> dict[str, int]:
        """Where a process goes on."""


class LocalState:
    """The checkpoint of one process, which holds the alarms too."""

    most_members = 1

    def __init__(self) -> None:
        self.checkpoint = MemoryCheckpoint()

    def start(self, rule: Rule, clock: Clock) -> AlarmEvaluation:
        alarms = Alarms([rule], live=Live(now=lambda: LATER, monotonic=clock))
        alarms.restore(self.checkpoint.state(), self.checkpoint.samples())
        return alarms

    def keep(self, epoch: Epoch) -> None:
        self.checkpoint.save(epoch)

    def positions(self, group: Mapping[str, int]) -> dict[str, int]:
        return {shard: int(offset) for shard, offset in self.checkpoint.positions().items()}


class SharedState:
    """A table that all processes share."""

    most_members = 3

    def __init__(self, table: Table) -> None:
        self.table = table

    def start(self, rule: Rule, clock: Clock) -> AlarmEvaluation:
        live = Live(now=lambda: LATER, monotonic=clock)
        return SharedAlarms([rule], self.table, live, lease=LEASE, step=0)

    def keep(self, epoch: Epoch) -> None:
        """The group's offsets are committed after it."""

    def positions(self, group: Mapping[str, int]) -> dict[str, int]:
        return dict(group)


@dataclass(eq=False)
class Member:
    """A process: its alarms, its shards, and where it stands in them."""

    alarms: AlarmEvaluation
    shards: dict[str, int] = field(default_factory=dict)


class Group:
    """Reads every shard to its end, in random epochs.

    Args:
        shards: the samples of each shard, as they arrive.
        rng: decides everything.
        moves: how likely an epoch ends with a hand-over of a shard, or a death.
    """

    def __init__(
        self,
        rule: Rule,
        shards: Mapping[str, Sequence[Sample]],
        state: State,
        rng: random.Random,
        moves: float,
    ) -> None:
        self.rule, self.samples, self.state, self.rng, self.moves = rule, shards, state, rng, moves
        self.clock = Clock()
        self.committed = dict.fromkeys(shards, 0)
        self.sink: list[Alert] = []
        self.members: list[Member] = []
        self.busy: list[Member] = []
        if isinstance(state, SharedState) and isinstance(state.table, MemoryTable):
            state.table.meanwhile = self.meanwhile

    def run(self) -> list[Alert]:
        """What is delivered until every period is closed."""
        self.balance(joining=True)
        while any(self.committed[shard] < len(samples) for shard, samples in self.samples.items()):
            self.attempt(self.rng.choice(self.members), self.read)
            if self.rng.random() < self.moves:
                self.move()
        for dangerous in [True] * 5 + [False] * 20:
            self.moves *= dangerous
            for member in list(self.members):
                if member in self.members:
                    self.attempt(member, self.finish)
        return self.sink

    def attempt(self, member: Member, work: Callable[[Member], None]) -> None:
        """Lets a member work; one that dies at it is replaced."""
        self.clock.seconds += self.rng.uniform(0, 3)
        self.busy.append(member)
        try:
            work(member)
        except DiedError:
            self.members.remove(member)
            self.balance(joining=not self.members)
        finally:
            self.busy.remove(member)

    def read(self, member: Member) -> None:
        """One epoch, and the commit of its offsets, unless its shards were revoked in the meantime."""
        epoch: list[Sample] = []
        newest: dict[str, int] = {}
        oldest: dict[str, int] = {}
        offsets: dict[str, int] = {}
        assigned = member.shards
        for shard in self.rng.sample(sorted(assigned), self.rng.randint(0, len(assigned))):
            start = assigned[shard]
            offsets[shard] = start + self.rng.choice([1, 1, 2, 5])
            found = self.samples[shard][start : offsets[shard]]
            offsets[shard] = start + len(found)
            epoch += found
            if found:
                newest[shard] = max(sample.seconds for sample in found)
                oldest[shard] = min(sample.seconds for sample in found)
        member.alarms.add(epoch)
        member.alarms.observe(newest, oldest)
        self.evaluate(member, offsets)
        if member.shards is assigned:
            assigned |= offsets
            if self.rng.random() > self.moves:
                self.committed |= offsets

    def finish(self, member: Member) -> None:
        """Says that the shards are read to their end, so far that every period is closed."""
        alarm = self.rule.alarm
        assert alarm
        last = max(sample.seconds for samples in self.samples.values() for sample in samples)
        end = RuleAlarm(self.rule, alarm).end(last) + alarm.allowed_lateness
        for shard in member.shards:
            member.alarms.mark(Watermark(shard, float(end)))
        self.evaluate(member, {})

    def evaluate(self, member: Member, offsets: Mapping[str, int]) -> None:
        """What the pipeline does."""
        alerts = member.alarms.advance(early=self.rng.random() < 0.8)
        self.state.keep(Epoch(state=member.alarms.announce()))
        self.stand_still_or_die()
        self.sink += alerts
        self.stand_still_or_die()
        member.alarms.delivered()
        changes = member.alarms.changes()
        positions = [Position(shard, offset) for shard, offset in offsets.items()]
        self.state.keep(Epoch(positions, (), changes.state, changes.samples, changes.expired))

    def stand_still_or_die(self) -> None:
        """At times the others go on for longer than the lease, in the middle of an epoch."""
        if self.rng.random() < self.moves / 4:
            raise DiedError
        if self.rng.random() < self.moves / 8:
            for other in self.idle():
                self.clock.seconds += 2 * LEASE
                if other in self.members:
                    self.attempt(other, self.read)

    def meanwhile(self) -> None:
        """At times another process works, or this one dies, in the middle of a request."""
        if self.rng.random() < self.moves / 40:
            raise DiedError
        if self.rng.random() < self.moves / 10 and self.idle():
            self.attempt(self.rng.choice(self.idle()), self.read)

    def idle(self) -> list[Member]:
        """Those that are not in the middle of an epoch."""
        return [member for member in self.members if member not in self.busy]

    def move(self) -> None:
        """A member joins, leaves, or stands still for longer than its lease."""
        choice = self.rng.random()
        if choice < 0.4 and len(self.members) < self.state.most_members:
            self.balance(joining=True)
        elif choice < 0.6 and len(self.members) > 1:
            gone = self.members.pop(self.rng.randrange(len(self.members)))
            if isinstance(gone.alarms, SharedAlarms) and self.rng.random() < 0.5:
                with contextlib.suppress(DiedError):
                    gone.alarms.leave()
            self.balance()
        else:
            self.clock.seconds += 2 * LEASE

    def balance(self, *, joining: bool = False) -> None:
        """Deals the shards out anew."""
        if joining:
            self.members.append(Member(self.state.start(self.rule, self.clock)))
        for member in self.members:
            for shard in self.samples if not member.shards else member.shards:
                member.alarms.mark(Watermark(shard, elsewhere=True))
            member.shards = {}
        known = self.state.positions(self.committed)
        for number, shard in enumerate(sorted(self.samples)):
            member = self.members[number % len(self.members)]
            member.shards[shard] = known.get(shard, 0)
            member.alarms.mark(Watermark(shard))
