"""Formulas over variables with finite domains, and a complete search for a solution.

A `Literal` says that the value of a variable is in a set (a bit mask); a `Junction` is a conjunction or
disjunction of formulas. True and False are formulas. The solver keeps formulas small: literals of one
variable in one junction are merged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from trailsieve.errors import UnknownError

MAX_STEPS = 300_000  # parts of formulas looked at for one question


class Literal(NamedTuple):
    """The case of `variable` is one whose bit is set in `mask`."""

    variable: int
    mask: int


class Junction(NamedTuple):
    """All (`conjunctive`) or any of the parts; at least two."""

    conjunctive: bool
    parts: frozenset[Literal | Junction]


Formula = bool | Literal | Junction


class Solver:
    """Finite-domain variables, each known by its number; `full` has the mask of each whole domain."""

    def __init__(self) -> None:
        self.full: list[int] = []
        self.steps = 0
        self._dead: set[Formula] = set()

    def variable(self, cases: int) -> int:
        """A new variable."""
        self.full.append((1 << cases) - 1)
        return len(self.full) - 1

    def literal(self, variable: int, mask: int) -> Formula:
        """The variable has one of the cases."""
        if not mask:
            return False
        return True if mask == self.full[variable] else Literal(variable, mask)

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
        if isinstance(formula, Literal):
            return Literal(formula.variable, self.full[formula.variable] & ~formula.mask)
        return self._join(not formula.conjunctive, [self.negate(part) for part in formula.parts])

    def _join(self, conjunctive: bool, parts: Iterable[Formula]) -> Formula:
        masks: dict[int, int] = {}
        groups: set[Literal | Junction] = set()
        stack = list(parts)
        while stack:
            part = stack.pop()
            if isinstance(part, bool):
                if part is not conjunctive:
                    return part
            elif isinstance(part, Literal):
                before = masks.get(part.variable, self.full[part.variable] if conjunctive else 0)
                masks[part.variable] = mask = before & part.mask if conjunctive else before | part.mask
                if mask == (0 if conjunctive else self.full[part.variable]):
                    return not conjunctive
            elif part.conjunctive is conjunctive:
                stack.extend(part.parts)
            else:
                groups.add(part)
        groups.update(Literal(variable, mask) for variable, mask in masks.items())
        if len(groups) < 2:
            return groups.pop() if groups else conjunctive
        return Junction(conjunctive, frozenset(groups))

    # --- search ---

    def solve(self, formula: Formula) -> dict[int, int] | None:
        """A case for each variable that matters, so that the formula is true; None if it is unsatisfiable.

        Earlier cases of a variable are preferred.

        Raises:
            UnknownError: it takes more than `MAX_STEPS`.
        """
        if isinstance(formula, bool):
            return {} if formula else None
        if formula in self._dead:
            return None
        variable, mask, preferred = self._pick(formula)
        tried: set[Formula] = set()
        for case in [*_bits(mask & preferred), *_bits(mask & ~preferred)]:
            rest = self._assign(formula, variable, 1 << case)
            if rest in tried:
                continue
            tried.add(rest)
            found = self.solve(rest)
            if found is not None:
                found[variable] = case
                return found
        self._dead.add(formula)
        return None

    def _pick(self, formula: Literal | Junction) -> tuple[int, int, int]:
        """The variable to decide next, the cases that it may have, and those to try first."""
        if isinstance(formula, Literal):
            return formula.variable, formula.mask, formula.mask
        literals = [part for part in formula.parts if isinstance(part, Literal)]
        if formula.conjunctive:
            if literals:
                variable, mask = min(literals, key=lambda part: (part.mask.bit_count(), part.variable))
                return variable, mask, mask
            smallest = min(formula.parts, key=_size)
            return self._pick(smallest)
        if literals:
            variable, mask = min(literals)
            return variable, self.full[variable], mask
        variable, _, mask = self._pick(min(formula.parts, key=_size))
        return variable, self.full[variable], mask

    def _assign(self, formula: Formula, variable: int, bit: int) -> Formula:
        """The formula when the variable has the case of that bit."""
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise UnknownError("too large: too many combinations of terms")
        if isinstance(formula, bool):
            return formula
        if isinstance(formula, Literal):
            return formula if formula.variable != variable else bool(formula.mask & bit)
        return self._join(formula.conjunctive, [self._assign(part, variable, bit) for part in formula.parts])


def _bits(mask: int) -> Iterable[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _size(formula: Literal | Junction) -> tuple[int, int]:
    """For a choice that is the same on conjunctive run: fewest parts, then the lowest variable."""
    if isinstance(formula, Literal):
        return 1, formula.variable
    sizes = [_size(part) for part in formula.parts]
    return sum(size for size, _ in sizes), min(variable for _, variable in sizes)
