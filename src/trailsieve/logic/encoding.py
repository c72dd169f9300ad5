"""What the encodings of all pattern languages share: expressions that must be true, or false, as formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from trailsieve.logic.domain import HERE
from trailsieve.logic.satisfiability import Formula, Solver
from trailsieve.pattern.nodes import And, Comparison, Expression, Group, IsType, Or, Selector, Term


class Encoding(Protocol):
    """A formula, and how a solution of it becomes an event.

    Attributes:
        real: the formula that excludes spurious cases (see `domain`).
        events: events that a solution may stand for, to be tried.
        lemma: True if a solution is one, else a formula that excludes it (see `text_abstraction`).
    """

    solver: Solver
    formula: Formula
    real: Formula

    def lemma(self, solution: dict[int, int]) -> Formula: ...

    def events(self, solution: dict[int, int]) -> Iterable[str]: ...


def literals_of(expression: Expression, wanted: bool) -> Iterator[tuple[Term, bool]]:
    """Each term of an expression, and whether it must hold where it matters."""
    if isinstance(expression, Group):
        for term in expression.terms:
            yield from literals_of(term, wanted)
    else:
        yield expression, wanted


def joined(solver: Solver, expression: Expression, term_formula: Callable[[Term], Formula]) -> Formula:
    """The formula of an expression, given that of each term."""
    if isinstance(expression, And):
        return solver.all(joined(solver, term, term_formula) for term in expression.terms)
    if isinstance(expression, Or):
        return solver.any(joined(solver, term, term_formula) for term in expression.terms)
    return term_formula(expression)


def conjunction(solver: Solver, wanted: Iterable[tuple[Formula, bool]]) -> Formula:
    """The formula of several ones that must be true, or false."""
    return solver.all(formula if truth else solver.negate(formula) for formula, truth in wanted)


@lru_cache(maxsize=8192)
def here(term: Term) -> Term:
    """The test of a term, wherever it is asked; `!=` over a wildcard is asked as `=` (rule 45)."""
    target = term.target
    if isinstance(target, Selector) and target.wildcards and isinstance(term, Comparison):
        return replace(term, target=HERE, operator="=" if term.is_negative else term.operator)
    return replace(term, target=HERE)


def needs_element(term: Term, wanted: bool) -> bool:
    """Whether the truth of a term over a wildcard may hang on some element that is there."""
    if isinstance(term, Comparison):
        return wanted is not term.is_negative
    return wanted is isinstance(term, IsType)
