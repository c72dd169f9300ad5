"""A shortest text for each combination of labels that several automata can have."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence

from trailsieve.errors import UnknownError
from trailsieve.logic.automata import Automaton

_MAX_STATES = 3000  # of all automata together; beyond that, guessing is faster (see `text_abstraction`)
_MAX_GUIDED = 20_000  # the digits of the largest doubles need so many
Label = tuple[Hashable, ...]
_FILLERS = "xabcdefghijklmnopqrstuvwyz0123456789-_./ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def words(automata: Sequence[Automaton], *, guided: bool = False) -> Iterator[tuple[Label, str]]:
    """For each combination of states that some text leads to, its labels and a shortest text, shortest first.

    Args:
        guided: read only the keys of the first automaton; for one that accepts no other characters.

    Raises:
        UnknownError: there are too many combinations to look through.
    """
    start = tuple(automaton.start for automaton in automata)
    queue = deque([(start, "")])
    seen = {start}
    while queue:
        states, word = queue.popleft()
        yield tuple(m.label(s) for m, s in zip(automata, states, strict=True)), word
        if guided:
            characters = sorted(automata[0].keys(states[0]))
        else:
            characters = special_characters(m.keys(s) for m, s in zip(automata, states, strict=True))
        for character in characters:
            after = tuple(m.step(s, character) for m, s in zip(automata, states, strict=True))
            if after not in seen:
                seen.add(after)
                queue.append((after, word + character))
        if len(seen) > (_MAX_GUIDED if guided else _MAX_STATES):
            raise UnknownError("too large: too many different texts to tell apart")


def words_by_label(automata: Sequence[Automaton], *, guided: bool = False) -> dict[Label, str]:
    """For each combination of labels that some text has, a shortest such text; for `guided` see `words`.

    Raises:
        UnknownError: there are too many combinations to look through.
    """
    found: dict[Label, str] = {}
    for label, word in words(automata, guided=guided):
        found.setdefault(label, word)
    return found


def label_of(automata: Sequence[Automaton], word: str) -> Label:
    """What the automata say of one text."""
    states = [automaton.start for automaton in automata]
    for character in word:
        states = [automaton.step(s, character) for automaton, s in zip(automata, states, strict=True)]
    return tuple(automaton.label(s) for automaton, s in zip(automata, states, strict=True))


def special_characters(keys: Iterable[Iterable[str]]) -> list[str]:
    """The special characters and one that represents all others; readable ones first."""
    special = set().union(*keys)
    filler = next((c for c in _FILLERS if c not in special), "")
    if not filler:
        filler = next(chr(code) for code in range(0x100, 0x110000) if chr(code) not in special)
    return sorted(special | {filler}, key=lambda c: (not c.isalnum(), not c.isprintable(), c))
