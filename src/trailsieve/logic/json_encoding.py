"""JSON patterns as a formula over the places of an event, exact except for spurious cases (see `domain`)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from trailsieve import jsontext
from trailsieve.errors import UnknownError
from trailsieve.logic.automata import Automaton, LiteralAutomaton
from trailsieve.logic.domain import NULL_ITSELF, Domain
from trailsieve.logic.encoding import conjunction, here, joined, literals_of
from trailsieve.logic.event_tree import EventTree, Path, Spare, event_value
from trailsieve.logic.json_domain import abstract_domain, value_domain
from trailsieve.logic.number_automata import number_texts
from trailsieve.logic.satisfiability import Formula, Solver
from trailsieve.logic.text_abstraction import TextAbstraction
from trailsieve.logic.text_languages import NATURAL, TextTests, language_of
from trailsieve.pattern import runtime
from trailsieve.pattern.nodes import Comparison, Expression, IsType, NotExists, Selector, Term, Wildcard


class JsonEncoding:
    """The search for a JSON object of which each expression is true, or false, as wanted.

    Raises:
        UnknownError: it is too large.
    """

    def __init__(self, wanted: Sequence[tuple[Expression, bool]]) -> None:
        self.solver = Solver()
        literals = [literal for expression, truth in wanted for literal in literals_of(expression, truth)]
        self.tree = EventTree(literals)
        self._wanted = dict(literals)
        self._abstractions: dict[Path, TextAbstraction] = {}
        self._literals: dict[Path, LiteralAutomaton] = {}
        self._domains = self._make_domains(term for term, _ in literals)
        self._variable = {path: self.solver.variable(len(d.cases)) for path, d in self._domains.items()}
        asked = conjunction(
            self.solver, [(joined(self.solver, whole, self._term), truth) for whole, truth in wanted]
        )
        self.formula = self.solver.all([asked, *self._structure()])
        self.real = self.solver.all(
            self.solver.literal(self._variable[path], domain.real) for path, domain in self._domains.items()
        )

    # --- the cases of each place ---

    def _make_domains(self, terms: Iterable[Term]) -> dict[Path, Domain]:
        tests: dict[Path, dict[Term, None]] = {path: {} for path in self.tree.children if path}
        for term in terms:
            for path, test in self._tests(term):
                tests[path][test] = None
        return {path: self._domain(path, tuple(asked)) for path, asked in tests.items()}

    def _domain(self, path: Path, tests: tuple[Term, ...]) -> Domain:
        null_elements = not self.tree.elements(path)
        try:
            return value_domain(tests, null_elements=null_elements)
        except UnknownError:
            domain = abstract_domain(tests, null_elements=null_elements)
        found = TextTests([test for test in tests if isinstance(test, Comparison)], numbers=True)
        self._abstractions[path] = TextAbstraction(self.solver, found.languages)
        self._literals[path] = LiteralAutomaton(found.literals)
        return domain

    def _tests(self, term: Term) -> Iterable[tuple[Path, Term]]:
        """Each path that a term tests, and the test there."""
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
            return self.solver.all(self._is(path, "absent") for path, _ in asked)
        found = self.solver.any(self._holds(path, test) for path, test in asked)
        if isinstance(term, Comparison) and term.is_negative:
            steps = term.target.steps
            base = steps[: steps.index(Wildcard.ALL)]
            return self.solver.all([self._exists(base), self.solver.negate(found)])  # type: ignore[arg-type]
        return found

    def _is_null(self, asked: Sequence[tuple[Path, Term]]) -> Formula:
        """Rule 29: null, or an array that holds null."""
        (path, _), *elements = asked
        inside = self.solver.any(self._is(element, "null") for element, _ in elements)
        return self.solver.any([self._is(path, "null"), self.solver.all([self._is(path, "array"), inside])])

    def _holds(self, path: Path, test: Term) -> Formula:
        variable, domain = self._variable[path], self._domains[path]
        certain = self.solver.literal(variable, domain.mask(test))
        language = language_of(test)
        if not domain.open or language is None:
            return certain
        assert isinstance(test, Comparison)
        has = self._abstractions[path].has(language)
        guessed = self.solver.negate(has) if test.is_negative else has
        return self.solver.any(
            [certain, self.solver.all([self.solver.literal(variable, domain.open), guessed])]
        )

    def _is(self, path: Path, *kinds: str) -> Formula:
        if kinds == ("null",):
            return self._holds(path, NULL_ITSELF)
        return self.solver.literal(self._variable[path], self._domains[path].of_kind(*kinds))

    def _exists(self, path: Path) -> Formula:
        return self.solver.negate(self._is(path, "absent")) if path else True

    def _structure(self) -> Iterable[Formula]:
        """The structure of JSON: only objects have fields, only arrays have elements, without gaps."""
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
            return self.solver.any([is_object, self.solver.all([is_array, before])])
        return is_object if isinstance(step, str) else is_array

    def _implies(self, path: Path, formula: Formula) -> Formula:
        return self.solver.any([self._is(path, "absent"), formula])

    # --- the event ---

    def lemma(self, solution: dict[int, int]) -> Formula:
        for path, guesses in self._abstractions.items():
            kind = self._guessed_kind(path, solution)
            if kind and guesses.text(solution, NATURAL, self._also(path, kind)) is None:
                variable = self._variable[path]
                otherwise = self.solver.negate(self.solver.literal(variable, 1 << solution[variable]))
                return guesses.ruled_out(solution, self._also(path, kind), otherwise)
        return True

    def _guessed_kind(self, path: Path, solution: dict[int, int]) -> str:
        """The kind, string or number, if the solution leaves the value at a path open; else ""."""
        case, domain = solution.get(self._variable[path]), self._domains[path]
        return domain.cases[case].kind if case is not None and domain.open & 1 << case else ""

    def _also(self, path: Path, kind: str) -> list[tuple[Automaton, Hashable]]:
        """Numbers of any value are considered: if none has such a text, that is certain."""
        return [(number_texts(), True)] if kind == "number" else [(self._literals[path], None)]

    def events(self, solution: dict[int, int]) -> Iterable[str]:
        values: dict[Path, Any] = {(): {}}
        for path, domain in self._domains.items():
            case = solution.get(self._variable[path])
            values[path] = runtime.ABSENT if case is None else domain.cases[case].value
        for path in self._abstractions:
            if self._guessed_kind(path, solution) == "string":
                values[path] = self._abstractions[path].text(solution, NATURAL, self._also(path, "string"))
        return [jsontext.readable(event_value(self.tree, (), values, runtime.ABSENT))]
