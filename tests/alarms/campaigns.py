"""Campaigns against alarms, in virtual time: a stream that is behind, away, paused, killed or moved about.

A world has events that reach its shards late and out of order, a source that reads them as well as the day
allows, and a clock that may be wrong. Whatever happens, the final alerts are those of a replay.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.alarms.worlds import NOTHING, START, Kept, event, reference_of
from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.clock import TrustedClock
from trailsieve.engine.checkpoint import Checkpoint, Epoch, SqliteCheckpoint
from trailsieve.engine.decode import Decoder
from trailsieve.engine.delivery import DirectDelivery
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.pipeline import Pipeline, per_batch, per_message
from trailsieve.engine.processor import Processor
from trailsieve.errors import CheckpointError
from trailsieve.model import ALARM_STATES, Alert, Message, Offset, Position, watermark_message
from trailsieve.pattern.compiler import compile
from trailsieve.rules.alarm import Alarm, Metric, Reference
from trailsieve.rules.alarm_checks import completed
from trailsieve.rules.rule import Rule
from trailsieve.sources.memory import MemorySource
from trailsieve.trail.selection import Selection

DAY = 86_400.0
LENGTH = 2400  # seconds of events
LATENESS = (30, 120, 300, 900)
LAST = LENGTH + 2 * max(LATENESS)  # when the last event comes, in seconds after START
END = START + LAST
Kind = Literal["ordered", "objects"]
CALLS = ("CreateUser", "CreateAccessKey", "ListUsers")


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass(frozen=True)
class Arrival:
    """An event and when it reached its shard, in seconds after START."""

    at: float
    shard: str
    record: Mapping[str, Any]


@dataclass
class Plan:
    """What a campaign does, drawn from its seed.

    Attributes:
        away: when the other side cannot be reached, in seconds of the run.
        steps: the clock's error from a second of the run on.
        begins: seconds after START at which the service starts: later means a backlog.
    """

    kind: Kind
    lateness: int
    shards: int
    begins: float
    away: list[tuple[float, float]] = field(default_factory=list)
    steps: list[tuple[float, float]] = field(default_factory=list)
    latency: float = 0.1
    pauses: float = 0.0
    blocks: float = 0.0
    rebalances: float = 0.0
    kills: float = 0.0
    refusals: float = 0.0
    duplicates: float = 0.0
    one_by_one: bool = False
    commit_every: float = 0.0
    name: str = ""


def plan_of(chance: random.Random) -> Plan:
    """A campaign: one or several things go wrong."""
    plan = Plan(
        kind=chance.choice(["ordered", "ordered", "objects"]),
        lateness=chance.choice(LATENESS),
        shards=chance.randint(1, 4),
        begins=chance.choice([0.0, 0.0, 600.0, LENGTH, 4 * 3600.0, 12 * 3600.0]),
        latency=chance.choice([0.02, 0.1, 0.4, 2.0]),
        one_by_one=chance.random() < 0.4,
        commit_every=chance.choice([0.0, 0.2, 5.0]),
        duplicates=chance.choice([0.0, 0.1]),
    )
    faults: dict[str, Callable[[], None]] = {
        "away": lambda: plan.away.extend(_spells(chance)),
        "clock": lambda: plan.steps.extend(_steps(chance)),
        "paused": lambda: setattr(plan, "pauses", 0.02),
        "sink down": lambda: setattr(plan, "blocks", 0.1),
        "rebalanced": lambda: setattr(plan, "rebalances", 0.03 if plan.kind == "ordered" else 0.0),
        "killed": lambda: setattr(plan, "kills", 0.05),
        "disk full": lambda: setattr(plan, "refusals", 0.05),
    }
    chosen = chance.sample(sorted(faults), chance.choice([0, 1, 1, 2, 3]))
    for name in chosen:
        faults[name]()
    plan.name = "several at once" if len(chosen) > 1 else "".join(chosen) or "undisturbed"
    return plan


def _spells(chance: random.Random) -> list[tuple[float, float]]:
    starts = [0.0, *(chance.uniform(0, LENGTH) for _ in range(3))]
    return [(start, start + chance.choice([5, 65, 400])) for start in starts if chance.random() < 0.6]


def _steps(chance: random.Random) -> list[tuple[float, float]]:
    """The clock is set two days ahead or back, for seconds or minutes, or is wrong from the start."""
    at = chance.choice([0.0, chance.uniform(20, 600)])
    ahead = chance.random() < 0.5
    lasts = 3.0 if ahead else chance.choice([3.0, 120.0])
    return [(at, 2 * DAY if ahead else -2 * DAY), (at + lasts, 0.0)]


class World:
    """What there is, and what time it is.

    Attributes:
        elapsed: seconds of the run, as a monotonic clock counts them.
    """

    def __init__(self, plan: Plan, chance: random.Random) -> None:
        self.plan = plan
        self.chance = chance
        self.elapsed = 0.0
        self.arrivals = sorted(_arrivals(plan, chance), key=lambda arrival: arrival.at)

    @property
    def now(self) -> float:
        """The true time, in seconds after START."""
        return self.plan.begins + self.elapsed

    def monotonic(self) -> float:
        return self.elapsed

    def wall(self) -> float:
        """What the machine's clock shows."""
        wrong = [error for at, error in self.plan.steps if at <= self.elapsed]
        return START + self.now + (wrong[-1] if wrong else 0.0)

    def spend(self, seconds: float) -> None:
        self.elapsed += seconds

    @property
    def away(self) -> bool:
        return any(start <= self.elapsed < end for start, end in self.plan.away)


def _arrivals(plan: Plan, chance: random.Random) -> Iterable[Arrival]:
    """Events in bursts with silence between, late by up to the lateness, and a quiet last one."""
    seconds, number = 0.0, 0
    while seconds < LENGTH:
        rate = chance.choice([1, 3, 10, 40])
        until = seconds + chance.choice([20, 60, 240])
        while (seconds := seconds + chance.expovariate(1 / rate)) < min(until, LENGTH):
            number += 1
            delay = chance.choice([0, 0, chance.uniform(0, plan.lateness - 1)])
            shard = f"s/{chance.randrange(plan.shards)}"
            record = _record(number, int(seconds), chance)
            yield Arrival(seconds + delay, shard, record)
            if chance.random() < plan.duplicates:
                again = chance.uniform(delay, plan.lateness - 1)
                yield Arrival(seconds + again, shard, record)
        if chance.random() < 0.3:
            seconds += chance.choice([60, 300])
    for place in range(plan.shards):
        yield Arrival(LAST, f"s/{place}", event(10**6 + place, LAST, errorCode="None"))


def _text(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record).encode()


def _record(number: int, seconds: int, chance: random.Random) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "size": chance.randint(0, 3),
        "sourceIPAddress": f"10.0.0.{chance.randrange(5)}",
        "eventName": chance.choice(CALLS),
    }
    if chance.random() < 0.4:
        fields["errorCode"] = "None"
    return event(number, seconds, chance.choice(["mia", "tom", "eve"]), **fields)


def rules_of(plan: Plan, chance: random.Random) -> list[Rule]:
    """One rule of each kind of alarm, their numbers drawn."""

    def some(**more: Any) -> Alarm:
        periods = chance.randint(1, 4)
        drawn: dict[str, Any] = {
            "threshold": chance.randint(1, 4),
            "period": chance.choice([10, 60]),
            "evaluation_periods": periods,
            "datapoints_to_alarm": chance.randint(1, periods),
            "notify": chance.choice([("ALARM",), ALARM_STATES]),
            "allowed_lateness": plan.lateness,
        }
        return Alarm(**{**drawn, **more})

    who = (reference_of("$.userIdentity.arn"),)
    size = Metric(value=reference_of("$.size"))
    alarms: dict[str, tuple[Alarm, Metric]] = {
        "threshold": (some(evaluation_periods=1, datapoints_to_alarm=1), Metric()),
        "default": (some(), Metric(default=0)),
        "suppress": (some(suppress=chance.choice([120, 600])), Metric()),
        "by": (some(by=who, suppress=chance.choice([0, 300])), Metric()),
        "distinct": (some(count_distinct=reference_of("$.sourceIPAddress"), threshold=3), Metric()),
        "average": (some(statistic="Average", comparison=chance.choice([">", "<"]), threshold=1.5), size),
        "maximum": (some(statistic="Maximum", comparison=">", threshold=2, by=who), size),
        "absent": (completed(Alarm(absent_for=60, allowed_lateness=plan.lateness), ()), Metric()),
        "absent by": (completed(Alarm(absent_for=120, by=who, allowed_lateness=plan.lateness), ()), Metric()),
    }
    for missing in ("missing", "notBreaching", "breaching", "ignore"):
        alarms[missing] = some(missing=missing), Metric()
    pattern = compile('{ $.errorCode = "AccessDenied" }')
    rules = [Rule(name, name, "high", pattern, alarm=a, metric=m) for name, (a, m) in alarms.items()]
    return rules + _sequences(plan, who, chance)


def _sequences(plan: Plan, who: tuple[Reference, ...], chance: random.Random) -> list[Rule]:
    """Two and three calls in a row, by one actor and by anybody, and the rules that match them."""
    calls = [
        Rule(name, name, "low", compile(f'{{ $.eventName = "{name}" }}'), enabled=False) for name in CALLS
    ]
    rules = []
    for number, by in ((2, who), (3, ())):
        steps = tuple(chance.choice(CALLS) for _ in range(number))
        alarm = Alarm(
            sequence=steps,
            within=chance.choice([5, 30, 300]),
            period=1,
            by=by,
            allowed_lateness=plan.lateness,
            suppress=chance.choice([0, 120]),
        )
        rules.append(Rule(f"sequence of {number}", "In a row", "high", NOTHING, alarm=alarm))
    return rules + calls


class CampaignSource:
    """Shards that are read one batch at a time, as the day allows."""

    selection = Selection()

    def __init__(
        self, world: World, clock: TrustedClock, done: set[int], reached: Callable[[], int | None]
    ) -> None:
        self._reached = reached
        self._world = world
        self._clock = clock
        self._done = done  # objects that were deleted from the queue
        self._objects = world.plan.kind == "objects"
        self.whole_objects = self._objects
        self.open_reader = None
        self.ordered = not self._objects
        self._read: dict[str, int] = {}
        self._taken: set[int] = set()
        self._marked: dict[str, float] = {}
        self._assigned = False
        self._shards: dict[str, list[Arrival]] = {}
        for arrival in world.arrivals:
            self._shards.setdefault("queue" if self._objects else arrival.shard, []).append(arrival)

    def start(self, positions: Mapping[str, Offset]) -> None:
        self._read = {shard: int(positions.get(shard, 0)) for shard in self._shards}
        self._taken = set(self._done)

    @property
    def exhausted(self) -> bool:
        """Whether event time has come to the last event, as it must: a stream has no other end."""
        reached = self._reached()
        return reached is not None and reached >= END

    def poll(self) -> Sequence[Message]:
        world, chance = self._world, self._world.chance
        world.spend(chance.expovariate(1 / world.plan.latency))
        if chance.random() < world.plan.pauses:
            world.spend(chance.choice([2, 65, 400]))  # the process was stopped
        if world.away:
            world.spend(1.0)
            return ()
        changed = self._rebalanced()
        messages = self._objects_read() if self._objects else self._batch_read()
        if not messages:
            world.spend(1.0)
        return [*changed, *messages, *self._marks()]

    def _rebalanced(self) -> list[Message]:
        lost = self._assigned and self._world.chance.random() < self._world.plan.rebalances
        if self._assigned and not lost:
            return []
        self._assigned = not lost
        if lost:
            self._world.spend(self._world.chance.choice([1, 10, 60]))
        return [watermark_message(shard, ended=lost) for shard in self._shards]

    def _batch_read(self) -> list[Message]:
        """The next records of a shard; with `one_by_one` a backlog is read one shard after the other."""
        if not self._assigned:
            return []
        shards = list(self._shards.items())
        if not self._world.plan.one_by_one:
            self._world.chance.shuffle(shards)
        for shard, arrivals in shards:
            start = self._read[shard]
            most = start + self._world.chance.choice([1, 5, 30])
            found = [a for a in arrivals[start:most] if a.at <= self._world.now]
            if found:
                self._read[shard] = start + len(found)
                return [
                    Message(_text(a.record), Position(shard, number), f"{shard}@{number}")
                    for number, a in enumerate(found, start + 1)
                ]
        return []

    def _objects_read(self) -> list[Message]:
        """Some of the objects that are there, in any order."""
        there = [n for n in self._waiting() if n not in self._taken]
        found = self._world.chance.sample(there, min(len(there), self._world.chance.choice([1, 5, 10])))
        self._taken |= set(found)
        arrivals = self._shards["queue"]
        return [Message(_text(arrivals[n].record), Position("queue", n), f"object-{n}") for n in found]

    def _waiting(self) -> list[int]:
        return [
            n for n, a in enumerate(self._shards["queue"]) if a.at <= self._world.now and n not in self._done
        ]

    def _marks(self) -> list[Message]:
        """What is read to its end, at most once a second."""
        now = self._clock.now()
        if now is None or not self._assigned:
            return []
        marks = []
        for shard in self._shards:
            due = self._world.elapsed - self._marked.get(shard, -1.0) >= 1
            if due and self._is_read(shard):
                self._marked[shard] = self._world.elapsed
                marks.append(watermark_message(shard, min(now, END)))
        return marks

    def _is_read(self, shard: str) -> bool:
        if self._objects:
            return all(n in self._taken for n in self._waiting())
        read, arrivals = self._read[shard], self._shards[shard]
        return read == len(arrivals) or arrivals[read].at > self._world.now

    def commit(self, positions: Iterable[Position]) -> None:
        if self._objects:
            self._done |= {int(position.offset) for position in positions}

    def keep_alive(self) -> None:
        self._world.spend(0.5)

    def check(self) -> str:
        return "ok"

    def close(self) -> None:
        """Nothing to release."""


class CampaignSink:
    """Keeps alerts, and holds the run up now and then."""

    overwrites = False

    def __init__(self, world: World) -> None:
        self._world = world
        self.alerts: list[Alert] = []

    def deliver(self, alerts: Sequence[Alert]) -> None:
        self._world.spend(0.01)
        if self._world.chance.random() < self._world.plan.blocks:
            self._world.spend(self._world.chance.choice([2, 65, 300]))
        _die(self._world)
        self.alerts += alerts
        _die(self._world)

    def check(self) -> str:
        return "ok"

    def close(self) -> None:
        """Nothing to release."""


class CampaignCheckpoint:
    """A checkpoint whose disk is full now and then, and whose process may die before or after a write."""

    def __init__(self, world: World, kept: Checkpoint) -> None:
        self._world = world
        self._kept = kept
        self._dead = False
        self.positions, self.ids, self.state, self.samples = (
            kept.positions,
            kept.ids,
            kept.state,
            kept.samples,
        )
        self.close, self.ensure_file = kept.close, kept.ensure_file

    def save(self, epoch: Epoch) -> None:
        if self._dead:
            raise KilledError
        try:
            _die(self._world)
            if self._world.chance.random() < self._world.plan.refusals:
                raise CheckpointError("the disk is full")
            self._kept.save(epoch)
            _die(self._world)
        except KilledError:
            self._dead = True
            raise


def _die(world: World) -> None:
    if world.chance.random() < world.plan.kills:
        raise KilledError


@dataclass
class Campaign:
    """One seed's rules, events and faults.

    Attributes:
        said: what the operator was told.
    """

    seed: int
    said: list[str] = field(default_factory=list)
    starts: int = 0

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.plan = plan_of(chance)
        self.world = World(self.plan, chance)
        self.rules = rules_of(self.plan, chance)
        self.sqlite = chance.random() < 0.3

    def replayed(self) -> list[Alert]:
        """What an uninterrupted replay of the events raises."""
        messages = [
            Message(_text(arrival.record), Position("s", number), f"s@{number}")
            for number, arrival in enumerate(self.world.arrivals, 1)
        ]
        sink = CampaignSink(World(Plan("ordered", 30, 1, 0.0), random.Random(0)))
        processor = Processor(Decoder(), Matcher(self.rules))
        Pipeline(
            source=MemorySource(messages, 100),
            process=per_batch(processor),
            delivery=DirectDelivery([sink]),
            on_problem=[],
            alarms=Alarms(self.rules),
        ).run()
        return sink.alerts

    def streamed(self, folder: Path) -> list[Alert]:
        """What the service raises, through all that happens to it."""
        sink, done, memory = CampaignSink(self.world), set[int](), Kept()
        while True:
            self.starts += 1
            assert self.starts < 1000, "it never ends"
            self.world.spend(self.world.chance.choice([0.5, 5, 30]) if self.starts > 1 else 0)
            kept: Checkpoint = SqliteCheckpoint(folder / f"{self.seed}.db") if self.sqlite else memory
            pipeline = self._pipeline(sink, done, CampaignCheckpoint(self.world, kept))
            try:
                pipeline.run()
                return sink.alerts
            except (KilledError, CheckpointError):
                continue
            finally:
                if self.sqlite:
                    kept.close()

    def _pipeline(self, sink: CampaignSink, done: set[int], checkpoint: CampaignCheckpoint) -> Pipeline:
        clock = TrustedClock(self.world.wall, self.world.monotonic)
        live = Live(
            ordered=self.plan.kind == "ordered",
            now=clock.now,
            monotonic=self.world.monotonic,
            report=self.said.append,
        )
        alarms = Alarms(self.rules, live=live)
        assert alarms._watermarks
        marks = alarms._watermarks
        source = CampaignSource(self.world, clock, done, lambda: marks.value)
        processor = Processor(Decoder(), Matcher(self.rules))
        pipeline = Pipeline(
            source=source,
            process=(per_message if source.whole_objects else per_batch)(processor),
            delivery=DirectDelivery([sink]),
            on_problem=[],
            checkpoint=checkpoint,
            alarms=alarms,
            commit_every=self.plan.commit_every,
            info=self.said.append,
        )
        pipeline._commits.monotonic = self.world.monotonic
        return pipeline
