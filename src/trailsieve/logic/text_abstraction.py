"""Texts by abstraction and refinement: guess which languages a text is in, then look for such a text.

For texts of too many kinds to list (ten `"*…*"` distinguish 1,024), each language gets a variable of its own:
is the text in it or not? A solution is then a guess. If no text fits, a lemma excludes the guess and the
search goes on.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

from trailsieve.errors import UnknownError
from trailsieve.logic.automata import Automaton
from trailsieve.logic.satisfiability import Formula, Solver
from trailsieve.logic.shortest_words import label_of
from trailsieve.logic.word_search import Demand, shortest_word

_IN = 0b10
Solution = Mapping[int, int]


class TextAbstraction:
    """One text, and for each of some languages whether it is in it."""

    def __init__(self, solver: Solver, languages: Mapping[Hashable, Automaton]) -> None:
        self._solver = solver
        self._languages = dict(languages)
        self._variables = {name: solver.variable(2) for name in languages}

    def has(self, name: Hashable) -> Formula:
        """The text is in that language."""
        return self._solver.literal(self._variables[name], _IN)

    def text(
        self, solution: Solution, natural: Iterable[str] = (), also: Sequence[Demand] = ()
    ) -> str | None:
        """A text for which the guesses of a solution are right, or None when there is none.

        Args:
            natural: texts to try first.
            also: further automata, and the label that each must give to the text.

        Raises:
            UnknownError: it was not found in time.
        """
        demands = [*self._demands(solution).values(), *also]
        fitting = (word for word in natural if all(label_of([m], word) == (wanted,) for m, wanted in demands))
        return next(fitting, None) or shortest_word(demands)

    def _demands(self, solution: Solution) -> dict[Hashable, Demand]:
        guessed = {name: variable for name, variable in self._variables.items() if variable in solution}
        return {name: (self._languages[name], bool(solution[variable])) for name, variable in guessed.items()}

    def ruled_out(self, solution: Solution, also: Sequence[Demand], otherwise: Formula) -> Formula:
        """Some guess is wrong, of as few as cannot all be right; or `otherwise`, if that hangs on `also`."""
        demands = self._demands(solution)
        needed = [] if _is_impossible(demands.values()) else also
        for name in list(demands):
            fewer = {other: demand for other, demand in demands.items() if other != name}
            if _is_impossible([*fewer.values(), *needed]):
                demands = fewer
        wrong = [
            self._solver.literal(self._variables[name], _IN >> solution[self._variables[name]])
            for name in demands
        ]
        return self._solver.any([*wrong, otherwise] if needed else wrong)


def _is_impossible(demands: Iterable[Demand]) -> bool:
    try:
        return shortest_word(list(demands)) is None
    except UnknownError:
        return False
