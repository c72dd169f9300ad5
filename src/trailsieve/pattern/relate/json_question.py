"""JSON patterns as a formula over the places of an event, exact but for phantoms (see `domain`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from trailsieve.pattern import runtime
from trailsieve.pattern.nodes import Comparison, Expression, IsType, NotExists, Selector, Term, Wildcard
from trailsieve.pattern.relate.domain import NULL_ITSELF, Domain, value_domain
from trailsieve.pattern.relate.formula import Formula, Space
from trailsieve.pattern.relate.literals import conjunction, here, literals_of
from trailsieve.pattern.relate.text import event_text
from trailsieve.pattern.relate.tree import Path, Spare, Tree, event_value


class JsonQuestion:
    """The search for a JSON object of which each expression is true, or false, as wanted.

    Raises:
        UnknownError: it is too large.
    """

    def __init__(self, wanted: Sequence[tuple[Expression, bool]]) -> None:
        self.space = Space()
        literals = [literal for expression, truth in wanted for literal in literals_of(expression, truth)]
        self.tree = Tree(literals)
        self._wanted = dict(literals)
        self._domains = self._make_domains(term for term, _ in literals)
        self._node = {path: self.space.node(len(d.cases)) for path, d in self._domains.items()}
        asked = conjunction(self.space, wanted, self._term)
        self.formula = self.space.all([asked, *self._structure()])
        self.real = self.space.all(
            self.space.lit(self._node[path], domain.real) for path, domain in self._domains.items()
        )

    # --- the cases of each place ---

    def _make_domains(self, terms: Iterable[Term]) -> dict[Path, Domain]:
        tests: dict[Path, dict[Term, None]] = {path: {} for path in self.tree.children if path}
        for term in terms:
            for path, test in self._tests(term):
                tests[path][test] = None
        return {
            path: value_domain(tuple(asked), null_elements=not self.tree.elements(path))
            for path, asked in tests.items()
        }

    def _tests(self, term: Term) -> Iterable[tuple[Path, Term]]:
        """Each path that a term asks about, and what it asks there."""
        assert isinstance(term.target, Selector)
        paths = self._paths(term)
        if isinstance(term, IsType) and term.type == "NULL":
            if term.target.wildcards:
                return [(path, NULL_ITSELF) for path in paths]
            inner = self.tree.elements(paths[0])
            if inner:
                return [(path, NULL_ITSELF) for path in (*paths, *inner)]
        return [(path, here(term)) for path in paths]

    def _paths(self, term: Term) -> list[Path]:
        assert isinstance(term.target, Selector)
        return self.tree.expand((term, self._wanted[term]))

    # --- formulas ---

    def _term(self, term: Term) -> Formula:
        assert isinstance(term.target, Selector)
        asked = list(self._tests(term))
        if not term.target.wildcards:
            if asked[0][1] is NULL_ITSELF:
                return self._is_null(asked)
            return self._holds(*asked[0])
        if isinstance(term, NotExists):
            return self.space.all(self._is(path, "absent") for path, _ in asked)
        found = self.space.any(self._holds(path, test) for path, test in asked)
        if isinstance(term, Comparison) and term.operator == "!=":
            steps = term.target.steps
            base = steps[: steps.index(Wildcard.ALL)]
            return self.space.all([self._exists(base), self.space.negate(found)])  # type: ignore[arg-type]
        return found

    def _is_null(self, asked: Sequence[tuple[Path, Term]]) -> Formula:
        """Rule 29: null, or an array that holds null."""
        (path, _), *elements = asked
        inside = self.space.any(self._is(element, "null") for element, _ in elements)
        return self.space.any([self._is(path, "null"), self.space.all([self._is(path, "array"), inside])])

    def _holds(self, path: Path, test: Term) -> Formula:
        return self.space.lit(self._node[path], self._domains[path].mask(test))

    def _is(self, path: Path, *kinds: str) -> Formula:
        if kinds == ("null",):
            return self._holds(path, NULL_ITSELF)
        return self.space.lit(self._node[path], self._domains[path].of_kind(*kinds))

    def _exists(self, path: Path) -> Formula:
        return self.space.negate(self._is(path, "absent")) if path else True

    def _structure(self) -> Iterable[Formula]:
        """What JSON itself says: only objects have fields, only arrays have elements, without gaps."""
        for path, children in self.tree.children.items():
            indexes = sorted(step for step in children if isinstance(step, int))
            for low, high in pairwise(indexes):
                yield self._implies((*path, high), self._exists((*path, low)))
            for step in children if path else ():
                yield self._implies((*path, step), self._may_hold(path, step, indexes))

    def _may_hold(self, path: Path, step: object, indexes: list[int]) -> Formula:
        is_object, is_array = self._is(path, "object"), self._is(path, "array")
        if isinstance(step, Spare):
            before = self._exists((*path, indexes[-1])) if indexes else True
            return self.space.any([is_object, self.space.all([is_array, before])])
        return is_object if isinstance(step, str) else is_array

    def _implies(self, path: Path, formula: Formula) -> Formula:
        return self.space.any([self._is(path, "absent"), formula])

    # --- the event ---

    def event(self, solution: dict[int, int]) -> str:
        values: dict[Path, Any] = {(): {}}
        for path, domain in self._domains.items():
            case = solution.get(self._node[path])
            values[path] = runtime.ABSENT if case is None else domain.cases[case].value
        return event_text(event_value(self.tree, (), values, runtime.ABSENT))
