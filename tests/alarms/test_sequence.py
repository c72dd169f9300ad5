"""Sequences: matches of several rules in their order by one actor, final ids as in a replay."""

from __future__ import annotations

import random
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.alarms.test_alarms import World
from tests.alarms.test_provisional import LATENESS, assert_settled, replayed, streamed
from tests.alarms.worlds import LATER, NOTHING, START, alerts, clock_of, event, reference_of, when
from trailsieve.alarms.context import Facts
from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.evaluator import Alarms
from trailsieve.alarms.sentence import of_condition
from trailsieve.model import Alert
from trailsieve.pattern.compiler import compile
from trailsieve.rules.alarm import Alarm, RuleException
from trailsieve.rules.rule import Rule

BY = (reference_of("$.userIdentity.arn"),)


def named(name: str, *, enabled: bool = False, pattern: str = "", **more: Any) -> Rule:
    """A rule that matches calls of its own name."""
    found = compile(pattern or f'{{ $.eventName = "{name}" }}')
    return Rule(name, name, "low", found, enabled=enabled, **more)


def sequence_of(names: str, within: int = 60, **more: Any) -> Rule:
    more = {"by": BY, "allowed_lateness": LATENESS, **more}
    exceptions = more.pop("exceptions", ())
    alarm = Alarm(sequence=tuple(names), within=within, period=1, **more)
    return Rule("denied", "In order", "high", NOTHING, alarm=alarm, exceptions=exceptions)


def rules(names: str, within: int = 60, **more: Any) -> list[Rule]:
    return [sequence_of(names, within, **more), *(named(name) for name in sorted(set(names)))]


def calls(text: str) -> list[dict[str, Any]]:
    """`a0 b10 b20:tom`: calls of these names at these seconds, by mia or somebody else."""
    records = []
    for number, call in enumerate(text.split()):
        name, _, who = call.partition(":")
        records.append(event(number, int(name[1:]), who or "mia", eventName=name[0]))
    return records


def windows(found: list[Alert]) -> list[tuple[int, int]]:
    return [(clock_of(alert.window.start), clock_of(alert.window.end)) for alert in found if alert.window]


@pytest.mark.parametrize(
    ("names", "text", "expected"),
    [
        ("ab", "a0 b10", [(0, 10)]),
        ("ab", "b0 a10", []),
        ("ab", "a0 b60", [(0, 60)]),
        ("ab", "a0 b61", []),
        ("ab", "b5 a5", [(5, 5)]),  # the same second counts as in order
        ("ab", "a0 a10 b20", [(10, 20)]),  # the latest start
        ("abc", "a0 b50 a55 c60", [(0, 60)]),
        ("abc", "a0 a50 b55 c70", [(50, 70)]),
        ("abc", "a0 b50 a55 b58 c70", [(55, 70)]),
        ("abc", "a0 c10 b20 c30", [(0, 30)]),
        ("ab", "a0 b10 b20 a30 b40", [(0, 10), (30, 40)]),  # anew after the last event
        ("ab", "a0 a5 b10 b20", [(5, 10)]),
        ("ab", "a0:tom b10", []),
        ("ab", "a0 a1:tom b2:tom b3", [(1, 2), (0, 3)]),
        ("aab", "a0 b1 a2 b3", [(0, 3)]),
        ("aa", "a0", []),
        ("aa", "a0 a0", [(0, 0)]),
        ("aba", "a0 b0 a0", [(0, 0)]),
        ("aba", "a0 b0", []),
    ],
)
def test_chains(names: str, text: str, expected: list[tuple[int, int]]) -> None:
    assert windows(alerts(rules(names), *calls(text), live=False)) == expected


def test_an_event_takes_one_place_in_a_chain() -> None:
    both = named("b", pattern="{ $.eventName = a || $.eventName = b }")
    chosen = [sequence_of("ab"), named("a"), both]
    assert windows(alerts(chosen, *calls("a0"), live=False)) == []
    assert windows(alerts(chosen, *calls("a0 a10"), live=False)) == [(0, 10)]
    assert windows(alerts(chosen, *calls("a0 a0"), live=False)) == [(0, 0)]


def test_what_the_alert_says() -> None:
    [alert] = alerts(rules("ab"), *calls("a0 b42"), live=False)
    assert (alert.rule, alert.kind, alert.state, alert.severity) == ("denied", "alarm", "ALARM", "high")
    assert (alert.count, len(alert.records), alert.time) == (2, 2, when(42))
    assert alert.dimensions == {"$.userIdentity.arn": "arn:aws:iam::111122223333:user/mia"}
    assert alert.summary == "user/mia made 2 denied calls in 42 seconds (a, b)"
    assert alert.context
    assert alert.context.reason == (
        "a at 2026-03-14T00:00:00Z, b at 2026-03-14T00:00:42Z: 2 rules in order within 1 minute"
    )
    assert alert.context.value is None
    alarm = sequence_of("ab").alarm
    assert alarm
    assert of_condition(alarm) == "a, then b within 1 minute, by $.userIdentity.arn"


def test_rules_that_are_named_raise_their_own_alerts_unless_they_are_disabled() -> None:
    chosen = [sequence_of("ab"), named("a", enabled=True), named("b")]
    found = alerts(chosen, *calls("a0 b10 b20"), live=False)
    assert [(alert.rule, alert.kind) for alert in found] == [("a", "match"), ("denied", "alarm")]
    counting = named("b", enabled=True, alarm=Alarm(threshold=2, period=60))
    found = alerts([sequence_of("ab"), named("a"), counting], *calls("a0 b10 b20"), live=False)
    assert sorted(alert.rule for alert in found) == ["b", "denied"]


def test_a_rule_may_be_part_of_several_sequences() -> None:
    other = Rule("other", "Other", "low", NOTHING, alarm=sequence_of("ba").alarm)
    found = alerts([*rules("ab"), other], *calls("a0 b10 a20"), live=False)
    assert [(alert.rule, *windows([alert])) for alert in found] == [("denied", (0, 10)), ("other", (10, 20))]


def test_exceptions_of_both_rules_hide_matches() -> None:
    exception = RuleException(compile('{ $.userIdentity.arn = "*:user/ci" }'), "deploys")
    chosen = rules("ab", exceptions=(exception,))
    assert windows(alerts(chosen, *calls("a0:ci b10:ci a0 b20"), live=False)) == [(0, 20)]
    chosen = [sequence_of("ab"), named("a", exceptions=(exception,)), named("b")]
    assert windows(alerts(chosen, *calls("a0:ci b10:ci a0 b20"), live=False)) == [(0, 20)]


def test_suppressed_sequences_are_carried_in_the_next_alert() -> None:
    text = " ".join(f"a{n * 20} b{n * 20 + 10}" for n in range(10))
    found = alerts(rules("ab", suppress=90), *calls(text), live=False)
    assert windows(found) == [(0, 10), (100, 110)]
    assert [alert.context.suppressed for alert in found if alert.context] == [0, 4]


# --- streams ---


def test_a_complete_chain_is_raised_at_once_and_confirmed_at_its_close() -> None:
    world = World(*rules("ab"), now=LATER)
    assert world.epoch(*calls("a0 b10")) == []
    [early] = world.sink.alerts
    assert early.provisional
    last = 10 + LATENESS
    assert world.epoch(event(90, last, eventName="x")) == []
    [final] = world.epoch(event(91, last + 1, eventName="x"))
    assert (final.id, final.confirms, final.records) == (early.id, True, early.records)


def test_each_further_chain_is_raised_at_once() -> None:
    world = World(*rules("ab"), now=LATER)
    world.epoch(*calls("a0 b10"))
    world.epoch(event(50, 20, eventName="a"), event(51, 30, eventName="b"))
    assert windows([alert for alert in world.sink.alerts if alert.provisional]) == [(0, 10), (20, 30)]
    finals = world.epoch(event(91, 1000, eventName="x"))
    assert [(alert.confirms, alert.replaces) for alert in finals] == [(True, None)] * 2


def test_a_late_event_replaces_what_was_raised_at_once() -> None:
    world = World(*rules("ab"), now=LATER)
    world.epoch(*calls("a0 b10"))
    [early] = world.sink.alerts
    world.epoch(event(50, 5, eventName="a"))
    [final] = world.epoch(event(91, 1000, eventName="x"))
    assert (windows([final]), final.replaces, final.confirms) == ([(5, 10)], early.id, False)


def test_a_chain_goes_on_after_a_restart_and_starts_anew_only_once() -> None:
    text = ["a0", "b10", "b400", "a401 x720", "b440"]
    chosen = rules("ab", within=60)
    world = World(*chosen, now=LATER)
    found = list[Alert]()
    for number, part in enumerate(text):
        records = [{**record, "eventID": f"{number}-{record['eventID']}"} for record in calls(part)]
        found += world.epoch(*records)
        after = World(*chosen, checkpoint=world.checkpoint, now=LATER)
        after.number, world = world.number, after
    found += world.epoch(event(91, 2000, eventName="x"))
    assert windows(found) == [(0, 10), (401, 440)]


def test_memory_is_given_back() -> None:
    world = World(*rules("ab", within=120, allowed_lateness=0), now=LATER)
    for minute in range(40):
        who = f"u{minute}"
        world.epoch(
            event(minute * 10, minute * 60, who, eventName="a"),
            event(minute * 10 + 1, minute * 60 + 5, who, eventName="b"),
            event(minute * 10 + 2, minute * 60 + 6, who, eventName="a"),
        )
    assert isinstance(world.pipeline.alarms, Alarms)
    [alarm] = world.pipeline.alarms.by_rule.values()
    assert len(alarm.series) <= 4
    assert len(world.checkpoint.state()) <= 10
    assert len(list(world.checkpoint.samples())) <= 4


# --- laws ---

Match = tuple[int, str, str]  # seconds, who, the rules that match


def sample(number: int, seconds: int, who: str, names: str, name: str) -> Sample:
    facts = Facts(who, event_name=name)
    identity = f"{number:032x}{names.index(name):02x}"
    return Sample("denied", identity, when(seconds), START + seconds, name, (("who", who),), facts, b"{}")


def plainly(events: list[Match], names: str, within: int) -> list[tuple[str, int, int]]:
    """Every chain: the earliest end after the last chain, and of those that end there the latest start."""
    found = []
    for who in {who for _, who, _ in events}:
        own = [(seconds, rules) for seconds, name, rules in events if name == who]
        since = -1
        while True:
            chains = [
                (chain[-1][0], -chain[0][0])
                for chain in permutations([item for item in own if item[0] > since], len(names))
                if all(one[0] <= two[0] for one, two in pairwise(chain))
                and all(name in item[1] for name, item in zip(names, chain, strict=True))
                and chain[-1][0] - chain[0][0] <= within
            ]
            if not chains:
                break
            end, start = min(chains)
            found.append((who, -start, end))
            since = end
    return sorted(found)


SEQUENCES = st.sampled_from(["ab", "abc", "aab", "aba", "aa", "cab"])
EVENTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 900), st.integers(0, 20)),
        st.sampled_from(["mia", "tom"]),
        st.sampled_from(["a", "b", "c", "ab", "bc", "abc"]),
    ),
    min_size=1,
    max_size=9,
)


def all_samples(events: list[Match], names: str) -> list[Sample]:
    return [
        sample(number, seconds, who, names, name)
        for number, (seconds, who, found) in enumerate(events)
        for name in sorted(set(found) & set(names))
    ]


@settings(max_examples=150, deadline=None)
@given(names=SEQUENCES, within=st.sampled_from([1, 10, 60, 600]), events=EVENTS)
def test_the_chains_of_a_replay(names: str, within: int, events: list[Match]) -> None:
    chosen = sequence_of(names, within, by=(reference_of("who"),))
    samples = all_samples(events, names)
    found = replayed(chosen, samples) if samples else []
    made = sorted((alert.dimensions["who"], *windows([alert])[0]) for alert in found)
    assert made == plainly(events, names, within)


MANY = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 1500), st.integers(0, 60)),
        st.sampled_from(["mia", "tom"]),
        st.sampled_from(["a", "b", "c", "ab", "bc"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=400, deadline=None)
@given(
    names=SEQUENCES,
    within=st.sampled_from([1, 10, 60, 600]),
    suppress=st.sampled_from([0, 0, 60, 600]),
    events=MANY,
    seed=st.integers(0, 2**32),
    crash=st.sampled_from([0, 0.3]),
)
@example(names="ab", within=60, suppress=0, events=[(0, "mia", "a"), (0, "mia", "b")], seed=1, crash=0.3)
def test_final_ids_are_those_of_a_replay_and_each_provisional_alert_is_settled(
    names: str, within: int, suppress: int, events: list[Match], seed: int, crash: float
) -> None:
    rng = random.Random(seed)
    chosen = sequence_of(names, within, suppress=suppress, by=(reference_of("who"),))
    samples = all_samples(events, names)
    if not samples:
        return
    expected = replayed(chosen, samples)
    samples.sort(key=lambda one: one.seconds + rng.uniform(0, LATENESS))
    raised = streamed(chosen, samples, rng, crash)
    assert_settled(raised, expected)
    records = {alert.id: (alert.count, alert.records, alert.context) for alert in expected}
    assert all(records[a.id] == (a.count, a.records, a.context) for a in raised if not a.provisional)
