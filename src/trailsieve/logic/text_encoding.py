"""Text, regex and space-delimited patterns as formulas over the message, or over its columns.

Text and regex patterns are exact. Columns may hold any text, even one that no line can contain there: enough
for a proof, and every witness is tested anyway.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trailsieve.logic.automata import Automaton, LiteralAutomaton, WildcardAutomaton
from trailsieve.logic.domain import Case, Domain, domain_of
from trailsieve.logic.encoding import conjunction, joined, literals_of
from trailsieve.logic.number_domain import representatives
from trailsieve.logic.regex_automaton import RegexAutomaton
from trailsieve.logic.satisfiability import Formula, Literal, Solver
from trailsieve.logic.text_abstraction import TextAbstraction
from trailsieve.logic.text_languages import NATURAL, TextTests, representative_texts
from trailsieve.pattern import nodes
from trailsieve.pattern.delimited import layout_of
from trailsieve.pattern.interpret import holds

_HERE = nodes.Field("value")
# CloudWatch takes no empty log event: `message` of InputLogEvent has a length of at least 1.
# Source: docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_InputLogEvent.html
_NOT_EMPTY = (LiteralAutomaton([""]), None)


class TextEncoding:
    """The search for a text that each pattern matches, or does not, as wanted.

    Raises:
        UnknownError: it is too large.
    """

    def __init__(self, wanted: Sequence[tuple[nodes.TextPattern | nodes.RegexPattern, bool]]) -> None:
        automata: dict[Hashable, Automaton] = {}
        for pattern, _ in wanted:
            if isinstance(pattern, nodes.RegexPattern):
                automata[f"%{pattern.regex.source}"] = RegexAutomaton(pattern.regex.source)
            else:
                automata.update({f"={t.text}": WildcardAutomaton(("", t.text, "")) for t in pattern.terms})
        self.solver = Solver()
        self._abstractions = TextAbstraction(self.solver, automata)
        self._texts = [
            (term.text, self._has(f"={term.text}")) for p, _ in wanted for term in getattr(p, "terms", ())
        ]
        self.formula = conjunction(self.solver, [(self._pattern(p), truth) for p, truth in wanted])
        self.real: Formula = True

    def _pattern(self, pattern: nodes.TextPattern | nodes.RegexPattern) -> Formula:
        if isinstance(pattern, nodes.RegexPattern):
            return self._has(f"%{pattern.regex.source}")
        if pattern.is_any:
            return self.solver.any(self._has(f"={text}") for text in pattern.texts("optional"))
        asked = [(text, True) for text in pattern.texts("required")]
        asked += [(text, False) for text in pattern.texts("excluded")]
        return conjunction(self.solver, [(self._has(f"={text}"), wanted) for text, wanted in asked])

    def _has(self, name: str) -> Formula:
        return self._abstractions.has(name)

    def lemma(self, solution: dict[int, int]) -> Formula:
        found = self._text(solution)
        return found is not None or self._abstractions.ruled_out(solution, [_NOT_EMPTY], False)

    def event(self, solution: dict[int, int]) -> str:
        return self._text(solution) or ""

    def _text(self, solution: dict[int, int]) -> str | None:
        """The terms with blanks between, or a shortest text."""
        terms = dict.fromkeys(
            text for text, lit in self._texts if isinstance(lit, Literal) and solution.get(lit.variable)
        )
        return self._abstractions.text(solution, [" ".join(terms), *NATURAL], [_NOT_EMPTY])


@dataclass(frozen=True, slots=True)
class _Token(Case):
    """A value of a column; of a spurious case, numeric tests see `value` and all others `text`."""

    def holds(self, test: nodes.Term) -> bool:
        assert isinstance(test, nodes.Comparison)
        return holds(test, {_HERE.name: self.value if isinstance(test.value, nodes.Number) else self.text})


class DelimitedEncoding:
    """The search for a line that each pattern matches, or does not, as wanted; all have one layout.

    Raises:
        UnknownError: it is too large.
    """

    def __init__(self, wanted: Sequence[tuple[nodes.DelimitedPattern, bool]]) -> None:
        self._layout = layout_of(wanted[0][0])
        self.solver = Solver()
        count = self._layout.before + self._layout.after
        columns = [[c for c in pattern.columns if isinstance(c, nodes.Column)] for pattern, _ in wanted]
        self._domains = [_column_domain([row[place] for row in columns]) for place in range(count)]
        self._variables = [self.solver.variable(len(domain.cases)) for domain in self._domains]
        self._enough = self.solver.variable(2)  # case 0: there are tokens enough
        formulas = [(self._pattern(row), truth) for row, (_, truth) in zip(columns, wanted, strict=True)]
        self.formula = conjunction(self.solver, formulas)
        self.real = self.solver.all(
            self.solver.literal(variable, domain.real)
            for variable, domain in zip(self._variables, self._domains, strict=True)
        )

    def _pattern(self, columns: Sequence[nodes.Column]) -> Formula:
        """Rule 51: an event with fewer tokens than columns does not match."""
        tests = [self._column(place, column) for place, column in enumerate(columns)]
        return self.solver.all([self.solver.literal(self._enough, 1) if columns else True, *tests])

    def _column(self, place: int, column: nodes.Column) -> Formula:
        if column.condition is None:
            return True
        domain, variable = self._domains[place], self._variables[place]
        return joined(
            self.solver,
            column.condition,
            lambda term: self.solver.literal(variable, domain.mask(_test(term))),
        )

    def lemma(self, solution: dict[int, int]) -> Formula:
        return True

    def event(self, solution: dict[int, int]) -> str:
        if solution.get(self._enough, 0):  # one token is too few, or a blank, which has none
            return "-" if self._layout.before + self._layout.after > 1 else " "
        values = [
            domain.cases[solution[variable]].value if variable in solution else "-"
            for variable, domain in zip(self._variables, self._domains, strict=True)
        ]
        return " ".join(map(_written, values)) or "-"


def _written(token: str) -> str:
    """A token as it must be written to be read as one (rule 49)."""
    if token and " " not in token and "\t" not in token and token[0] not in '"[':
        return token
    return f"[{token}]" if '"' in token else f'"{token}"'


def _test(term: nodes.Term) -> nodes.Term:
    assert isinstance(term, nodes.Comparison)
    return replace(term, target=_HERE)


def _column_domain(columns: Iterable[nodes.Column]) -> Domain:
    tests: dict[nodes.Term, None] = {}
    for column in columns:
        for term, _ in literals_of(column.condition, True) if column.condition else ():
            tests[_test(term)] = None
    comparisons = [test for test in tests if isinstance(test, nodes.Comparison)]
    return domain_of(_tokens(comparisons), tuple(tests))


def _tokens(comparisons: Sequence[nodes.Comparison]) -> list[Case]:
    constants = [test.value.value for test in comparisons if isinstance(test.value, nodes.Number)]
    tests = TextTests(comparisons, numbers=False)
    texts = representative_texts(tests)
    if not constants:
        return [_token(text) for text in texts]
    numbers = [str(number) for number in representatives(constants)]
    written = [*numbers, *(f"+{number}" for number in numbers), "-"]
    longer = [text + zeros for text in texts for zeros in ("0", "00", "000", "0000")]
    spurious: list[Case] = [
        _Token("string", number, text, False)
        for text in texts
        if text not in tests.literals
        for number in (*numbers, "-")
    ]
    return [*map(_token, [*texts, *written, *longer]), *spurious]


def _token(text: Any) -> Case:
    return _Token("string", text, text)
