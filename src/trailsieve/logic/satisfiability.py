"""Formulas over nodes with finitely many cases each, and the search for cases that make one true.

A `Lit` says that a node's case is one of a set (a bit mask); a `Group` joins formulas by and (`every`) or by
or. True and False are formulas. A space keeps them small: literals of one node in one group are merged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from trailsieve.logic.unknown import UnknownError

MAX_STEPS = 300_000  # parts of formulas looked at for one question


class Lit(NamedTuple):
    """The case of `node` is one whose bit is set in `mask`."""

    node: int
    mask: int


class Group(NamedTuple):
    """All (`every`) or any of the parts; at least two."""

    every: bool
    parts: frozenset[Lit | Group]


Formula = bool | Lit | Group


class Space:
    """The nodes of a question, each known by the number of its cases."""

    def __init__(self) -> None:
        self.full: list[int] = []
        self.steps = 0
        self._dead: set[Formula] = set()

    def node(self, cases: int) -> int:
        """A new node."""
        self.full.append((1 << cases) - 1)
        return len(self.full) - 1

    def lit(self, node: int, mask: int) -> Formula:
        """The node has one of the cases."""
        if not mask:
            return False
        return True if mask == self.full[node] else Lit(node, mask)

    def all(self, parts: Iterable[Formula]) -> Formula:
        """Every part is true."""
        return self._join(True, parts)

    def any(self, parts: Iterable[Formula]) -> Formula:
        """Some part is true."""
        return self._join(False, parts)

    def negate(self, formula: Formula) -> Formula:
        """The opposite."""
        if isinstance(formula, bool):
            return not formula
        if isinstance(formula, Lit):
            return Lit(formula.node, self.full[formula.node] & ~formula.mask)
        return self._join(not formula.every, [self.negate(part) for part in formula.parts])

    def _join(self, every: bool, parts: Iterable[Formula]) -> Formula:
        masks: dict[int, int] = {}
        groups: set[Lit | Group] = set()
        stack = list(parts)
        while stack:
            part = stack.pop()
            if isinstance(part, bool):
                if part is not every:
                    return part
            elif isinstance(part, Lit):
                before = masks.get(part.node, self.full[part.node] if every else 0)
                masks[part.node] = mask = before & part.mask if every else before | part.mask
                if mask == (0 if every else self.full[part.node]):
                    return not every
            elif part.every is every:
                stack.extend(part.parts)
            else:
                groups.add(part)
        groups.update(Lit(node, mask) for node, mask in masks.items())
        if len(groups) < 2:
            return groups.pop() if groups else every
        return Group(every, frozenset(groups))

    # --- search ---

    def solve(self, formula: Formula) -> dict[int, int] | None:
        """A case for each node that matters, so that the formula is true; None when there is none.

        Earlier cases of a node are preferred.

        Raises:
            UnknownError: it takes more than `MAX_STEPS`.
        """
        if isinstance(formula, bool):
            return {} if formula else None
        if formula in self._dead:
            return None
        node, mask, preferred = self._pick(formula)
        tried: set[Formula] = set()
        for case in [*_bits(mask & preferred), *_bits(mask & ~preferred)]:
            rest = self._assign(formula, node, 1 << case)
            if rest in tried:
                continue
            tried.add(rest)
            found = self.solve(rest)
            if found is not None:
                found[node] = case
                return found
        self._dead.add(formula)
        return None

    def _pick(self, formula: Lit | Group) -> tuple[int, int, int]:
        """The node to decide next, the cases that it may have, and those to try first."""
        if isinstance(formula, Lit):
            return formula.node, formula.mask, formula.mask
        literals = [part for part in formula.parts if isinstance(part, Lit)]
        if formula.every:
            if literals:
                node, mask = min(literals, key=lambda part: (part.mask.bit_count(), part.node))
                return node, mask, mask
            smallest = min(formula.parts, key=_size)
            return self._pick(smallest)
        if literals:
            node, mask = min(literals)
            return node, self.full[node], mask
        node, _, mask = self._pick(min(formula.parts, key=_size))
        return node, self.full[node], mask

    def _assign(self, formula: Formula, node: int, bit: int) -> Formula:
        """The formula when the node has the case of that bit."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise UnknownError("too large: too many combinations of terms")
        if isinstance(formula, bool):
            return formula
        if isinstance(formula, Lit):
            return formula if formula.node != node else bool(formula.mask & bit)
        return self._join(formula.every, [self._assign(part, node, bit) for part in formula.parts])


def _bits(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _size(formula: Lit | Group) -> tuple[int, int]:
    """For a choice that is the same on every run: fewest parts, then the lowest node."""
    if isinstance(formula, Lit):
        return 1, formula.node
    sizes = [_size(part) for part in formula.parts]
    return sum(size for size, _ in sizes), min(node for _, node in sizes)
