"""The law of provisional alerts: final ids depend on the events alone, and each provisional one is settled."""

from __future__ import annotations

import random
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.alarms.worlds import LATER, START, reference_of, rule, when
from tests.examples import examples
from trailsieve.alarms.context import Facts
from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.alarms.sample_log import SampleRow
from trailsieve.model import Alert
from trailsieve.rules.alarm import Alarm, Comparison, Metric, Missing
from trailsieve.rules.rule import Rule

LATENESS = 300
Stored = dict[str, bytes]


def sample(number: int, seconds: int, who: str, value: Any) -> Sample:
    """One match."""
    facts = Facts(who, event_name="ListUsers")
    time, key = when(seconds), (("who", who),)
    return Sample("denied", f"{number:032x}", time, START + seconds, value, key, facts, b"{}")


class Store:
    """What a checkpoint keeps of alarms."""

    def __init__(self) -> None:
        self.state: dict[str, bytes] = {}
        self.rows: list[SampleRow] = []

    def keep(self, alarms: Alarms) -> None:
        changes = alarms.changes()
        self.update(changes.state)
        self.rows += changes.samples
        if changes.expired is not None:
            self.rows = [row for row in self.rows if row.expires > changes.expired]

    def update(self, state: dict[str, bytes | None]) -> None:
        for key, value in state.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value


def replayed(chosen: Rule, samples: list[Sample]) -> list[Alert]:
    """What a replay raises."""
    alarms = Alarms([chosen])
    alarms.add(samples)
    times = [found.seconds for found in samples]
    alarms.observe({"s": max(times)}, {"s": min(times)})
    return alarms.close()


def streamed(chosen: Rule, samples: list[Sample], rng: random.Random, crash: float) -> list[Alert]:
    """What a stream raises, in random epochs, killed now and then before or after its alerts are delivered."""
    sink: list[Alert] = []
    store = Store()
    live = Live(ordered=True, now=lambda: LATER)

    def started() -> Alarms:
        alarms = Alarms([chosen], live=live)
        alarms.restore(store.state, store.rows)
        return alarms

    alarms, place = started(), 0
    while place < len(samples):
        size = rng.choice([1, 1, 2, 5])
        epoch = samples[place : place + size]
        alarms.add(epoch)
        alarms.observe({"s": max(s.seconds for s in epoch)})
        raised = alarms.advance()
        store.update(alarms.announce())
        dies = rng.random() < crash
        if dies and rng.random() < 0.5:
            alarms = started()
            continue
        sink += raised
        if dies:
            alarms = started()
            continue
        alarms.delivered()
        store.keep(alarms)
        place += size
    return [*sink, *alarms.close()]


@st.composite
def definitions(draw: st.DrawFn) -> Alarm:
    periods = draw(st.integers(1, 3))
    return Alarm(
        threshold=draw(st.sampled_from([0.5, 1, 2, 3])),
        period=draw(st.sampled_from([10, 60, 300])),
        statistic=draw(st.sampled_from(["Sum", "SampleCount", "Maximum", "Minimum"])),
        comparison=draw(st.sampled_from(get_args(Comparison))),
        evaluation_periods=periods,
        datapoints_to_alarm=draw(st.integers(1, periods)),
        missing=draw(st.sampled_from(get_args(Missing))),
        count_distinct=draw(st.sampled_from([None, None, reference_of("$.size")])),
        by=(reference_of("who"),),
        allowed_lateness=LATENESS,
        suppress=draw(st.sampled_from([0, 0, 120, 600])),
    )


EVENTS = st.lists(
    st.tuples(st.integers(0, 1500), st.sampled_from(["mia", "tom"]), st.sampled_from([0, 1, 2])),
    min_size=1,
    max_size=30,
)


@settings(max_examples=examples(300))
@given(alarm=definitions(), events=EVENTS, seed=st.integers(0, 2**32), crash=st.sampled_from([0, 0.3]))
def test_final_ids_are_those_of_a_replay_and_each_provisional_alert_is_settled(
    alarm: Alarm, events: list[tuple[int, str, int]], seed: int, crash: float
) -> None:
    rng = random.Random(seed)
    chosen = rule(alarm, Metric(value=1) if rng.random() < 0.7 else Metric(value=reference_of("$.size")))
    of = str if alarm.count_distinct else int
    samples = [sample(n, seconds, who, of(size)) for n, (seconds, who, size) in enumerate(events)]
    expected = replayed(chosen, samples)
    samples.sort(key=lambda s: s.seconds + rng.uniform(0, LATENESS))
    assert_settled(streamed(chosen, samples, rng, crash), expected)


def assert_settled(raised: list[Alert], expected: list[Alert]) -> None:
    """The final alerts are the expected ones, and each provisional one is confirmed or replaced."""
    final = {alert.id for alert in raised if not alert.provisional}
    assert final == {alert.id for alert in expected}
    replaced = {alert.replaces for alert in raised}
    for alert in raised:
        if alert.provisional:
            assert alert.id in final | replaced
    seen_before_final: set[str] = set()
    for alert in raised:
        if alert.provisional:
            seen_before_final.add(alert.id)
        elif alert.confirms:
            assert alert.id in seen_before_final  # else a sink that skips confirmations would miss it


def test_a_provisional_alert_that_a_crash_interrupted_is_raised_again_at_the_restart() -> None:
    chosen = rule(Alarm(threshold=2, period=60, by=(reference_of("who"),)))
    live = Live(ordered=True, now=lambda: LATER)
    first, second = sample(1, 10, "mia", 1), sample(2, 20, "mia", 1)
    store = Store()
    alarms = Alarms([chosen], live=live)
    alarms.add([first, second])
    alarms.advance(early=False)
    store.keep(alarms)
    [interrupted] = alarms.advance()
    store.update(alarms.announce())  # and the process is killed

    alarms = Alarms([chosen], live=live)
    alarms.restore(store.state, store.rows)
    assert [alert.id for alert in alarms.advance()] == [interrupted.id]
    store.update(alarms.announce())
    alarms.delivered()
    store.keep(alarms)

    alarms = Alarms([chosen], live=live)
    alarms.restore(store.state, store.rows)
    assert alarms.advance() == []
    alarms.observe({"s": START + 3600})
    [final] = alarms.advance()
    assert (final.id, final.confirms) == (interrupted.id, True)
