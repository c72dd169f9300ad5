"""A shortest text for which automata give certain answers, found without making all of a regex deterministic.

A regex that must be found is followed one thread at a time, since any thread that arrives is enough. For one
that must not be found all threads count: the state is their set, and of two texts that differ only in such
sets, the one with fewer threads is followed (antichains: De Wulf, Doyen, Henzinger and Raskin, CAV 2006).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from trailsieve.errors import UnknownError
from trailsieve.logic.automata import Automaton
from trailsieve.logic.regex_automaton import RegexAutomaton
from trailsieve.logic.shortest_words import special_characters

_MAX_STATES = 8_000
_MOST_THREADS = 5_000  # more than a regex has
Demand = tuple[Automaton, Hashable]  # and the label that it must give
States = tuple[Any, ...]


def shortest_word(demands: Sequence[Demand]) -> str | None:
    """A shortest text to which each automaton gives its label, or None when there is none.

    Raises:
        UnknownError: there are too many texts to look through.
    """
    seen = _Seen(demands)
    level = [(tuple(automaton.start for automaton, _ in demands), "")]
    while level:
        for states, word in level:
            if all(m.label(s) == wanted for (m, wanted), s in zip(demands, states, strict=True)):
                return word
        found = [
            (after, word + character)
            for states, word in level
            for character in special_characters(m.keys(s) for (m, _), s in zip(demands, states, strict=True))
            for after in _after(demands, states, character)
            if not _is_lost(demands, after)
        ]
        found.sort(key=lambda one: seen.threads(one[0]))
        level = [one for one in found if seen.adds(one[0])]
        if seen.count > _MAX_STATES:
            raise UnknownError(f"too large: too many kinds of text to tell apart{_why(demands)}")
    return None


def _after(demands: Sequence[Demand], states: States, character: str) -> Iterator[States]:
    choices: Iterable[Any] = (
        automaton.threads(state, character)
        if wanted is True and isinstance(automaton, RegexAutomaton)
        else (automaton.step(state, character),)
        for (automaton, wanted), state in zip(demands, states, strict=True)
    )
    return product(*choices)


def _is_lost(demands: Sequence[Demand], states: States) -> bool:
    """Whether some automaton has settled on another label."""
    return any(m.settled(s) and m.label(s) != wanted for (m, wanted), s in zip(demands, states, strict=True))


def _why(demands: Sequence[Demand]) -> str:
    sources = [f"%{automaton.source}%" for automaton, _ in demands if isinstance(automaton, RegexAutomaton)]
    return f" by {' and '.join(sources)}" if sources else ""


class _Seen:
    """The states that were reached, without those that others with fewer threads make unnecessary."""

    def __init__(self, demands: Sequence[Demand]) -> None:
        compared = [isinstance(m, RegexAutomaton) and wanted is False for m, wanted in demands]
        self._compared = [place for place, is_compared in enumerate(compared) if is_compared]
        self._kept: dict[States, list[int]] = {}
        self.count = 0

    def threads(self, states: States) -> int:
        """How many threads there are of regexes that must not be found."""
        return sum(len(states[place][1]) for place in self._compared)

    def adds(self, states: States) -> bool:
        """Whether the states are new and nothing with fewer threads was there before."""
        alike, threads = list(states), 0
        for number, place in enumerate(self._compared):
            fresh, places = states[place]
            alike[place] = fresh
            threads |= sum(1 << (thread + 1 + number * _MOST_THREADS) for thread in places)
        kept = self._kept.setdefault(tuple(alike), [])
        if any(fewer & ~threads == 0 for fewer in kept):
            return False
        kept[:] = [more for more in kept if threads & ~more]
        kept.append(threads)
        self.count += 1
        return True
