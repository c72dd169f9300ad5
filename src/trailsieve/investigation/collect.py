"""Reads an archive once and returns all that an investigation is made of."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from trailsieve.app.build import observe
from trailsieve.engine.stats import RunStats
from trailsieve.engine.wanted import Wanted
from trailsieve.investigation.alert_log import AlertLog
from trailsieve.investigation.collector import Collector
from trailsieve.investigation.ledger import Ledger
from trailsieve.investigation.model import Activity, Alerts
from trailsieve.model import Problem
from trailsieve.ports import RunContext, Source
from trailsieve.rules.rule import Rule


class Collected(Struct):
    """What an archive holds: who did what, the alerts of the rules, and the counts of the run."""

    activity: Activity
    alerts: Alerts
    stats: RunStats


def collect(
    rules: Sequence[Rule],
    source: Source,
    context: RunContext,
    on_problem: Sequence[Callable[[Problem], None]] = (),
    stats: RunStats | None = None,
    workers: int = 1,
    *,
    wanted: Wanted | None = None,
) -> Collected:
    """Returns what an archive holds; memory stays bounded whatever its size.

    Args:
        wanted: the records that count; those of the source's selection by default.

    Raises:
        SourceError: the source refuses requests.
    """
    ledger, log = Ledger(), AlertLog()
    pipeline = observe(
        rules, source, log, context, Collector(ledger.add), on_problem, stats, workers, wanted=wanted
    )
    with _rare_collections():
        counted = pipeline.run()
    return Collected(ledger.activity(), log.alerts(), counted)


@contextmanager
def _rare_collections() -> Iterator[None]:
    """What is collected has no cycles, and looking for some in so many objects takes a tenth of the time."""
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
