"""Text, regex and space-delimited patterns as formulas over the message, or over its columns.

Text and regex patterns are exact. Columns may hold any text, even one that no line can contain there: enough
for a proof, and every witness is tested anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
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
from trailsieve.pattern.delimited import Layout, layout_of
from trailsieve.pattern.interpret import holds
from trailsieve.pattern.runtime import number_in

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

    def events(self, solution: dict[int, int]) -> Iterator[str]:
        yield self._text(solution) or ""

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


Slot = tuple[str, int]  # ("token", place from the start) or ("rest", place where the rest of the line begins)


class DelimitedEncoding:
    """The search for a line that each pattern matches, or does not, as wanted.

    Args:
        count: how many tokens the line has; None if all patterns have one layout, and so one minimum.

    Raises:
        UnknownError: it is too large.
    """

    def __init__(
        self, wanted: Sequence[tuple[nodes.DelimitedPattern, bool]], count: int | None = None
    ) -> None:
        self._count = count
        self._layout = layout_of(wanted[0][0])
        self.solver = Solver()
        self._enough = self.solver.variable(2)  # case 0: there are tokens enough
        slots = [dict(_slots(pattern, count)) for pattern, _ in wanted]
        tested: dict[Slot, list[nodes.Column]] = {}
        for slot, column in (item for of_pattern in slots for item in of_pattern.items()):
            tested.setdefault(slot, []).append(column)
        self._domains = {
            slot: _column_domain(columns, _rests if slot[0] == "rest" else _tokens)
            for slot, columns in sorted(tested.items())
        }
        self._variables = {slot: self.solver.variable(len(d.cases)) for slot, d in self._domains.items()}
        formulas = [
            (self._pattern(taken, pattern), truth)
            for taken, (pattern, truth) in zip(slots, wanted, strict=True)
        ]
        self.formula = conjunction(self.solver, formulas)
        self.real = self.solver.all(
            self.solver.literal(self._variables[slot], domain.real) for slot, domain in self._domains.items()
        )

    def _pattern(self, slots: Mapping[Slot, nodes.Column], pattern: nodes.DelimitedPattern) -> Formula:
        """Rule 51: an event with fewer tokens than columns does not match."""
        if self._count is not None and self._count < _minimum(layout_of(pattern)):
            return False
        enough = self.solver.literal(self._enough, 1) if slots and self._count is None else True
        return self.solver.all([enough, *(self._column(*item) for item in slots.items())])

    def _column(self, slot: Slot, column: nodes.Column) -> Formula:
        if column.condition is None:
            return True
        domain, variable = self._domains[slot], self._variables[slot]
        return joined(
            self.solver,
            column.condition,
            lambda term: self.solver.literal(variable, domain.mask(_test(term))),
        )

    def lemma(self, solution: dict[int, int]) -> Formula:
        return True

    def events(self, solution: dict[int, int]) -> Iterator[str]:
        least = _minimum(self._layout)
        if solution.get(self._enough, 0):  # one token is too few, or a blank, which has none
            yield "-" if least > 1 else " "
            return
        count = least if self._count is None else self._count
        values = {
            slot: self._domains[slot].cases[solution[variable]].text or ""
            for slot, variable in self._variables.items()
            if variable in solution
        }
        tokens = [_written(values.get(("token", place), "-")) for place in range(count)]
        yield " ".join(tokens) or (" " if least else "-")
        for (kind, start), text in values.items():
            if kind == "rest":
                yield " ".join([*tokens[:start], text, *tokens[start + 1 :]])
                yield " ".join([*tokens[:start], text, *("-" for _ in tokens[start + 1 :])])


def _minimum(layout: Layout) -> int:
    """How many tokens a line must have (rule 51)."""
    return layout.before + layout.after


def _slots(pattern: nodes.DelimitedPattern, count: int | None) -> Iterator[tuple[Slot, nodes.Column]]:
    """What each column of a pattern takes from a line with so many tokens (rules 50 and 52)."""
    layout = layout_of(pattern)
    columns = [column for column in pattern.columns if isinstance(column, nodes.Column)]
    size = len(columns) if count is None else count
    if size < len(columns):
        return
    for place, column in enumerate(columns):
        if place >= layout.before:
            yield ("token", size - len(columns) + place), column
        elif not layout.open and place == len(columns) - 1 and size > len(columns):
            yield ("rest", place), column
        else:
            yield ("token", place), column


def _written(token: str) -> str:
    """A token as it must be written to be read as one (rule 49)."""
    if token and " " not in token and "\t" not in token and token[0] not in '"[':
        return token
    return f"[{token}]" if '"' in token else f'"{token}"'


def _test(term: nodes.Term) -> nodes.Term:
    assert isinstance(term, nodes.Comparison)
    return replace(term, target=_HERE)


def _column_domain(
    columns: Iterable[nodes.Column], cases: Callable[[Sequence[nodes.Comparison]], list[Case]]
) -> Domain:
    tests: dict[nodes.Term, None] = {}
    for column in columns:
        for term, _ in literals_of(column.condition, True) if column.condition else ():
            tests[_test(term)] = None
    comparisons = [test for test in tests if isinstance(test, nodes.Comparison)]
    return domain_of(cases(comparisons), tuple(tests))


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


def _rests(comparisons: Sequence[nodes.Comparison]) -> list[Case]:
    """Several tokens as one text: it has a blank or a closing mark in it, and so is never a number."""
    tests = TextTests(comparisons, numbers=False)
    return [
        _token(text) if number_in(text) is None else _Token("string", "-", text, False)
        for text in representative_texts(tests)
        if text not in tests.literals or any(mark in text for mark in ' \t"]')
    ]


def _token(text: Any) -> Case:
    return _Token("string", text, text)


def token_counts(patterns: Iterable[nodes.DelimitedPattern]) -> range:
    """Numbers of tokens that stand for all: with more, each column takes what it takes with the last one."""
    layouts = [layout_of(pattern) for pattern in patterns]
    return range(max(layout.before for layout in layouts) + max(layout.after for layout in layouts) + 2)
