"""One process evaluates the alarms of all, until it dies, stands still or leaves, and another one continues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from tests.alarms.group import LEASE, Clock
from tests.alarms.shared_table import MemoryTable
from tests.alarms.test_provisional import sample
from tests.alarms.worlds import LATER, START, reference_of, rule
from trailsieve.alarms.evaluator import Live
from trailsieve.alarms.shared.alarms import SharedAlarms
from trailsieve.alarms.shared.entries import MOST_ENTRIES
from trailsieve.model import Alert, Watermark
from trailsieve.rules.alarm import PLAIN, Alarm, Metric
from trailsieve.rules.rule import Rule

ALARM = Alarm(threshold=2, period=60, by=(reference_of("who"),), allowed_lateness=0)
HOUR = 3600.0


class World:
    """Processes over one table."""

    def __init__(self, alarm: Alarm = ALARM, metric: Metric = PLAIN) -> None:
        self.rule = rule(alarm, metric)
        self.table = MemoryTable()
        self.clock = Clock()
        self.reports: list[str] = []
        self.number = 0
        self.final: list[Alert] = []

    def process(self, *rules: Rule) -> SharedAlarms:
        """A process that knows both shards."""
        live = Live(now=lambda: LATER, monotonic=self.clock, report=self.reports.append)
        alarms = SharedAlarms(rules or [self.rule], self.table, live, lease=LEASE, step=0)
        for shard in "ab":
            alarms.mark(Watermark(shard, elsewhere=True))
        return alarms

    def read(self, alarms: SharedAlarms, *seconds: int, until: int = 0, shards: str = "ab") -> None:
        """A process reads matches, and has read these shards until then."""
        found = []
        for second in seconds:
            self.number += 1
            who = (("who", "mia"),) * bool(self.rule.alarm and self.rule.alarm.by)
            found.append(structs.replace(sample(self.number, second, "mia", 1), dimensions=who))
        alarms.add(found)
        alarms.observe(dict.fromkeys(shards, START + until))

    def settle(self, alarms: SharedAlarms) -> list[str]:
        """A whole epoch two seconds later; the ids of its final alerts."""
        self.clock.seconds += 2
        alerts = alarms.advance(early=False)
        self.final += alerts
        alarms.delivered()
        alarms.changes()
        return ids(alerts)

    def at_request(self, number: int, work: Callable[[], object]) -> None:
        """Does something in the middle of that request from now on."""
        requests = iter(range(number + 1))

        def meanwhile() -> None:
            if next(requests, None) == number:
                work()

        self.table.meanwhile = meanwhile

    def take_over(self, alarms: SharedAlarms) -> list[str]:
        """A process sees the lease, and again after it has ended; the ids of the final alerts."""
        self.clock.seconds += LEASE / 2
        assert self.settle(alarms) == []
        self.clock.seconds += LEASE
        return self.settle(alarms)


def ids(alerts: Sequence[Alert]) -> list[str]:
    return [alert.id for alert in alerts]


def test_only_one_evaluates_and_it_counts_what_all_read() -> None:
    world = World()
    one, two = world.process(), world.process()
    world.read(one, 10, until=60, shards="a")
    world.read(two, 20, until=60, shards="b")
    assert world.settle(one) == []
    assert world.settle(two) == []
    [alert] = one.advance()
    assert alert.count == 2
    assert world.reports == ["this process evaluates the alarms of all processes that share the table"]


@pytest.mark.parametrize("moment", range(8))
def test_no_watermark_is_visible_before_its_matches(moment: int) -> None:
    world = World()
    one, two = world.process(), world.process()
    world.settle(one)
    world.read(two, 10, 20, until=600)
    world.at_request(moment, lambda: world.settle(one))
    world.settle(two)
    world.read(one, until=600)
    world.settle(one)
    world.read(one, until=700)
    world.settle(one)
    assert [alert.count for alert in world.final] == [2]


@pytest.mark.parametrize("moment", range(12))
@pytest.mark.parametrize("swapped", [False, True])  # the order of their items in the table is random
def test_what_another_process_read_before_is_counted_before(moment: int, swapped: bool) -> None:
    world = World()
    one, *others = (world.process() for _ in range(3))
    for each in (one, *others):
        world.settle(each)
    first, second = sorted(others, key=lambda each: each._member._name, reverse=swapped)

    def hand_over() -> None:
        world.read(first, 10, 20, until=30)
        world.settle(first)
        world.read(second, until=600)
        world.settle(second)

    world.at_request(moment, hand_over)
    for _ in range(3):
        world.settle(one)
    assert [alert.count for alert in world.final] == [2]


def test_one_that_stood_still_saves_nothing_and_what_it_raises_is_known() -> None:
    world = World()
    one, two = world.process(), world.process()
    world.settle(one)
    world.settle(two)
    world.read(one, 10, 20, until=60)
    raised = one.advance(early=False)
    one_stands_still = one
    assert world.take_over(two) == ids(raised) != [], "they may not have been delivered"
    before = dict(world.table.items)
    one_stands_still.delivered()
    one_stands_still.changes()
    states = {key: item for key, item in world.table.items.items() if key[0] == "head"}
    assert states == {key: item for key, item in before.items() if key[0] == "head"}
    assert world.reports[-1] == "another process evaluates the alarms now"
    assert world.settle(one_stands_still) == []


def test_one_that_stood_still_before_it_raised_leaves_that_to_the_other() -> None:
    world = World()
    one, two = world.process(), world.process()
    world.settle(one)
    world.settle(two)
    world.take_over(two)
    world.read(one, 10, 20, until=60)
    assert one.advance() == []
    assert len(world.settle(two)) == 1


@pytest.mark.parametrize("dies", ["before delivery", "after delivery", "after the save"])
def test_what_was_decided_is_not_decided_again_with_late_events(dies: str) -> None:
    world = World()
    one, two = world.process(), world.process()
    world.settle(one)
    world.read(one, 70, 80, until=120)
    raised = one.advance(early=False)
    assert len(raised) == 1
    if dies != "before delivery":
        one.delivered()
    if dies == "after the save":
        one.changes()
    world.read(two, 10, 20, until=120)  # an alarm of the minute before, had they come in time
    again = world.take_over(two)
    assert again == ([] if dies == "after the save" else ids(raised))
    assert two.late == {"denied": 2}
    world.read(two, until=600)
    assert world.settle(two) == []


def test_what_was_late_stays_late_for_the_next_evaluator() -> None:
    world = World(replace(ALARM, evaluation_periods=2, datapoints_to_alarm=2))
    one, two = world.process(), world.process()
    world.read(one, 10, until=60)
    world.settle(one)
    world.settle(two)
    world.read(one, 20, until=61)  # would make the first minute breach
    world.settle(one)
    assert one.late == {"denied": 1}
    world.clock.seconds += LEASE
    world.settle(one)  # renews the lease, and saves with it
    world.read(two, 70, 80, until=120)
    assert world.take_over(two) == []
    assert two._evaluation
    assert two.late == {}


def test_what_did_not_match_and_was_late_stays_late_too() -> None:
    two_of_two = replace(ALARM, by=(), evaluation_periods=2, datapoints_to_alarm=2)
    world = World(two_of_two, Metric(value=1, default=1))
    one, two = world.process(), world.process()
    world.read(one, 10, until=60)
    world.settle(one)
    one.add_misses({"denied": {START: b"late" * 4}})  # would make the first minute breach
    world.settle(one)
    world.clock.seconds += LEASE
    world.settle(one)
    world.read(two, 70, 80, until=120)
    assert world.take_over(two) == []
    assert two._evaluation
    world.read(two, 130, 140, until=180)
    assert len(world.settle(two)) == 1


def test_one_that_leaves_is_followed_at_once_and_one_that_dies_after_the_lease() -> None:
    world = World()
    one, two, three = world.process(), world.process(), world.process()
    world.settle(one)
    world.settle(two)
    one.leave()
    world.clock.seconds += LEASE / 2
    world.read(two, 10, 20, until=60)
    assert len(world.settle(two)) == 1
    world.settle(three)
    world.clock.seconds += LEASE / 2
    world.read(three, 190, 200, until=240)
    assert world.settle(three) == []
    world.clock.seconds += LEASE
    assert len(world.settle(three)) == 1


def test_a_process_that_was_silent_for_long_is_forgotten_and_may_come_back() -> None:
    world = World()
    one, two = world.process(), world.process()
    world.read(two, 10, until=60, shards="b")
    world.settle(one)
    world.settle(two)
    world.settle(one)
    for _ in range(5):
        world.clock.seconds += HOUR / 4
        world.read(one, until=int(world.clock.seconds) % 50, shards="a")
        world.settle(one)
    assert len(list(world.table.query("member"))) == 1
    world.read(two, 20, until=120, shards="b")
    world.settle(two)
    world.read(one, until=120, shards="a")
    [alert] = one.advance(early=False)
    assert alert.count == 2, "the first match counts once"


def test_a_shard_that_ended_holds_nothing_back() -> None:
    world = World()
    one, two = world.process(), world.process()
    world.read(one, 10, 20, until=60, shards="a")
    assert world.settle(one) == []
    two.mark(Watermark("b", ended=True))
    world.settle(two)
    assert len(world.settle(one)) == 1


def test_a_rule_that_the_evaluator_does_not_have_is_reported_once() -> None:
    world = World()
    other = replace(world.rule, id="other")
    one, two = world.process(other), world.process(world.rule)
    world.settle(one)
    for second in (10, 20):
        world.read(two, second)
        world.settle(two)
        world.settle(one)
    assert sum("rule denied: another process counts its matches" in line for line in world.reports) == 1


def test_the_table_does_not_grow_with_what_was_evaluated() -> None:
    world = World(replace(ALARM, threshold=1))
    one = world.process()
    for minute in range(3 * MOST_ENTRIES):
        world.read(one, minute * 60, until=minute * 60 + 60)
        world.clock.seconds += 3
        world.settle(one)
    assert len(list(world.table.query("state"))) <= MOST_ENTRIES
    evaluation = one._evaluation
    assert evaluation
    assert len(evaluation._ids) <= 5
    [(first, last)] = evaluation._head.rows.values()
    assert last - first <= 5
    two = world.process()
    world.take_over(two)
    world.read(two, 3 * MOST_ENTRIES * 60 + 70, until=3 * MOST_ENTRIES * 60 + 120)
    assert len(world.settle(two)) == 1


def test_only_the_process_that_evaluates_waits_for_what_all_have_read() -> None:
    world = World()
    evaluator, other = world.process(), world.process()
    world.read(evaluator, 10, until=100, shards="a")
    world.settle(evaluator)
    world.settle(other)
    assert (evaluator.evaluated(START + 100), other.evaluated(START + 100)) == (False, True)
    world.read(other, 20, until=100, shards="b")
    world.settle(other)
    world.settle(evaluator)
    assert evaluator.evaluated(START + 100)
    assert not evaluator.evaluated(START + 101)
