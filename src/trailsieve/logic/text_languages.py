"""What tests look for in texts, and representatives of all texts."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache
from itertools import chain, count

from trailsieve.logic.automata import Automaton, LiteralAutomaton, WildcardAutomaton
from trailsieve.logic.regex_automaton import RegexAutomaton
from trailsieve.logic.shortest_words import label_of, words_by_label
from trailsieve.pattern.nodes import Comparison, Number, Regex, Term

NATURAL = ("other", "another", "something", "x", "y")


class TextTests:
    """What comparisons look for in a text: literals, and automata for wildcards and regexes."""

    def __init__(self, comparisons: Iterable[Comparison], *, numbers: bool) -> None:
        literals: dict[str, None] = {}
        self.languages: dict[Hashable, Automaton] = {}
        for test in comparisons:
            if (name := language_of(test)) is not None:
                self.languages[name] = _search(name) if isinstance(name, str) else _like(name)
            elif numbers or not isinstance(test.value, Number):
                literals[test.value.text] = None  # type: ignore[union-attr]
        self.literals = tuple(literals)
        self.automata = (LiteralAutomaton(literals), *self.languages.values())


def language_of(test: Term) -> str | tuple[str, ...] | None:
    """What names the language that a test looks for: a regex or the parts between stars; else None."""
    if not isinstance(test, Comparison) or isinstance(test.value, Number):
        return None
    if isinstance(test.value, Regex):
        return test.value.source
    return test.value.parts if len(test.value.parts) > 1 else None


@lru_cache(maxsize=256)
def _search(source: str) -> RegexAutomaton:
    return RegexAutomaton(source)


@lru_cache(maxsize=1024)
def _like(parts: tuple[str, ...]) -> WildcardAutomaton:
    return WildcardAutomaton(parts)


def representative_texts(tests: TextTests, natural: Iterable[str] = NATURAL) -> list[str]:
    """Representatives of all texts: every literal, and one text for each other label of the automata."""
    if not tests.languages:
        return [*tests.literals, _fresh(tests.literals)]
    found = words_by_label(tests.automata)
    for word in reversed(tuple(natural)):
        label = label_of(tests.automata, word)
        if not found[label] or not any(label):
            found[label] = word
    return list(found.values())


def _fresh(taken: Iterable[str]) -> str:
    return next(word for word in chain(NATURAL, ("x" * length for length in count(2))) if word not in taken)
