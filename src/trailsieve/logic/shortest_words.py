"""A shortest text for each combination of labels that several automata can have."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence

from trailsieve.errors import UnknownError
from trailsieve.logic.automata import Automaton

MAX_STATES = 3000  # of all automata together
Label = tuple[Hashable, ...]
_FILLERS = "xabcdefghijklmnopqrstuvwyz0123456789-_./ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def words_by_label(automata: Sequence[Automaton], *, guided: bool = False) -> dict[Label, str]:
    """For each combination of labels that some text has, a shortest such text.

    Args:
        guided: read only the keys of the first automaton; for one that accepts no other characters.

    Raises:
        UnknownError: there are too many combinations to look through.
    """
    start = tuple(automaton.start for automaton in automata)
    queue = deque([(start, "")])
    seen = {start}
    found: dict[Label, str] = {}
    while queue:
        states, word = queue.popleft()
        found.setdefault(tuple(m.label(s) for m, s in zip(automata, states, strict=True)), word)
        if guided:
            characters = list(automata[0].keys(states[0]))
        else:
            characters = special_characters(m.keys(s) for m, s in zip(automata, states, strict=True))
        for character in characters:
            after = tuple(m.step(s, character) for m, s in zip(automata, states, strict=True))
            if after not in seen:
                seen.add(after)
                queue.append((after, word + character))
        if len(seen) > MAX_STATES:
            raise UnknownError("too large: too many different texts to tell apart")
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
