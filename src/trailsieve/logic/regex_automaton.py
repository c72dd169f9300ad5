"""Regexes of filter patterns as automata (rules 17 to 19)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trailsieve.errors import UnknownError
from trailsieve.logic.regex_syntax import Atom, Repeated, alternatives

_MAX_STATES = 4000

State = tuple[bool, frozenset[int]]  # nothing read yet?, places in the regex
_FOUND: State = (False, frozenset({-1}))


class RegexAutomaton:
    """Texts in which a regex is found (rule 17). The state is the set of places where the search may be.

    Raises:
        UnknownError: the regex is too large or too odd.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.edges: list[tuple[Atom, int] | None] = []  # per place: what is read, and where that leads
        self.jumps: list[list[int]] = []  # per place: where it leads without reading
        self.end = self._place()
        begins = [self._sequence(items) for items in alternatives(source)]
        self.begin = self._place()
        self.jumps[self.begin] = begins
        self._steps: dict[tuple[State, str], State] = {}
        self.start = self._state({self.begin}, fresh=True)

    def _place(self) -> int:
        if len(self.jumps) > _MAX_STATES:
            raise UnknownError("too large: a regex with too many repetitions")
        self.edges.append(None)
        self.jumps.append([])
        return len(self.jumps) - 1

    def _sequence(self, items: list[Repeated]) -> int:
        """The place where a sequence begins; built backwards from the end."""
        place = self.end
        for item in reversed(items):
            place = self._repeat(item, place)
        return place

    def _repeat(self, item: Repeated, then: int) -> int:
        place = then
        if item.most is None:
            place = self._place()
            self.jumps[place] = [self._read(item.atom, place), then]
        else:
            for _ in range(item.most - item.least):
                optional = self._place()
                self.jumps[optional] = [self._read(item.atom, place), then]
                place = optional
        for _ in range(item.least):
            place = self._read(item.atom, place)
        return place

    def _read(self, atom: Atom, then: int) -> int:
        place = self._place()
        self.edges[place] = (atom, then)
        return place

    def _closure(self, places: Iterable[int], marks: str) -> set[int]:
        """All places reached without reading, where the marks `^` and `$` given are passed."""
        found: set[int] = set()
        stack = list(places)
        while stack:
            place = stack.pop()
            if place in found:
                continue
            found.add(place)
            stack += self.jumps[place]
            edge = self.edges[place]
            if edge and isinstance(edge[0], str) and edge[0] in marks:
                stack.append(edge[1])
        return found

    def _state(self, places: set[int], *, fresh: bool) -> State:
        reached = self._closure(places, "^" if fresh else "")
        return _FOUND if self.end in reached else (fresh, frozenset(reached))

    def keys(self, state: State) -> Iterable[str]:
        if state == _FOUND:
            return ()
        keys = {
            c for p in state[1] if (e := self.edges[p]) and not isinstance(e[0], str) for c in e[0].listed
        }
        # A lone surrogate counts as `?` (see `regex.searcher`).
        return keys | {"\ud800"} if "?" in keys else keys

    def step(self, state: State, character: str) -> State:
        if state == _FOUND:
            return state
        known = self._steps.get((state, character))
        if known is None:
            reached = {self.begin, *self._after(state, character)}
            known = self._steps[state, character] = self._state(reached, fresh=False)
        return known

    def threads(self, state: State, character: str) -> list[State]:
        """The states after a character, one for each place where the search may go on."""
        if state == _FOUND:
            return [state]
        reached = ({self.begin} & state[1]) | {*self._after(state, character)}
        return [self._state({place}, fresh=False) for place in reached]

    def _after(self, state: State, character: str) -> Iterator[int]:
        """The places behind the edges that read a character."""
        if "\ud800" <= character <= "\udfff":
            character = "?"
        for place in state[1]:
            edge = self.edges[place]
            if edge and not isinstance(edge[0], str) and character in edge[0]:
                yield edge[1]

    def label(self, state: State) -> bool:
        return state == _FOUND or self.end in self._closure(state[1], "^$" if state[0] else "$")

    def settled(self, state: State) -> bool:
        return state == _FOUND
