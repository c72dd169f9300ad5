"""Patterns and parts of them that match nothing, everything, or what the rest does. TS101 to TS105."""

from __future__ import annotations

from collections.abc import Iterator

from trailsieve import jsontext
from trailsieve.errors import shorten
from trailsieve.logic.event_text import event_text
from trailsieve.logic.implication import implies
from trailsieve.pattern.nodes import Comparison, Expression, JsonPattern, Or, Selector, String
from trailsieve.pattern.render import render_expression
from trailsieve.rules.lint.issue import Found
from trailsieve.rules.lint.reductions import Reduction, reductions
from trailsieve.rules.lint.target import Subject, groups_of, of_tree
from trailsieve.trail.catalogue.ordinary import ordinary_records

_NEARLY_ALL = 0.9  # of the ordinary records
_TELLING = {"eventSource", "eventName", "sourceIPAddress"}


def never_true(subject: Subject) -> Iterator[Found]:
    """TS101."""
    if subject.example.holds is False:
        yield Found(
            "TS101",
            "no event can ever match this pattern",
            subject.whole,
            "every way in which its tests can turn out was tried",
            mend="look for terms that exclude each other and join them with ||",
        )


def always_true(subject: Subject) -> Iterator[Found]:
    """TS102."""
    if subject.counterexample.holds is False:
        every = "JSON object" if subject.pattern.reads_records else "event"
        yield Found(
            "TS102",
            f"every {every} matches this pattern",
            subject.whole,
            "every way in which its tests can turn out was tried",
            "{}" if subject.pattern.reads_records else "",
            "say what the events have in common that you look for",
        )


def nearly_everything(subject: Subject) -> Iterator[Found]:
    """TS103."""
    if subject.of_cloudtrail:
        records = ordinary_records()
        matched = [record for record in records if subject.pattern.matches(record)]
        if len(matched) >= _NEARLY_ALL * len(records):
            yield Found(
                "TS103",
                f"matches nearly every record: {len(matched)} of {len(records)} ordinary ones",
                subject.whole,
                "none of these records is out of the ordinary; here is one, in short",
                _in_short(subject, matched[0]),
                _mend_negations(subject),
            )
            return
    for group in groups_of(subject.pattern.tree):
        if isinstance(group, Or) and isinstance(subject.pattern.tree, JsonPattern):
            yield from _true_of_all_values(subject, group)


def _in_short(subject: Subject, record: str) -> str:
    """The fields of a record that the pattern reads, and those that tell what it is about."""
    content = jsontext.decode(record)
    read = {term.target.steps[0] for term in subject.terms if isinstance(term.target, Selector)}
    short = event_text({name: value for name, value in content.items() if name in read | _TELLING})
    return short if subject.pattern.matches(short) else record


def _mend_negations(subject: Subject) -> str:
    negated = [term for term, _ in subject.comparisons if term.is_negative]
    if any(isinstance(group, Or) for group in groups_of(subject.pattern.tree)) and negated:
        return f"join {_listed(subject, negated)} with && instead of ||"
    return "say what the records have in common that you look for"


def _listed(subject: Subject, terms: list[Comparison]) -> str:
    return " and ".join(f"`{subject.quote(term.span)}`" for term in dict.fromkeys(terms))


def _true_of_all_values(subject: Subject, group: Or) -> Iterator[Found]:
    """`$.a != "x" || $.a != "y"`: whatever the value is, it differs from one of them."""
    for selector, terms in _negated(group).items():
        any_value = Comparison(selector, "=", String("*"))
        part = Or(tuple(terms), group.span)
        if len(terms) > 1 and implies(of_tree(JsonPattern(any_value)), of_tree(JsonPattern(part))):
            yield Found(
                "TS103",
                f"true whatever text {subject.quote(selector.span)} is: no text equals all of these at once",
                terms[0].span,
                "every event that has the field with any text or number fulfils this part",
                mend=f"join {_listed(subject, terms)} with && instead of ||",
            )


def _negated(group: Or) -> dict[Selector, list[Comparison]]:
    found: dict[Selector, list[Comparison]] = {}
    for term in group.terms:
        if isinstance(term, Comparison) and isinstance(term.target, Selector) and term.is_negative:
            found.setdefault(term.target, []).append(term)
    return found


def needless_parts(subject: Subject) -> Iterator[Found]:
    """TS104 and TS105: parts without which the pattern means the same."""
    pattern, left = subject.pattern, True
    while left:
        left = False
        for reduction in reductions(pattern.tree):
            if reduction.is_needless(pattern, subject.example.witness):
                yield _needless(subject, reduction)
                pattern, left = of_tree(reduction.tree), True
                break


def _needless(subject: Subject, reduction: Reduction) -> Found:
    part = f"`{shorten(subject.quote(reduction.span), 60)}`"
    proof = "the pattern matches exactly the same events without it"
    if not reduction.weaker and reduction.alone and subject_of(reduction).example.holds is False:
        return Found(
            "TS104",
            f"{part} can never be true here",
            reduction.span,
            proof,
            mend="look for terms that exclude each other, or leave it out",
        )
    covering = _covering(reduction)
    said = f"; `{render_expression(covering)}` says it already" if covering else ""
    return Found(
        "TS105",
        f"{part} changes nothing{said}",
        reduction.span,
        proof,
        mend="leave it out, or say what it lacks",
    )


def subject_of(reduction: Reduction) -> Subject:
    """The pattern with this part alone of its group."""
    assert reduction.alone is not None
    return Subject(of_tree(reduction.alone))


def _covering(reduction: Reduction) -> Expression | None:
    """The one sibling because of which a part is not needed."""
    part = reduction.part
    if part is None or not isinstance(reduction.tree, JsonPattern):
        return None
    own = of_tree(JsonPattern(part))
    for sibling in reduction.siblings:
        other = of_tree(JsonPattern(sibling))
        if implies(other, own) if reduction.weaker else implies(own, other):
            return sibling
    return None
