"""Languages of texts as deterministic automata that are built while they are explored.

An automaton reads a text one character at a time. `keys(state)` are the characters that may lead to a state
of their own; all others lead where any other character leads, so no automaton has an alphabet. States are
hashable. The available libraries (greenery, automata-lib) build whole tables over a fixed alphabet and know
neither the first-occurrence stars of rule 40 nor RE2's dialect.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Protocol


class Automaton(Protocol):
    """A deterministic automaton. `label` is its answer for the text read so far, for most a bool.

    `settled` is True only if the label stays the same whatever follows.
    """

    @property
    def start(self) -> Hashable: ...

    def keys(self, state: Any) -> Iterable[str]: ...

    def step(self, state: Any, character: str) -> Hashable: ...

    def label(self, state: Any) -> Hashable: ...

    def settled(self, state: Any) -> bool: ...


class LiteralAutomaton:
    """Which of some texts is it? The label is that text, or None. The state is the text read so far."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = frozenset(texts)
        self.start: str | None = ""
        self._next: dict[str, set[str]] = {}
        for text in self.texts:
            for place, character in enumerate(text):
                self._next.setdefault(text[:place], set()).add(character)

    def keys(self, state: str | None) -> Iterable[str]:
        return () if state is None else self._next.get(state, ())

    def step(self, state: str | None, character: str) -> str | None:
        if state is None or character not in self._next.get(state, ()):
            return None
        return state + character

    def label(self, state: str | None) -> str | None:
        return state if state in self.texts else None

    def settled(self, state: str | None) -> bool:
        return state is None


_DONE, _ENDED, _DEAD = (-1, 0), (-2, 0), (-3, 0)


class WildcardAutomaton:
    """The texts that match a value with stars, given the parts between the stars (rules 39 and 40).

    The state is the part that is looked for (0 is what the text must start with) and how many of its
    characters stand at the end of what was read, as in the search of Knuth, Morris and Pratt.
    """

    def __init__(self, parts: tuple[str, ...]) -> None:
        first, *middle, last = parts
        self._needles = [first, *filter(None, middle), *([last] if last else [])]
        self._at_end = _ENDED if last else _DONE
        self._fallbacks = [_fallbacks(needle) for needle in self._needles]
        self.start = (0, 0) if first else self._after(0)

    def _after(self, stage: int) -> tuple[int, int]:
        return (stage + 1, 0) if stage + 1 < len(self._needles) else self._at_end

    def keys(self, state: tuple[int, int]) -> Iterable[str]:
        stage, matched = state
        if stage < 0:
            return ()
        needle = self._needles[stage]
        found = {needle[matched]}
        while stage and matched:
            matched = self._fallbacks[stage][matched]
            found.add(needle[matched])
        return found

    def step(self, state: tuple[int, int], character: str) -> tuple[int, int]:
        stage, matched = state
        if stage < 0:
            return _DONE if state == _DONE else _DEAD
        needle = self._needles[stage]
        while needle[matched] != character:
            if not stage:
                return _DEAD
            if not matched:
                return (stage, 0)
            matched = self._fallbacks[stage][matched]
        return (stage, matched + 1) if matched + 1 < len(needle) else self._after(stage)

    def label(self, state: tuple[int, int]) -> bool:
        return state in (_DONE, _ENDED)

    def settled(self, state: tuple[int, int]) -> bool:
        return state in (_DONE, _DEAD)


def _fallbacks(needle: str) -> list[int]:
    """For each count of matched characters the next shorter count that also fits."""
    table = [0] * (len(needle) + 1)
    matched = 0
    for place in range(1, len(needle)):
        while matched and needle[place] != needle[matched]:
            matched = table[matched]
        matched += needle[place] == needle[matched]
        table[place + 1] = matched
    return table
