"""Where the state of alarms is kept changes nothing: the same law for the checkpoint and for shared tables."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.alarms.group import Group, LocalState, SharedState, State
from tests.alarms.shared_table import MemoryTable
from tests.alarms.test_absence import absent
from tests.alarms.test_provisional import EVENTS, LATENESS, definitions, replayed, sample
from tests.alarms.test_sequence import MANY, SEQUENCES, Match, all_samples, sequence_of
from tests.alarms.worlds import reference_of, rule
from tests.examples import examples
from trailsieve.alarms.datapoint import Sample
from trailsieve.rules.alarm import Alarm, Metric
from trailsieve.rules.rule import Rule

Events = list[tuple[int, str, int]]
STATES: dict[str, Callable[[], State]] = {
    "local": LocalState,
    "shared": lambda: SharedState(MemoryTable()),
}


def arranged(alarm: Alarm, events: Events, rng: random.Random) -> tuple[Rule, list[Sample]]:
    """A rule, and samples in the order of their arrival."""
    chosen = rule(alarm, Metric(value=1) if rng.random() < 0.7 else Metric(value=reference_of("$.size")))
    of: Any = str if alarm.count_distinct else int
    samples = [sample(n, seconds, who, of(size)) for n, (seconds, who, size) in enumerate(events)]
    return chosen, sorted(samples, key=lambda s: s.seconds + rng.uniform(0, LATENESS))


def hold_the_law(chosen: Rule, samples: list[Sample], state: State, rng: random.Random, moves: float) -> None:
    """Runs a group over three shards and compares it with a replay."""
    expected = {alert.id for alert in replayed(chosen, samples)}
    shards: dict[str, list[Sample]] = {"a": [], "b": [], "c": []}
    for found in samples:
        shards[rng.choice("aabc")].append(found)
    raised = Group(chosen, shards, state, rng, moves).run()
    final = {alert.id for alert in raised if not alert.provisional}
    assert final == expected
    settled = final | {alert.replaces for alert in raised}
    assert [alert.id for alert in raised if alert.provisional and alert.id not in settled] == []


@pytest.mark.parametrize("kind", STATES)
@settings(max_examples=examples(400))
@given(alarm=definitions(), events=EVENTS, seed=st.integers(0, 2**32), moves=st.sampled_from([0, 0.1, 0.4]))
def test_final_ids_are_those_of_a_replay(
    kind: str, alarm: Alarm, events: Events, seed: int, moves: float
) -> None:
    rng = random.Random(seed)
    chosen, samples = arranged(alarm, events, rng)
    hold_the_law(chosen, samples, STATES[kind](), rng, moves)


@pytest.mark.parametrize("kind", STATES)
@settings(max_examples=examples(150))
@given(
    names=SEQUENCES,
    within=st.sampled_from([10, 600]),
    events=MANY,
    seed=st.integers(0, 2**32),
    moves=st.sampled_from([0, 0.1, 0.4]),
)
def test_sequences_are_those_of_a_replay(
    kind: str, names: str, within: int, events: list[Match], seed: int, moves: float
) -> None:
    rng = random.Random(seed)
    chosen = sequence_of(names, within, by=(reference_of("who"),))
    samples = sorted(all_samples(events, names), key=lambda s: s.seconds + rng.uniform(0, LATENESS))
    if samples:
        hold_the_law(chosen, samples, STATES[kind](), rng, moves)


@pytest.mark.parametrize("kind", STATES)
@settings(max_examples=examples(150))
@given(events=EVENTS, seed=st.integers(0, 2**32), moves=st.sampled_from([0, 0.1, 0.4]), keyed=st.booleans())
def test_absences_are_those_of_a_replay(
    kind: str, events: Events, seed: int, moves: float, keyed: bool
) -> None:
    rng = random.Random(seed)
    alarm = absent(60, by=(reference_of("who"),) * keyed, allowed_lateness=LATENESS)
    chosen, samples = arranged(alarm, events, rng)
    samples = samples if keyed else [replace(found, dimensions=()) for found in samples]
    hold_the_law(chosen, samples, STATES[kind](), rng, moves)
