"""What may look at every record of a run while it is decoded anyway, and send the parent what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from trailsieve.model import Match, Record
from trailsieve.trail.cloudtrail import Batch

Locate = Callable[[int], tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Fields:
    """How an observer reads the records that it is shown.

    Attributes:
        decode: decodes one more record; raises `jsontext.REFUSALS`.
        key: the fields of `reads` as one value, equal only if all of them are. Its hash raises TypeError
            where one of them holds an array or object.
        values: the same as one value for each path; `ABSENT` for a field that is absent.
        raw: the fields of `raw`, each as `msgspec.Raw` or `ABSENT`.
        identity: the event's id; may hold any value.
        time: the event's time; may hold any value.
    """

    decode: Callable[[bytes], Any]
    key: Callable[[Any], Any]
    values: Callable[[Any], tuple[Any, ...]]
    raw: Callable[[Any], tuple[Any, ...]]
    identity: Callable[[Any], Any]
    time: Callable[[Any], Any]


class Observer(Protocol):
    """Sees each record that is selected exactly once, in the process that decodes it.

    Attributes:
        reads: paths of the fields that make records alike, at least two different first names.
        raw: names of further fields, at least two, which it gets as JSON text.
    """

    @property
    def reads(self) -> Sequence[tuple[str, ...]]: ...

    @property
    def raw(self) -> Sequence[str]: ...

    def bind(self, fields: Fields) -> None:
        """Called once, before anything is shown; not at all if the rules need every field of a record."""

    def opened(self, name: str) -> None:
        """An object, or the first block of a file of lines, is about to be read."""

    def records(
        self,
        events: Sequence[Any],
        times: Sequence[Any],
        places: Sequence[int],
        batch: Batch,
        locate: Locate,
    ) -> None:
        """Records of a batch that no rule matches, decoded as `Fields` reads them.

        Args:
            times: their event times, as the records write them.
            places: where they are in the batch.
            locate: returns the origin and number of a record, given `batch.first` plus its place.
        """

    def record(self, record: Record, origin: str, rules: Sequence[str]) -> None:
        """One record with the ids of the rules that match it and are not excepted; there may be none."""

    def take(self, above: int = 0) -> list[bytes]:
        """Returns what was collected since the last call and forgets it.

        Args:
            above: nothing needs to be returned while no more records than this were collected.
        """

    def add(self, collected: bytes) -> None:
        """Takes in the parent what `take` returned in any process; called in the order of the messages."""


class MatchedRecords:
    """Joins the matches of each record, which follow each other, and shows the record to an observer."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._latest: Match | None = None
        self._rules: list[str] = []

    def add(self, match: Match, *, counts: bool) -> None:
        """Adds a match; `counts` is false when an exception hides it."""
        if self._latest is None or match.record is not self._latest.record:
            self.finish()
            self._latest = match
        if counts:
            self._rules.append(match.rule.id)

    def finish(self) -> None:
        """Shows the last record."""
        if self._latest is not None:
            self._observer.record(self._latest.record, self._latest.origin, tuple(self._rules))
            self._latest, self._rules = None, []
