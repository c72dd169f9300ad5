"""What the pipeline asks of alarms, wherever their state is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol

from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.evaluator import Changes
from trailsieve.alarms.sample_log import SampleRow
from trailsieve.model import Alert, Watermark


class AlarmEvaluation(Protocol):
    """The alarms of one process (`Alarms`), or of all processes that share a state (`SharedAlarms`).

    An epoch calls the methods in this order; `restore` comes once before the first epoch and `close` once
    after the last.
    """

    def restore(self, state: Mapping[str, bytes], rows: Iterable[SampleRow]) -> None:
        """Goes on from this process's checkpoint."""

    def add(self, samples: Iterable[Sample]) -> None:
        """Counts matches."""

    def add_misses(self, misses: Mapping[str, Mapping[int, bytes]]) -> None:
        """Counts events that did not match, by rule and start of the period."""

    def observe(self, newest: Mapping[str, int], oldest: Mapping[str, int] | None = None) -> None:
        """Takes the newest and oldest event time of each shard that an epoch read from."""

    def mark(self, mark: Watermark) -> None:
        """Takes what the source says of a shard."""

    def advance(self, *, early: bool = True) -> list[Alert]:
        """Returns the alerts to deliver. With a shared state everything taken is in it afterwards.

        Args:
            early: whether to raise provisional alerts now; the next call that may raises them else.
        """

    def evaluated(self, until: float) -> bool:
        """Returns whether all that had reached the source by a time, in seconds since 1970, was evaluated.

        Also true without alarms, without shards, and while another process evaluates.
        """

    def announce(self) -> dict[str, bytes | None]:
        """Returns what this process's checkpoint must have before the alerts are delivered, by key."""

    def delivered(self) -> None:
        """Notes that every required sink took the alerts."""

    def changes(self) -> Changes:
        """Returns what this process's checkpoint must keep with the positions of the epoch."""

    def close(self) -> list[Alert]:
        """Returns the alerts at the end of all input."""

    @property
    def late(self) -> Counter[str]:
        """Returns by rule the events that came after their period was closed."""

    @property
    def over_max_keys(self) -> Counter[str]:
        """Returns by rule the events that were counted together because of `max_keys`."""
