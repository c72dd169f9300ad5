"""The syntax tree of a filter pattern: frozen nodes, each with its span in the pattern text.

Comparisons ignore spans, so trees are equal if they differ only in blanks and brackets. Rule numbers are
those of `grammar/semantics.md`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

import msgspec

from trailsieve.pattern.operators import OPERATORS, Operator

TypeName = Literal["NULL", "TRUE", "FALSE"]


class Span(msgspec.Struct, frozen=True, gc=False):
    """Half-open range of characters in the pattern text, counted from 0."""

    start: int
    end: int


NOWHERE = Span(0, 0)


class Wildcard(enum.Enum):
    """The selector step `[*]` or `.*`: every element of an array or field of an object (rule 45)."""

    ALL = "*"


Step = str | int | Wildcard


@dataclass(frozen=True, slots=True)
class Selector:
    """`$.a.b[0]`: the steps from the event's root: names, indexes, wildcards (rule 24)."""

    steps: tuple[Step, ...]
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def wildcards(self) -> int:
        """How many wildcard steps there are; AWS takes at most one (rule 25)."""
        return sum(step is Wildcard.ALL for step in self.steps)


@dataclass(frozen=True, slots=True)
class Field:
    """A named field of a space-delimited pattern, as the target of a comparison."""

    name: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A bare number: its text as written and its exact value (rule 33)."""

    text: str
    value: int | Decimal = field(compare=False)
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class String:
    """A bare or quoted value; `*` in it is a wildcard (rules 39 and 40)."""

    text: str
    quoted: bool = True
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def parts(self) -> tuple[str, ...]:
        """The literal parts between the stars; one part means that there is no star."""
        return tuple(self.text.split("*"))


@dataclass(frozen=True, slots=True)
class Regex:
    """`%…%`: `source` is the text between the percent signs (rules 17 to 22)."""

    source: str
    span: Span = field(default=NOWHERE, compare=False)


Value = Number | String | Regex


@dataclass(frozen=True, slots=True)
class Comparison:
    """`target operator value`."""

    target: Selector | Field
    operator: Operator
    value: Value
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def is_ordering(self) -> bool:
        """Whether it compares numbers only (rule 37)."""
        return OPERATORS[self.operator].is_ordering

    @property
    def is_negative(self) -> bool:
        """Whether it is `!=`."""
        return OPERATORS[self.operator].is_negative


@dataclass(frozen=True, slots=True)
class IsType:
    """`selector IS NULL`, `IS TRUE` or `IS FALSE` (rules 27, 28, 47)."""

    target: Selector
    type: TypeName
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class NotExists:
    """`selector NOT EXISTS` (rules 30 and 46)."""

    target: Selector
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All of the terms (rule 43). At least two."""

    terms: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the terms (rule 43). At least two."""

    terms: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False)


Term = Comparison | IsType | NotExists
Group = And | Or
Expression = Term | Group


@dataclass(frozen=True, slots=True)
class JsonPattern:
    """`{ … }`: a condition on an event that is one JSON object."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class RegexPattern:
    """`%…%` alone: a search anywhere in the event's text (rule 17)."""

    regex: Regex


TermRole = Literal["required", "excluded", "optional"]


@dataclass(frozen=True, slots=True)
class TextTerm:
    """One term of a text pattern: a literal substring and its role (rules 7 to 15)."""

    text: str
    role: TermRole = "required"
    quoted: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class TextPattern:
    """Terms on the event's text; no terms match every event (rules 3 and 8)."""

    terms: tuple[TextTerm, ...]

    @property
    def is_any(self) -> bool:
        """Whether one term is enough: all are optional; others make them ignored (rule 12)."""
        return bool(self.terms) and all(term.role == "optional" for term in self.terms)

    def texts(self, role: TermRole) -> list[str]:
        """The texts of the terms with a role."""
        return [term.text for term in self.terms if term.role == role]


@dataclass(frozen=True, slots=True)
class Column:
    """One field position of a space-delimited pattern: a name or "", and its condition."""

    name: str
    condition: Expression | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Ellipsis:
    """`...`: zero or more tokens (rule 52)."""

    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class DelimitedPattern:
    """`[a, b=1, ...]`: conditions on the tokens of the event (rules 49 to 59)."""

    columns: tuple[Column | Ellipsis, ...]


Pattern = JsonPattern | RegexPattern | TextPattern | DelimitedPattern


def terms_of(expression: Expression) -> Iterator[Term]:
    """The terms of an expression from left to right."""
    if isinstance(expression, Group):
        for term in expression.terms:
            yield from terms_of(term)
    else:
        yield expression


def expressions_of(pattern: Pattern) -> Iterator[Expression]:
    """The expressions in a pattern: one in a JSON pattern, one for each tested column."""
    if isinstance(pattern, JsonPattern):
        yield pattern.expression
    elif isinstance(pattern, DelimitedPattern):
        for column in pattern.columns:
            if isinstance(column, Column) and column.condition is not None:
                yield column.condition


def regexes_of(pattern: Pattern) -> Iterator[Regex]:
    """Every regex of a pattern from left to right."""
    if isinstance(pattern, RegexPattern):
        yield pattern.regex
    for expression in expressions_of(pattern):
        for term in terms_of(expression):
            if isinstance(term, Comparison) and isinstance(term.value, Regex):
                yield term.value


def selectors_of(pattern: Pattern) -> tuple[Selector, ...]:
    """The different selectors of a pattern in order of appearance."""
    seen: dict[Selector, None] = {}
    for expression in expressions_of(pattern):
        for term in terms_of(expression):
            if isinstance(term.target, Selector):
                seen.setdefault(term.target)
    return tuple(seen)
