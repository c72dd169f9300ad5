"""Alarms of services whose source is slow, away or in disorder, and that are paused or killed.

A short campaign for each source belongs to the tests; `make chaos` runs all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ledger import settle
from tests.sources.campaign_sources import NEEDS, OPENED
from tests.sources.campaigns import Campaign
from tests.sources.service import KILLS

OUTAGE = 65.0  # seconds
Faults = Callable[[Campaign], None]


def a_bit_of_all(run: Campaign) -> None:
    """Every fault once, and short."""
    run.backlog(0.5)
    if run.shards.relay:
        run.shards.relay.leave()
    run.start()
    if run.shards.relay:
        run.shards.relay.come_back()
        run.slow(0.01)
    run.paused(0.5)
    run.killed_once()
    if run.shards.relay:
        run.away(0.5)
    run.live(3)


def kills(run: Campaign) -> None:
    run.start()
    run.killed(KILLS)


def slow(typical: float) -> Faults:
    def faults(run: Campaign) -> None:
        run.slow(typical)
        run.backlog(1)
        run.start()
        run.live(30)

    return faults


def behind(hours: float, typical: float, rare: float = 0.0, *, restarted: bool = False) -> Faults:
    def faults(run: Campaign) -> None:
        run.slow(typical, rare)
        run.backlog(hours)
        run.start()
        if restarted:
            run.live(5)
            run.restarted()
        run.live(20)

    return faults


def away_at_the_start(run: Campaign) -> None:
    assert run.shards.relay
    run.backlog(1)
    run.shards.relay.leave()
    run.start()
    run.away(OUTAGE)
    run.live(20)


def away_in_the_middle(run: Campaign) -> None:
    run.backlog(0.5)
    run.start()
    run.live(20)
    run.away(OUTAGE)
    run.live(20)


def paused(run: Campaign) -> None:
    run.backlog(0.5)
    run.start()
    run.live(20)
    run.paused(OUTAGE)
    run.live(20)


def paused_by_its_own_clock(run: Campaign) -> None:
    run.start()
    run.real_time(30)
    run.paused(OUTAGE)
    run.real_time(20)


def clock_ahead(run: Campaign) -> None:
    run.start()
    run.real_time(30)
    run.clock_is_ahead(2 * 86400.0, 3.0)
    run.real_time(30)


def mixed(run: Campaign) -> None:
    """Many faults in any order."""
    faults: list[Callable[[], None]] = [
        lambda: run.live(run.chance.randint(1, 20)),
        lambda: run.paused(run.chance.choice([0.5, 3, 12])),
        lambda: run.killed(run.chance.randint(1, 3)),
        run.restarted,
    ]
    if run.shards.relay:
        faults += [
            lambda: run.away(run.chance.choice([0.5, 3, 12])),
            lambda: run.slow(run.chance.choice([0.0, 0.05, 0.2]), run.chance.choice([0.0, 0.5])),
        ]
    run.backlog(run.chance.choice([0, 1, 4]))
    run.start()
    for _ in range(10):
        run.chance.choice(faults)()


KAFKA = ("kafka, confluent", "kafka, kafka-python")
SHORT: dict[str, tuple[tuple[str, ...], Faults]] = {
    "backlog, away, paused, killed": (tuple(OPENED), a_bit_of_all),
}
LONG: dict[str, tuple[tuple[str, ...], Faults]] = {
    f"{KILLS} kills": (tuple(OPENED), kills),
    "answers in 0.12 s": (("s3",), slow(0.12)),
    "answers in 0.2 s": (("s3",), slow(0.2)),
    "answers in 0.3 s": (("s3",), slow(0.3)),
    "backlog of 4 h, answers in 0.1 s, some in 0.4 s": (("sqs",), behind(4, 0.1, 0.4)),
    "backlog of 12 h, answers in 0.05 s": (("sqs",), behind(12, 0.05)),
    "backlog of 12 h and a restart": (("sqs",), behind(12, 0.05, restarted=True)),
    "backlogs of two partitions": (KAFKA, behind(12, 0.02)),
    "away for 65 s at the start": (("sqs", "s3", "kinesis", *KAFKA), away_at_the_start),
    "away for 65 s in the middle": (("sqs", "s3", "kinesis", *KAFKA), away_in_the_middle),
    "paused for 65 s": (tuple(OPENED), paused),
    "paused for 65 s, by its own clock": (("kinesis", *KAFKA), paused_by_its_own_clock),
    "clock two days ahead, then right": (tuple(OPENED), clock_ahead),
    **{f"mixed {seed}": (tuple(OPENED), mixed) for seed in range(1, 4)},
}
IN_REAL_TIME = ("paused for 65 s, by its own clock", "clock two days ahead, then right")
CHOSEN = {**SHORT, **LONG} if "CHAOS_KILLS" in os.environ else SHORT


def _rows() -> Iterator[object]:
    for name, (sources, _) in CHOSEN.items():
        for source in sources:
            marks = [pytest.mark.server(NEEDS[source])] if source in NEEDS else []
            yield pytest.param(source, name, id=f"{source}: {name}", marks=marks)


@pytest.mark.parametrize(("source", "name"), [*_rows()])
def test_campaign_raises_the_final_alerts_of_a_replay(source: str, name: str, tmp_path: Path) -> None:
    run = Campaign(source, tmp_path, seed=sum(map(ord, name)), real=name in IN_REAL_TIME)
    try:
        CHOSEN[name][1](run)
        row = run.finish(name)
    finally:
        run.close()
    settle(row)
    if source in KAFKA:
        assert "run one member of group" in run.service.said
