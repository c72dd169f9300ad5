"""Regexes of filter patterns as machines: the dialect that `regex.check_regex` lets through (rules 18, 19).

It has no groups, no flags and no word boundaries: characters, classes, repetitions, `|`, `^` and `$`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from trailsieve.pattern.relate.unknown import UnknownError

_ASCII = [chr(code) for code in range(128)]
_DIGITS = frozenset("0123456789")
_WORD = frozenset(c for c in _ASCII if c.isalnum() or c == "_")
_SPACE = frozenset("\t\n\f\r ")
_PUNCTUATION = frozenset(c for c in _ASCII if "!" <= c <= "~" and not c.isalnum())
_NAMED = {
    "alnum": _WORD - {"_"},
    "alpha": _WORD - {"_"} - _DIGITS,
    "ascii": frozenset(_ASCII),
    "blank": frozenset("\t "),
    "cntrl": frozenset(c for c in _ASCII if c < " " or c == "\x7f"),
    "digit": _DIGITS,
    "graph": frozenset(c for c in _ASCII if "!" <= c <= "~"),
    "lower": frozenset(c for c in _ASCII if c.islower()),
    "print": frozenset(c for c in _ASCII if " " <= c <= "~"),
    "punct": _PUNCTUATION,
    "space": frozenset("\t\n\v\f\r "),
    "upper": frozenset(c for c in _ASCII if c.isupper()),
    "word": _WORD,
    "xdigit": frozenset("0123456789abcdefABCDEF"),
}
_PERL = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_REPEAT = re.compile(r"\{([0-9]+)(,?)([0-9]*)\}")
_NAMED_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_MAX_STATES = 4000


@dataclass(frozen=True, slots=True)
class Characters:
    """A set of characters: those listed, or (`others`) all but those listed."""

    listed: frozenset[str]
    others: bool = False

    def __contains__(self, character: str) -> bool:
        return (character in self.listed) is not self.others

    def __or__(self, other: Characters) -> Characters:
        if self.others and other.others:
            return Characters(self.listed & other.listed, True)
        if self.others:
            return Characters(self.listed - other.listed, True)
        return other | self if other.others else Characters(self.listed | other.listed)

    def __invert__(self) -> Characters:
        return Characters(self.listed, not self.others)


# --- the parts of a regex: alternatives of sequences of repeated atoms ---

Atom = Characters | str  # a str is "^" or "$"


@dataclass(frozen=True, slots=True)
class _Repeated:
    atom: Atom
    least: int = 1
    most: int | None = 1


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0

    def read(self) -> list[list[_Repeated]]:
        alternatives: list[list[_Repeated]] = [[]]
        while self.place < len(self.source):
            if self._takes("|"):
                alternatives.append([])
            else:
                alternatives[-1].append(self._repeated(self._atom()))
        return alternatives

    def _takes(self, text: str) -> bool:
        if not self.source.startswith(text, self.place):
            return False
        self.place += len(text)
        return True

    def _next(self) -> str:
        self.place += 1
        return self.source[self.place - 1 : self.place]

    def _atom(self) -> Atom:
        character = self._next()
        match character:
            case "^" | "$":
                return character
            case ".":
                return Characters(frozenset("\n"), True)
            case "[":
                return self._class()
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise UnknownError(f"the regex %{self.source}% is too odd to reason about")
            case _:
                return Characters(frozenset(character))

    def _escape(self) -> Characters:
        character = self._next()
        if character.lower() in _PERL:
            found = Characters(_PERL[character.lower()])
            return ~found if character.isupper() else found
        if character == "x":
            self.place += 2
            return Characters(frozenset(chr(int(self.source[self.place - 2 : self.place], 16))))
        return Characters(frozenset(character))

    def _repeated(self, atom: Atom) -> _Repeated:
        found = _Repeated(atom)
        counts = _REPEAT.match(self.source, self.place)
        if counts:
            self.place = counts.end()
            least = int(counts[1])
            found = _Repeated(atom, least, int(counts[3]) if counts[3] else None if counts[2] else least)
        elif self._takes("*"):
            found = _Repeated(atom, 0, None)
        elif self._takes("+"):
            found = _Repeated(atom, 1, None)
        elif self._takes("?"):
            return self._lazy(_Repeated(atom, 0, 1))
        else:
            return found
        return self._lazy(found)

    def _lazy(self, repeated: _Repeated) -> _Repeated:
        """Lazy or greedy is the same question: is it found or not."""
        self._takes("?")
        return repeated

    def _class(self) -> Characters:
        negated = self._takes("^")
        found = Characters(frozenset())
        first = True
        while first or not self._takes("]"):
            first = False
            found |= self._class_item()
        return ~found if negated else found

    def _class_item(self) -> Characters:
        named = _NAMED_CLASS.match(self.source, self.place)
        if named:
            self.place = named.end()
            found = Characters(_NAMED[named[2]])
            return ~found if named[1] else found
        start = self._class_character()
        if len(start.listed) != 1 or start.others or not self._range_follows():
            return start
        self._next()
        (low,), (high,) = start.listed, self._class_character().listed
        return Characters(frozenset(chr(code) for code in range(ord(low), ord(high) + 1)))

    def _range_follows(self) -> bool:
        return self.source.startswith("-", self.place) and self.source[self.place + 1 : self.place + 2] != "]"

    def _class_character(self) -> Characters:
        character = self._next()
        if not character:
            raise UnknownError(f"the regex %{self.source}% is too odd to reason about")
        return self._escape() if character == "\\" else Characters(frozenset(character))


# --- the machine ---

State = tuple[bool, frozenset[int]]  # nothing read yet?, places in the regex
_FOUND: State = (False, frozenset({-1}))


class Search:
    """Texts in which a regex is found (rule 17). The state is the set of places where the search may be.

    Raises:
        UnknownError: the regex is too large or too odd.
    """

    def __init__(self, source: str) -> None:
        self.edges: list[tuple[Atom, int] | None] = []  # per place: what is read, and where that leads
        self.jumps: list[list[int]] = []  # per place: where it leads without reading
        self.end = self._place()
        begins = [self._sequence(items) for items in _Reader(source).read()]
        self.begin = self._place()
        self.jumps[self.begin] = begins
        self._steps: dict[tuple[State, str], State] = {}
        self.start = self._state({self.begin}, fresh=True)

    def _place(self) -> int:
        if len(self.jumps) > _MAX_STATES:
            raise UnknownError("too large: a regex with very many repetitions")
        self.edges.append(None)
        self.jumps.append([])
        return len(self.jumps) - 1

    def _sequence(self, items: list[_Repeated]) -> int:
        """The place where a sequence begins; built backwards from the end."""
        place = self.end
        for item in reversed(items):
            place = self._repeat(item, place)
        return place

    def _repeat(self, item: _Repeated, then: int) -> int:
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
        if "\ud800" <= character <= "\udfff":
            character = "?"
        known = self._steps.get((state, character))
        if known is None:
            reached = {self.begin}
            for place in state[1]:
                edge = self.edges[place]
                if edge and not isinstance(edge[0], str) and character in edge[0]:
                    reached.add(edge[1])
            known = self._steps[state, character] = self._state(reached, fresh=False)
        return known

    def label(self, state: State) -> bool:
        return state == _FOUND or self.end in self._closure(state[1], "^$" if state[0] else "$")

    def settled(self, state: State) -> bool:
        return state == _FOUND
