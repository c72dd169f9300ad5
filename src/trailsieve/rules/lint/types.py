"""Tests that do not suit the type of the field. TS202 to TS207."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trailsieve.logic.event_text import event_text
from trailsieve.logic.implication import find
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import (
    Comparison,
    IsType,
    JsonPattern,
    Number,
    Regex,
    Selector,
    Term,
    Wildcard,
)
from trailsieve.pattern.render import render_expression, render_target
from trailsieve.rules.lint.issue import Found
from trailsieve.rules.lint.target import Subject, of_tree, replaced
from trailsieve.trail.catalogue.calls import nearest
from trailsieve.trail.catalogue.fields import Facts, children, fields, name_of


def type_mistakes(subject: Subject) -> Iterator[Found]:
    """TS202 to TS205: by the types that CloudTrail writes, these terms are never true."""
    for term in subject.terms if subject.of_cloudtrail else ():
        if isinstance(term.target, Selector):
            fact = fields().get(name_of(term.target.steps))
            found = _mistake(term, fact, f"`{subject.quote(term.span)}`") if fact else None
            if found:
                yield found


def _mistake(term: Term, fact: Facts, said: str) -> Found | None:
    target = render_target(term.target)
    if isinstance(term, IsType) and term.type != "NULL" and fact.type == "string":
        value = term.type.lower()
        return Found(
            "TS203",
            f"{said} never fires: {fact.name} is a string in every record",
            term.span,
            "this is how CloudTrail writes it",
            _event(term.target, value),
            f'{target} = "{value}"',
        )
    if not isinstance(term, Comparison):
        return None
    if fact.type == "boolean":
        return Found(
            "TS202",
            f"{said} never fires: {fact.name} is a boolean in every record, and that compares with nothing",
            term.span,
            "this is how CloudTrail writes it, and the term is false of it",
            _event(term.target, _asked(term)),
            f"{target} IS {str(_asked(term)).upper()}",
        )
    if fact.type in ("array", "object"):
        return _container(term, fact, said)
    if fact.type == "string" and term.is_ordering:
        return Found(
            "TS204",
            f"{said} never fires: {fact.name} is a string in every record, and only numbers are ordered",
            term.span,
            "this is how CloudTrail writes such a value, and the term is false of it",
            _event(term.target, term.value.text if isinstance(term.value, Number) else ""),
            f"compare text: {target} = %regex% or with a wildcard",
        )
    return None


def _container(term: Comparison, fact: Facts, said: str) -> Found:
    inner = [name for name in children(fact.name + "[]" * (fact.type == "array")) if name]
    target = render_target(term.target) + ("[*]" if fact.type == "array" else "")
    value: object = {inner[0]: "…"} if inner else {}
    return Found(
        "TS205",
        f"{said} never fires: {fact.name} is an {fact.type}, and that compares with nothing",
        term.span,
        "this is how CloudTrail writes it, and the term is false of it",
        _event(term.target, [value] if fact.type == "array" else value),
        f"select what is in it, such as {target}.{inner[0] if inner else 'name'}",
    )


def _asked(term: Comparison) -> bool:
    """Which boolean somebody meant."""
    text = "" if isinstance(term.value, Regex) else term.value.text
    return (text.lower() != "false") == (not term.is_negative)


def _event(target: object, value: object) -> str:
    """An event with a value where a selector of names leads."""
    assert isinstance(target, Selector)
    for step in reversed(target.steps):
        value = {step: value} if isinstance(step, str) else [value]
    return event_text(value)


# --- elements ---


def one_element(subject: Subject) -> Iterator[Found]:
    """TS206."""
    for term, selector in subject.comparisons:
        places = [place for place, step in enumerate(selector.steps) if isinstance(step, int)]
        if not places or selector.wildcards or term.is_negative:
            continue
        event = find(
            [(_with_next(subject, term, selector, places[0]), True), (subject.pattern, False)]
        ).witness
        if event:
            every = (*selector.steps[: places[0]], Wildcard.ALL, *selector.steps[places[0] + 1 :])
            yield Found(
                "TS206",
                f"`{subject.quote(selector.span)}` looks at one element of the array only",
                term.span,
                "this event has the value in another element and is missed",
                event,
                render_expression(replace(term, target=Selector(every))),
            )


def _with_next(subject: Subject, term: Comparison, selector: Selector, place: int) -> FilterPattern:
    """The pattern with a term that looks at the element after the one that it does look at."""
    index = selector.steps[place]
    assert isinstance(index, int)
    assert subject.expression is not None
    steps = (*selector.steps[:place], index + 1, *selector.steps[place + 1 :])
    other = replace(term, target=Selector(steps))
    return of_tree(JsonPattern(replaced(subject.expression, term, other)))


# --- fields that do not exist ---


def unknown_field(subject: Subject) -> Iterator[Found]:
    """TS207."""
    seen: set[str] = set()
    for term in subject.terms if subject.of_cloudtrail else ():
        if isinstance(term.target, Selector):
            found = _unknown(subject, term.target)
            if found and found.message not in seen:
                seen.add(found.message)
                yield found


def _unknown(subject: Subject, selector: Selector) -> Found | None:
    known = fields()
    for length in range(1, len(selector.steps) + 1):
        above, name = name_of(selector.steps[: length - 1]), name_of(selector.steps[:length])
        if above and (above not in known or known[above].open):
            return None
        step = selector.steps[length - 1]
        if name in known:
            continue
        if not isinstance(step, str):
            return None
        meant = nearest(step, children(above))
        steps = (*selector.steps[: length - 1], meant, *selector.steps[length:])
        return Found(
            "TS207",
            f"no CloudTrail record has the field {name}",
            selector.span,
            "the fields of CloudTrail are known: see docs/fields.md",
            mend=f"did you mean {render_target(Selector(steps))}?" if meant else f"known are {_some(above)}",
        )
    return None


def _some(above: str) -> str:
    names = children(above)
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "") if names else "none below a single value"
