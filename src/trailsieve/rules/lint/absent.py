"""`!=` on a field that records often lack. TS201."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from trailsieve.logic.implication import find
from trailsieve.pattern.nodes import Comparison, Expression, JsonPattern, NotExists, Or, Selector, Step
from trailsieve.rules.lint.issue import Found
from trailsieve.rules.lint.target import Subject, of_tree, replaced
from trailsieve.trail.catalogue.fields import ALWAYS, fields, name_of


def absent_field(subject: Subject) -> Iterator[Found]:
    """TS201."""
    by_selector: dict[Selector, list[Comparison]] = {}
    for term, selector in subject.comparisons:
        if term.is_negative and not selector.wildcards:
            by_selector.setdefault(selector, []).append(term)
    for selector, terms in by_selector.items() if subject.of_cloudtrail else ():
        presence = _presence(selector.steps)
        event = _missed(subject, selector, terms) if presence else None
        if event:
            written = subject.quote(selector.span)
            yield Found(
                "TS201",
                f"`{subject.quote(terms[0].span)}` is false where the field is absent, and {presence}",
                terms[0].span,
                "this event is missed, although nothing in it is what the term excludes",
                event,
                f"({subject.quote(terms[0].span)} || {written} NOT EXISTS)"
                if len(terms) == 1
                else f"add `|| {written} NOT EXISTS` to the tests of {written}",
            )


def _presence(steps: tuple[Step, ...]) -> str:
    """How many records have a field; "" when nearly all have it, or `!=` does not suit it anyway."""
    known = fields()
    fact = known.get(name_of(steps))
    if fact:
        suits = fact.type in ("string", "number")
        return "" if fact.share >= ALWAYS or not suits else f"{fact.share:g} of 100 records have it"
    above = (known.get(name_of(steps[:length])) for length in range(len(steps) - 1, 0, -1))
    if any(parent.open for parent in above if parent):
        return "only the records of some calls have it"
    return ""


def _missed(subject: Subject, selector: Selector, terms: list[Comparison]) -> str | None:
    """An event that only the absence of the field keeps from matching."""
    assert subject.expression is not None
    accepting: Expression = reduce(
        lambda whole, term: replaced(whole, term, Or((term, NotExists(selector)), term.span)),
        terms,
        subject.expression,
    )
    return find([(of_tree(JsonPattern(accepting)), True), (subject.pattern, False)]).witness
