"""Guessing what a text is like, and looking for such a text afterwards.

Where kinds of text are too many to list (ten `"*…*"` tell 1,024 apart), each language gets a node of its
own: is the text in it or not? A solution is then a guess. Either there is a text of that kind, or the
guess is ruled out and the search goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence

from trailsieve.logic.automata import Machine
from trailsieve.logic.satisfiability import Formula, Space
from trailsieve.logic.shortest_words import MAX_STATES, label_of, special_characters
from trailsieve.logic.unknown import UnknownError

_IN = 0b10
Solution = Mapping[int, int]
Demand = tuple[Machine, Hashable]  # and the label that it must give


class Guesses:
    """One text, and for each of some languages whether it is in it."""

    def __init__(self, space: Space, languages: Mapping[Hashable, Machine]) -> None:
        self._space = space
        self._languages = dict(languages)
        self._nodes = {name: space.node(2) for name in languages}

    def has(self, name: Hashable) -> Formula:
        """The text is in that language."""
        return self._space.lit(self._nodes[name], _IN)

    def text(
        self, solution: Solution, natural: Iterable[str] = (), also: Sequence[Demand] = ()
    ) -> str | None:
        """A text for which the guesses of a solution are right, or None when there is none.

        Args:
            natural: texts to try first.
            also: further machines, and the label that each must give to the text.

        Raises:
            UnknownError: it was not found in time.
        """
        demands = [*self._demands(solution).values(), *also]
        fitting = (word for word in natural if all(label_of([m], word) == (wanted,) for m, wanted in demands))
        return next(fitting, None) or _word_for(demands)

    def _demands(self, solution: Solution) -> dict[Hashable, Demand]:
        guessed = {name: node for name, node in self._nodes.items() if node in solution}
        return {name: (self._languages[name], bool(solution[node])) for name, node in guessed.items()}

    def ruled_out(self, solution: Solution, also: Sequence[Demand], otherwise: Formula) -> Formula:
        """Some guess is wrong, of as few as cannot all be right; or `otherwise`, if that hangs on `also`."""
        demands = self._demands(solution)
        needed = [] if _is_impossible(demands.values()) else also
        for name in list(demands):
            fewer = {other: demand for other, demand in demands.items() if other != name}
            if _is_impossible([*fewer.values(), *needed]):
                demands = fewer
        wrong = [self._space.lit(self._nodes[name], _IN >> solution[self._nodes[name]]) for name in demands]
        return self._space.any([*wrong, otherwise] if needed else wrong)


def _is_impossible(demands: Iterable[Demand]) -> bool:
    try:
        return _word_for(list(demands)) is None
    except UnknownError:
        return False


def _word_for(demands: Sequence[Demand]) -> str | None:
    """A shortest text to which each machine gives its label, or None."""
    machines, label = [machine for machine, _ in demands], [wanted for _, wanted in demands]
    start = tuple(machine.start for machine in machines)
    queue = deque([(start, "")])
    seen = {start}
    while queue:
        states, word = queue.popleft()
        if all(m.label(s) == wanted for m, s, wanted in zip(machines, states, label, strict=True)):
            return word
        for character in special_characters(m.keys(s) for m, s in zip(machines, states, strict=True)):
            after = tuple(m.step(s, character) for m, s in zip(machines, states, strict=True))
            if after not in seen and not _is_lost(machines, after, label):
                seen.add(after)
                queue.append((after, word + character))
        if len(seen) > MAX_STATES:
            raise UnknownError("too large: very many different texts to tell apart")
    return None


def _is_lost(machines: Sequence[Machine], states: Sequence[Hashable], label: Sequence[Hashable]) -> bool:
    """Whether some machine has settled on another label."""
    return any(
        machine.settled(state) and machine.label(state) != wanted
        for machine, state, wanted in zip(machines, states, label, strict=True)
    )
