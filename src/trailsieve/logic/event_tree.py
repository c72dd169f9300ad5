"""The places of a JSON event that patterns refer to, as a tree.

A wildcard is replaced by what it may select: the fields and elements that other selectors name, and *spare*
ones, one for each term that may need a value of its own. More are never needed: a spare one that makes no
term true can be left out of an event. So the formula is exact, overlapping selectors and all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trailsieve.errors import UnknownError
from trailsieve.logic.encoding import needs_element
from trailsieve.pattern.nodes import IsType, Selector, Term, Wildcard

MAX_PLACES = 300
_MAX_INDEX = 40  # of an element next to a wildcard


@dataclass(frozen=True, slots=True, order=True)
class Spare:
    """A field or element that no selector names."""

    number: int


PathStep = str | int | Spare
Path = tuple[PathStep, ...]


class EventTree:
    """The paths to all places, found by replacing wildcards until nothing new comes up.

    Attributes:
        children: the steps that lead on from each path.

    Raises:
        UnknownError: there are too many places.
    """

    def __init__(self, literals: Iterable[tuple[Term, bool]]) -> None:
        self.children: dict[Path, dict[PathStep, None]] = {(): {}}
        self._spares: dict[Path, set[tuple[Term, bool]]] = {}
        self._grow(list(dict.fromkeys(literals)))

    def _grow(self, literals: list[tuple[Term, bool]]) -> None:
        size = -1
        while size != self._size():
            size = self._size()
            for literal in literals:
                paths = self.expand(literal)
                for path in paths:
                    self._add(path)
                if _tests_for_null(literal[0]) and self.elements(paths[0]):
                    self._choose(paths[0], literal)

    def _size(self) -> int:
        return sum(map(len, self.children.values()))

    def _add(self, path: Path) -> None:
        for place, step in enumerate(path):
            self.children.setdefault(path[: place + 1], {})
            self.children[path[:place]][step] = None
        if len(self.children) > MAX_PLACES:
            raise UnknownError("too large: too many places of an event that wildcards may select")

    def _choose(self, path: Path, literal: tuple[Term, bool]) -> list[PathStep]:
        """What a wildcard after `path` may select: named fields and elements, and spare ones."""
        if path not in self.children:
            self._add(path)
        known = self.children[path]
        indexes = [step for step in known if isinstance(step, int)]
        if max(indexes, default=0) > _MAX_INDEX:
            raise UnknownError(f"too large: an element beyond [{_MAX_INDEX}] next to a wildcard")
        for index in range(max(indexes, default=-1)):
            self._add((*path, index))
        if needs_element(*literal):
            spares = self._spares.setdefault(path, set())
            spares.add(literal)
            for number in range(len(spares)):
                self._add((*path, Spare(number)))
        return list(known)

    def expand(self, literal: tuple[Term, bool]) -> list[Path]:
        """The paths that the selector of a term may select."""
        selector = literal[0].target
        assert isinstance(selector, Selector)
        paths: list[Path] = [()]
        for step in selector.steps:
            if isinstance(step, Wildcard):
                paths = [(*path, child) for path in paths for child in self._choose(path, literal)]
            else:
                paths = [(*path, step) for path in paths]
            if len(paths) > MAX_PLACES:
                raise UnknownError("too large: too many places of an event that wildcards may select")
        return paths

    def elements(self, path: Path) -> list[Path]:
        """The children of a path that are elements if it is an array."""
        return [(*path, step) for step in self.children[path] if not isinstance(step, str)]

    def names(self, path: Path) -> dict[PathStep, str]:
        """The names of a path's fields; spare ones get names that no selector has."""
        taken = {step for step in self.children[path] if isinstance(step, str)}
        names: dict[PathStep, str] = {}
        free = (f"other{number or ''}" for number in range(len(taken) + len(self.children[path]) + 1))
        for step in self.children[path]:
            if isinstance(step, str):
                names[step] = step
            elif isinstance(step, Spare):
                names[step] = next(name for name in free if name not in taken)
        return names


def _tests_for_null(term: Term) -> bool:
    """Whether a term looks for null inside of an array, too (rule 29)."""
    assert isinstance(term.target, Selector)
    return isinstance(term, IsType) and term.type == "NULL" and not term.target.wildcards


def event_value(tree: EventTree, path: Path, values: dict[Path, Any], absent: Any) -> Any:
    """The JSON value at a path, its fields and elements put in."""
    value = values[path]
    present = [step for step in tree.children[path] if values[(*path, step)] is not absent]
    inner = {step: event_value(tree, (*path, step), values, absent) for step in present}
    if isinstance(value, dict):
        names = tree.names(path)
        return {names[step]: child for step, child in inner.items()}
    if isinstance(value, list) and inner:
        last = max((step for step in inner if isinstance(step, int)), default=-1)
        spares = [child for step, child in inner.items() if isinstance(step, Spare)]
        return [*(inner.get(index) for index in range(last + 1)), *spares]
    return value
