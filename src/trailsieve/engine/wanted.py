"""The records that count: by time, account, region, and by what `pivots` reads from a command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.fused import FusedPatterns
from trailsieve.pattern.nodes import And, Expression, JsonPattern
from trailsieve.pattern.render import render
from trailsieve.trail.event import Event, read_event
from trailsieve.trail.selection import Selection

if TYPE_CHECKING:
    from trailsieve.engine.matcher import Matcher
    from trailsieve.rules.rule import Rule

Test = Callable[[Event, bytes], bool]
_ALL = Selection()


@dataclass(frozen=True, slots=True)
class Pivot:
    """One condition on records, such as `--principal mia`.

    Attributes:
        option: as it is written on a command line.
        expression: true of every record that it selects; None if no filter pattern says that much.
        test: what the expression leaves open, on a record's main fields and text; None if nothing.
    """

    option: str
    expression: Expression | None = None
    test: Test | None = None


@dataclass(frozen=True)
class Wanted:
    """A selection and pivots, which all must hold."""

    selection: Selection = _ALL
    pivots: tuple[Pivot, ...] = ()

    @property
    def narrows(self) -> bool:
        """Whether it could exclude any record."""
        return bool(self.pivots) or self.selection.narrows

    @cached_property
    def pattern(self) -> FilterPattern | None:
        """The expressions of all pivots as one JSON pattern, or None if there are none."""
        terms = tuple(pivot.expression for pivot in self.pivots if pivot.expression)
        return _pattern(terms) if terms else None

    @cached_property
    def _holds(self) -> Callable[[bytes], bool] | None:
        """Whether the pattern matches a record, of which only the fields that it reads are decoded."""
        pattern = self.pattern
        if pattern is None:
            return None
        assert isinstance(pattern.tree, JsonPattern)
        fused = FusedPatterns([pattern.tree])
        decode = jsontext.decoder(fused.decode_as).decode

        def holds(text: bytes) -> bool:
            try:
                return bool(fused.matches([decode(text)]))
            except jsontext.REFUSALS:
                return pattern.matches(text)

        return holds

    def wants(self, event: Event, text: bytes) -> bool:
        """Whether a record is selected, given its main fields and its text."""
        return (
            self.selection.wants(event)
            and all(pivot.test(event, text) for pivot in self.pivots if pivot.test)
            and (self._holds is None or self._holds(text))
        )

    def wants_text(self, text: bytes) -> bool:
        """Whether a text is a record, and selected."""
        try:
            return self.wants(read_event(text), text)
        except UnreadableError:
            return False

    def matcher(self, pattern: FilterPattern | None = None) -> Matcher:
        """A matcher of a single rule, whose matches are the records that are selected and match `pattern`."""
        from trailsieve.engine.matcher import Matcher  # to select nothing does not need rules

        rule, rest = self.as_rule(pattern)
        return Matcher([rule], rest.wants)

    def as_rule(self, pattern: FilterPattern | None = None) -> tuple[Rule, Wanted]:
        """A rule, and what it leaves to be tested of the records that it matches.

        The pivots' expressions and `pattern`, if it is a JSON pattern, are tested as fast as rules are.
        """
        from trailsieve.rules.rule import Rule

        rest = Wanted(self.selection, tuple(replace(p, expression=None) for p in self.pivots if p.test))
        if pattern is None:
            pattern = self.pattern or compile("")
        elif isinstance(pattern.tree, JsonPattern):
            terms = [pivot.expression for pivot in self.pivots if pivot.expression]
            pattern = _pattern((*terms, pattern.tree.expression))
        else:
            rest = self
        return Rule("selected", "selected", "informational", pattern), rest

    def each(self) -> Iterator[tuple[str, Wanted]]:
        """Each option with what it alone selects."""
        chosen = self.selection
        times = [flag for flag, time in (("--since", chosen.since), ("--until", chosen.until)) if time]
        if times:
            yield " and ".join(times), Wanted(Selection(chosen.since, chosen.until))
        if chosen.accounts:
            yield "--account", Wanted(Selection(accounts=chosen.accounts))
        if chosen.regions:
            yield "--region", Wanted(Selection(regions=chosen.regions))
        for pivot in self.pivots:
            yield pivot.option, Wanted(_ALL, (pivot,))


def _pattern(terms: tuple[Expression, ...]) -> FilterPattern:
    tree = JsonPattern(terms[0] if len(terms) == 1 else And(terms))
    return FilterPattern(render(tree), tree, limits=False)
