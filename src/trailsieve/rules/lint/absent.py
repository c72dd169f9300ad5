"""`!=` on a field that records often lack. TS201."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from trailsieve.logic.witness import find
from trailsieve.pattern.nodes import Comparison, Expression, JsonPattern, NotExists, Or, Selector, Step
from trailsieve.pattern.rewrite import of_tree, replaced
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.lint.target import LintTarget
from trailsieve.trail.catalogue.fields import ALWAYS, fields, name_of


def absent_field(target: LintTarget) -> Iterator[Issue]:
    """TS201."""
    by_selector: dict[Selector, list[Comparison]] = {}
    for term, selector in target.comparisons:
        if term.is_negative and not selector.wildcards:
            by_selector.setdefault(selector, []).append(term)
    for selector, terms in by_selector.items() if target.of_cloudtrail else ():
        presence = _presence(selector.steps)
        event = _missed(target, selector, terms) if presence else None
        if event:
            written = target.quote(selector.span)
            yield Issue(
                "TS201",
                f"`{target.quote(terms[0].span)}` is false if the field is absent, and {presence}",
                terms[0].span,
                "this event is missed, although it contains nothing that the term excludes",
                event,
                f"({target.quote(terms[0].span)} || {written} NOT EXISTS)"
                if len(terms) == 1
                else f"add `|| {written} NOT EXISTS` to the comparisons of {written}",
            )


def _presence(steps: tuple[Step, ...]) -> str:
    """How many records have a field; "" if nearly all have it, or if `!=` does not fit its type."""
    known = fields()
    fact = known.get(name_of(steps))
    if fact:
        suits = fact.type in ("string", "number")
        return "" if fact.share >= ALWAYS or not suits else f"only {fact.share:g}% of records have it"
    above = (known.get(name_of(steps[:length])) for length in range(len(steps) - 1, 0, -1))
    if any(parent.open for parent in above if parent):
        return "only records of some calls have it"
    return ""


def _missed(target: LintTarget, selector: Selector, terms: list[Comparison]) -> str | None:
    """An event that does not match only because the field is absent."""
    assert target.expression is not None
    accepting: Expression = reduce(
        lambda whole, term: replaced(whole, term, Or((term, NotExists(selector)), term.span)),
        terms,
        target.expression,
    )
    return find([(of_tree(JsonPattern(accepting)), True), (target.pattern, False)]).witness
