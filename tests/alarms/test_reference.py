"""The law of alarms: however events arrive, the alerts are those of one sorted pass over them."""

from __future__ import annotations

import random
from typing import Any, get_args

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.alarms.reference import Event, reference
from tests.alarms.worlds import LATER, Kept, alerts, clock_of, event, message, pipeline, reference_of, rule
from tests.examples import examples
from trailsieve.engine.checkpoint import Epoch
from trailsieve.errors import CheckpointError
from trailsieve.model import ALARM_STATES, Alert
from trailsieve.rules.alarm import Alarm, Comparison, Metric, Missing, Statistic
from trailsieve.rules.rule import Rule
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

METRIC = Metric(value=reference_of("$.size"))
LATENESS = 300


@st.composite
def alarms(draw: st.DrawFn) -> Alarm:
    periods = draw(st.integers(1, 4))
    return Alarm(
        threshold=draw(st.sampled_from([0.3, 1, 2, 3])),
        period=draw(st.sampled_from([10, 60, 300])),
        statistic=draw(st.sampled_from(get_args(Statistic))),
        comparison=draw(st.sampled_from(get_args(Comparison))),
        evaluation_periods=periods,
        datapoints_to_alarm=draw(st.integers(1, periods)),
        missing=draw(st.sampled_from(get_args(Missing))),
        count_distinct=draw(st.sampled_from([None, None, reference_of("$.size")])),
        by=(reference_of("$.userIdentity.arn"),),
        allowed_lateness=LATENESS,
        notify=ALARM_STATES,
        suppress=draw(st.sampled_from([0, 0, 120, 600])),
    )


EASY = Alarm(
    threshold=0.3,
    period=10,
    by=(reference_of("$.userIdentity.arn"),),
    allowed_lateness=LATENESS,
    notify=ALARM_STATES,
)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 1500), st.sampled_from(["mia", "tom"]), st.sampled_from([1, 2, 0.1, 0.2, None, "many"])
    ),
    min_size=1,
    max_size=25,
)


class Crash(Kept):
    """Dies now and then before an epoch is kept: its alerts are delivered, its positions are not."""

    def __init__(self, rng: random.Random, chance: float) -> None:
        super().__init__()
        self._rng = rng
        self._chance = chance

    def save(self, epoch: Epoch) -> None:
        if self._rng.random() < self._chance:
            raise CheckpointError("power cut")
        super().save(epoch)


def lived(chosen: Rule, records: list[dict[str, Any]], rng: random.Random) -> list[Alert]:
    """What a stream raises that is cut into random epochs and whose process dies now and then."""
    epochs, place = [], 0
    while place < len(records):
        size = rng.choice([1, 1, 2, 5, 20])
        epochs.append(records[place : place + size])
        place += size
    checkpoint, sink = Crash(rng, rng.choice([0, 0.3])), MemorySink()
    now = LATER

    def clock() -> float:
        nonlocal now
        now += rng.uniform(0, 40)
        return now

    while True:
        source = MemorySource([message(n, part) for n, part in enumerate(epochs, 1)], rng.choice([1, 3]))
        try:
            pipeline(
                [chosen],
                source,
                sink,
                checkpoint=checkpoint,
                clock=clock,
                commit_every=rng.choice([0, 0, 60]),
            ).run()
        except CheckpointError:
            continue
        return [
            replace(alert, confirms=False, replaces=None) for alert in sink.alerts if not alert.provisional
        ]


@settings(max_examples=examples(250))
@given(alarm=alarms(), events=EVENTS, seed=st.integers(0, 2**32))
@example(alarm=EASY, events=[(10, "mia", 1), (0, "mia", 0.1)], seed=72)  # the newest time was held at a crash
def test_the_alerts_are_those_of_one_sorted_pass(alarm: Alarm, events: list[Any], seed: int) -> None:
    rng = random.Random(seed)
    chosen = rule(alarm, METRIC)
    records = [event(n, time, who, size=size) for n, (time, who, size) in enumerate(events)]
    arriving = [*records, *rng.sample(records, len(records) // 4)]  # some are delivered twice
    arriving.sort(key=lambda record: clock_of(record["eventTime"]) + rng.uniform(0, LATENESS))
    raised = lived(chosen, arriving, rng)
    once = {alert.id: alert for alert in raised}
    assert all(once[alert.id] == alert for alert in raised)  # what a crash repeats is the same
    plain: list[Event] = [
        (time, who, size if alarm.count_distinct or not isinstance(size, str) else None)
        for time, who, size in events
    ]
    assert sorted(map(told, once.values())) == reference(plain, alarm)
    replayed = alerts(chosen, *rng.sample(arriving, len(arriving)), live=False)
    assert {alert.id: alert for alert in replayed} == once


def told(alert: Alert) -> Any:
    assert alert.window
    assert alert.context
    who = alert.dimensions["$.userIdentity.arn"].rpartition("/")[2]
    window = (clock_of(alert.window.start), clock_of(alert.window.end))
    return (who, alert.state, *window, alert.count, alert.context.suppressed)
