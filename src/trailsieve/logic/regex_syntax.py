"""The text of a regex as alternatives of sequences of repeated atoms: the dialect of rules 18 and 19.

That is what `regex.check_regex` lets through: no groups, no flags and no word boundaries, but characters,
classes, repetitions, `|`, `^` and `$`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trailsieve.errors import UnknownError

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


Atom = Characters | str  # a str is "^" or "$"


@dataclass(frozen=True, slots=True)
class Repeated:
    """An atom, and how often it may be repeated; `most` is None if there is no limit."""

    atom: Atom
    least: int = 1
    most: int | None = 1


def alternatives(source: str) -> list[list[Repeated]]:
    """The parts of a regex between `|`, each a sequence.

    Raises:
        UnknownError: the regex is not in this dialect.
    """
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0

    def read(self) -> list[list[Repeated]]:
        alternatives: list[list[Repeated]] = [[]]
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
                raise UnknownError(f"the regex %{self.source}% is outside the dialect that can be analysed")
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

    def _repeated(self, atom: Atom) -> Repeated:
        found = Repeated(atom)
        counts = _REPEAT.match(self.source, self.place)
        if counts:
            self.place = counts.end()
            least = int(counts[1])
            found = Repeated(atom, least, int(counts[3]) if counts[3] else None if counts[2] else least)
        elif self._takes("*"):
            found = Repeated(atom, 0, None)
        elif self._takes("+"):
            found = Repeated(atom, 1, None)
        elif self._takes("?"):
            return self._lazy(Repeated(atom, 0, 1))
        else:
            return found
        return self._lazy(found)

    def _lazy(self, repeated: Repeated) -> Repeated:
        """Lazy and greedy find the same texts."""
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
            raise UnknownError(f"the regex %{self.source}% is outside the dialect that can be analysed")
        return self._escape() if character == "\\" else Characters(frozenset(character))
