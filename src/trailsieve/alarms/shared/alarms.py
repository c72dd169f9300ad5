"""The alarms of all processes that share a table, as each of them sees them."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.evaluator import Changes, Live
from trailsieve.alarms.sample_log import SampleRow
from trailsieve.alarms.shared.evaluation import Evaluation
from trailsieve.alarms.shared.lease import Lease
from trailsieve.alarms.shared.member import Publisher
from trailsieve.alarms.shared.table import Table
from trailsieve.model import Alert, Watermark
from trailsieve.rules.rule import Rule

LEASE_SECONDS = 10.0
_STEP_SECONDS = 0.5


class SharedAlarms:
    """Alarms that count what all processes with the same table read; see `AlarmEvaluation`.

    One process at a time evaluates them and delivers their alerts. When it dies or hangs, another one
    continues from what it saved last, and delivers again what may not have been delivered, with the same ids.

    Args:
        rules: the same in all processes.
        table: of these processes alone.
        live: what alarms need to know of this process's source.
        lease: seconds without a save after which another process evaluates.
        step: seconds between two looks at what the others read.
    """

    def __init__(
        self,
        rules: Iterable[Rule],
        table: Table,
        live: Live,
        *,
        lease: float = LEASE_SECONDS,
        step: float = _STEP_SECONDS,
    ) -> None:
        self._rules = [rule for rule in rules if rule.enabled and rule.alarm]
        self._table = table
        self._live = live
        self._step = step
        self._stepped: float | None = None
        name = uuid.uuid4().hex
        self._member = Publisher(
            table,
            name,
            {rule.id: rule.alarm for rule in self._rules if rule.alarm},
            ordered=live.ordered,
            monotonic=live.monotonic,
        )
        self._lease = Lease(table, name, lease, live.monotonic)
        self._evaluation: Evaluation | None = None

    def restore(self, state: Mapping[str, bytes], rows: Iterable[SampleRow]) -> None:
        """Does nothing: the state is in the table."""

    def add(self, samples: Iterable[Sample]) -> None:
        self._member.add(samples)

    def add_misses(self, misses: Mapping[str, Mapping[int, bytes]]) -> None:
        self._member.add_misses(misses)

    def observe(self, newest: Mapping[str, int], oldest: Mapping[str, int] | None = None) -> None:
        self._member.observe(newest, oldest)

    def mark(self, mark: Watermark) -> None:
        self._member.mark(mark)

    def advance(self, *, early: bool = True) -> list[Alert]:
        """Writes what was taken; returns alerts while this process evaluates.

        Args:
            early: whether to raise provisional alerts now.

        Raises:
            CheckpointError: the table refuses requests, and retrying will not help.
        """
        if not self._rules:
            return []
        self._member.publish()
        now = self._live.monotonic()
        if self._stepped is not None and now - self._stepped < self._step:
            return []
        self._stepped = now
        self._evaluation = self._evaluation or self._take_over()
        if self._evaluation is None:
            return []
        alerts = self._evaluation.step(early=early)
        if alerts is None:
            self._step_down()
        return alerts or []

    def evaluated(self, until: float) -> bool:
        return self._evaluation is None or self._evaluation.alarms.evaluated(until)

    def announce(self) -> dict[str, bytes | None]:
        """Returns nothing: `advance` saved the alerts in the table."""
        return {}

    def delivered(self) -> None:
        if self._evaluation:
            self._evaluation.delivered()

    def changes(self) -> Changes:
        """Saves what this process evaluated in the table; returns nothing for its own checkpoint."""
        due = self._evaluation and (self._evaluation.unsaved or self._lease.renew)
        if self._evaluation and due and not self._evaluation.save():
            self._step_down()
        return Changes({})

    def close(self) -> list[Alert]:
        """Returns nothing: the end of this process's input is not the end of all."""
        return []

    def leave(self) -> None:
        """Lets another process evaluate at once. Called last.

        Raises:
            CheckpointError: the table could not be reached.
        """
        if self._evaluation:
            self._lease.release()
            self._evaluation = None

    @property
    def late(self) -> Counter[str]:
        return self._evaluation.alarms.late if self._evaluation else Counter()

    @property
    def over_max_keys(self) -> Counter[str]:
        return self._evaluation.alarms.over_max_keys if self._evaluation else Counter()

    def _take_over(self) -> Evaluation | None:
        head = self._lease.acquire()
        if head is None:
            return None
        live = replace(self._live, ordered=False)
        evaluation = Evaluation(self._rules, live, self._table, self._lease, head)
        self._live.report("this process evaluates the alarms of all processes that share the table")
        return evaluation

    def _step_down(self) -> None:
        self._evaluation = None
        self._live.report("another process evaluates the alarms now")
