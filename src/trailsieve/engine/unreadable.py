"""What cannot be read of each message: how much it is, and what of it is kept as dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from trailsieve.model import Problem
from trailsieve.trail.envelope_contents import MOST_LETTERS, letters

_Key = tuple[str, bool]  # the name of a message, and whether its problems are warnings


class UnreadableRecords:
    """The records of some messages that could not be read, and the warnings about others.

    Only the first of each message are kept, so that one message cannot fill the memory.

    Args:
        each: keep every one: of lines, each of which is as good as a message.
    """

    def __init__(self, *, each: bool = False) -> None:
        self._each = each
        self._counts: Counter[_Key] = Counter()
        self._first: dict[_Key, list[Problem]] = {}

    def add(self, problem: Problem) -> None:
        """Counts a record."""
        key = problem.origin, problem.warning
        self._counts[key] += 1
        kept = self._first.setdefault(key, [])
        if self._each or len(kept) < MOST_LETTERS:
            kept.append(problem)

    @property
    def count(self) -> int:
        """The number of records that could not be read."""
        return sum(self._by_message().values())

    def lost(self, problems: Iterable[Problem], held: Callable[[], Mapping[str, int]]) -> int:
        """Returns the number of messages of which nothing could be read.

        Args:
            problems: those about messages.
            held: returns the number of records of each message.
        """
        unreadable = self._by_message()
        names = {problem.origin for problem in problems if not problem.warning} | unreadable.keys()
        if not names:
            return 0
        records = held()
        return sum(unreadable.get(name, 0) >= records.get(name, 0) for name in names)

    def _by_message(self) -> dict[str, int]:
        return {origin: count for (origin, warning), count in self._counts.items() if not warning}

    def problems(self, payloads: Callable[[], Mapping[str, bytes]]) -> Iterator[Problem]:
        """Yields a problem for each record of a message, or one for all of them when there are many.

        Args:
            payloads: returns the messages as they arrived, by name.
        """
        arrived = payloads() if self._first else {}
        for key, first in self._first.items():
            if self._each:
                yield from first
                continue
            origin, warning = key
            found = [(problem.reason, problem.text) for problem in first]
            kept = letters(arrived[origin], found, self._counts[key])
            for problem, (reason, text) in zip(first, kept, strict=False):
                yield Problem(origin, reason, problem.index, text, warning)
