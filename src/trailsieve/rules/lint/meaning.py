"""Patterns, and parts of them, that match nothing, everything, or nothing new. TS101 to TS105."""

from __future__ import annotations

from collections.abc import Iterator

from trailsieve import jsontext
from trailsieve.errors import shorten
from trailsieve.logic.implication import implies
from trailsieve.pattern.nodes import Comparison, Expression, JsonPattern, Or, Selector, String
from trailsieve.pattern.render import render_expression
from trailsieve.pattern.rewrite import of_tree
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.lint.reductions import Reduction, reductions
from trailsieve.rules.lint.target import LintTarget, groups_of
from trailsieve.trail.catalogue.ordinary import ordinary_records

_NEARLY_ALL = 0.9  # of the ordinary records
_TELLING = {"eventSource", "eventName", "sourceIPAddress"}


def never_true(target: LintTarget) -> Iterator[Issue]:
    """TS101."""
    if target.example.holds is False:
        yield Issue(
            "TS101",
            "no event can ever match this pattern",
            target.whole,
            "all combinations of true and false comparisons were checked",
            fix="find the terms that exclude each other and join them with ||",
        )


def always_true(target: LintTarget) -> Iterator[Issue]:
    """TS102."""
    if target.counterexample.holds is False:
        every = "JSON object" if target.pattern.reads_records else "event"
        yield Issue(
            "TS102",
            f"every {every} matches this pattern",
            target.whole,
            "all combinations of true and false comparisons were checked",
            "{}" if target.pattern.reads_records else "",
            "add a term that only the events that you look for fulfil",
        )


def nearly_everything(target: LintTarget) -> Iterator[Issue]:
    """TS103."""
    if target.of_cloudtrail:
        records = ordinary_records()
        matched = [record for record in records if target.pattern.matches(record)]
        if len(matched) >= _NEARLY_ALL * len(records):
            yield Issue(
                "TS103",
                f"matches nearly every record: {len(matched)} of {len(records)} ordinary ones",
                target.whole,
                "these are ordinary records; this is one of them, shortened",
                _in_short(target, matched[0]),
                _fix_negations(target),
            )
            return
    for group in groups_of(target.pattern.tree):
        if isinstance(group, Or) and isinstance(target.pattern.tree, JsonPattern):
            yield from _true_of_all_values(target, group)


def _in_short(target: LintTarget, record: str) -> str:
    """The fields of a record that the pattern reads, and those that identify the call."""
    content = jsontext.decode(record)
    read = {term.target.steps[0] for term in target.terms if isinstance(term.target, Selector)}
    short = jsontext.readable({name: value for name, value in content.items() if name in read | _TELLING})
    return short if target.pattern.matches(short) else record


def _fix_negations(target: LintTarget) -> str:
    negated = [term for term, _ in target.comparisons if term.is_negative]
    if any(isinstance(group, Or) for group in groups_of(target.pattern.tree)) and negated:
        return f"join {_listed(target, negated)} with && instead of ||"
    return "add a term that only the records that you look for fulfil"


def _listed(target: LintTarget, terms: list[Comparison]) -> str:
    return " and ".join(f"`{target.quote(term.span)}`" for term in dict.fromkeys(terms))


def _true_of_all_values(target: LintTarget, group: Or) -> Iterator[Issue]:
    """`$.a != "x" || $.a != "y"`: every value differs from at least one of them."""
    for selector, terms in _negated(group).items():
        any_value = Comparison(selector, "=", String("*"))
        part = Or(tuple(terms), group.span)
        if len(terms) > 1 and implies(of_tree(JsonPattern(any_value)), of_tree(JsonPattern(part))):
            yield Issue(
                "TS103",
                f"true for every text in {target.quote(selector.span)}: no text equals all of these at once",
                terms[0].span,
                "every event with any text or number in the field fulfils this part",
                fix=f"join {_listed(target, terms)} with && instead of ||",
            )


def _negated(group: Or) -> dict[Selector, list[Comparison]]:
    found: dict[Selector, list[Comparison]] = {}
    for term in group.terms:
        if isinstance(term, Comparison) and isinstance(term.target, Selector) and term.is_negative:
            found.setdefault(term.target, []).append(term)
    return found


def needless_parts(target: LintTarget) -> Iterator[Issue]:
    """TS104 and TS105: parts that can be removed without changing what the pattern matches."""
    pattern, left = target.pattern, True
    while left:
        left = False
        for reduction in reductions(pattern.tree):
            if reduction.is_needless(pattern, target.example.witness):
                yield _needless(target, reduction)
                pattern, left = of_tree(reduction.tree), True
                break


def _needless(target: LintTarget, reduction: Reduction) -> Issue:
    part = f"`{shorten(target.quote(reduction.span), 60)}`"
    proof = "without it the pattern matches exactly the same events"
    if not reduction.weaker and reduction.alone and target_of(reduction).example.holds is False:
        return Issue(
            "TS104",
            f"{part} can never be true here",
            reduction.span,
            proof,
            fix="find the terms that exclude each other, or remove this part",
        )
    covering = _covering(reduction)
    covered = f"; `{render_expression(covering)}` already covers it" if covering else ""
    return Issue(
        "TS105",
        f"{part} has no effect{covered}",
        reduction.span,
        proof,
        fix="remove it, or correct it if something else was meant",
    )


def target_of(reduction: Reduction) -> LintTarget:
    """The pattern with only this part of its group."""
    assert reduction.alone is not None
    return LintTarget(of_tree(reduction.alone))


def _covering(reduction: Reduction) -> Expression | None:
    """The sibling that makes a part unnecessary."""
    part = reduction.part
    if part is None or not isinstance(reduction.tree, JsonPattern):
        return None
    own = of_tree(JsonPattern(part))
    for sibling in reduction.siblings:
        other = of_tree(JsonPattern(sibling))
        if implies(other, own) if reduction.weaker else implies(own, other):
            return sibling
    return None
