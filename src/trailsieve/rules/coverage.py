"""Which terms of a pack's patterns its tests cover: each should be true in one test and false in another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from trailsieve.errors import UnreadableError
from trailsieve.logic.witness import find
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.explain import tested
from trailsieve.pattern.nodes import JsonPattern, RegexPattern, TextPattern, expressions_of, terms_of
from trailsieve.pattern.render import render, render_expression
from trailsieve.pattern.rewrite import of_tree
from trailsieve.rules.lint.reductions import reductions
from trailsieve.rules.rule import Pack, Rule
from trailsieve.rules.testing import place_of, texts_of


@dataclass(frozen=True, slots=True)
class TermCoverage:
    """A term and how the tests cover it.

    Attributes:
        missing: "true" or "false" if it never was, "at all" if neither, "" if it was both.
        event: an event that would cover what is missing: one that matches, or does not match, because of
            this term; "" if none is known.
    """

    text: str
    missing: str
    event: str = ""


@dataclass(frozen=True, slots=True)
class RuleCoverage:
    """The coverage of one rule's pattern, term by term."""

    rule: str
    place: str
    terms: tuple[TermCoverage, ...]

    @property
    def seen(self) -> int:
        """The number of terms that were both true and false."""
        return sum(not term.missing for term in self.terms)


def coverage(pack: Pack) -> Iterator[RuleCoverage]:
    """The coverage of each rule in a pack; files that cannot be read are ignored."""
    for rule in pack.rules:
        if rule.sequence:
            continue
        seen: dict[int, set[bool]] = {}
        names = dict(enumerate(_names(rule)))
        for text in _events(rule):
            root = tested(rule.pattern.tree, text).root
            for place, leaf in enumerate(root.leaves if root else ()):
                seen.setdefault(place, set()).add(leaf.verdict)
        terms = (_term(rule, place, name, seen.get(place, set())) for place, name in names.items())
        yield RuleCoverage(rule.id, place_of(rule), tuple(terms))


def _names(rule: Rule) -> list[str]:
    """The terms as text, in the order of `explain`."""
    match rule.pattern.tree:
        case TextPattern(terms):
            return [render(TextPattern((term,))) for term in terms]
        case RegexPattern():
            return [render(rule.pattern.tree)]
        case tree:
            return [render_expression(t) for expression in expressions_of(tree) for t in terms_of(expression)]


def _events(rule: Rule) -> Iterator[bytes]:
    tests = rule.tests
    for event in (*tests.match, *tests.ignore, *(event for test in tests.alerts for event in test.events)):
        with suppress(OSError, UnreadableError):
            yield from texts_of(rule, event)
    yield from (test.text.encode() for test in tests.extract)


def _term(rule: Rule, place: int, name: str, seen: set[bool]) -> TermCoverage:
    if len(seen) == 2:
        return TermCoverage(name, "")
    missing = "at all" if not seen else "false" if True in seen else "true"
    return TermCoverage(name, missing, _example(rule.pattern, place, wanted=missing != "false") or "")


def _example(pattern: FilterPattern, place: int, *, wanted: bool) -> str | None:
    """An event that matches because the term is true, or does not match because it is false."""
    if not isinstance(pattern.tree, JsonPattern):
        return None
    term = list(terms_of(pattern.tree.expression))[place]
    reduction = next((found for found in reductions(pattern.tree) if found.part is term), None)
    if reduction is None:
        return find([(pattern, wanted)]).witness
    rest, alone = of_tree(reduction.tree), of_tree(JsonPattern(term))
    if reduction.weaker:
        questions = [(pattern, True)] if wanted else [(rest, True), (pattern, False)]
    else:
        questions = [(pattern, True), (rest, False)] if wanted else [(pattern, True), (alone, False)]
    return find(questions).witness
