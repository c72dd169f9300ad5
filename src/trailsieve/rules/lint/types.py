"""Comparisons that do not fit the type of the field. TS202 to TS208."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trailsieve import jsontext
from trailsieve.logic.witness import find
from trailsieve.pattern import addresses, nodes
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.render import render_expression, render_target
from trailsieve.pattern.rewrite import of_tree, replaced
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.lint.target import LintTarget
from trailsieve.trail.catalogue.calls import nearest
from trailsieve.trail.catalogue.fields import Facts, children, fields, name_of


def type_mistakes(target: LintTarget) -> Iterator[Issue]:
    """TS202 to TS205: terms that are never true of the types that CloudTrail records."""
    for term in target.terms if target.of_cloudtrail else ():
        if isinstance(term.target, nodes.Selector):
            fact = fields().get(name_of(term.target.steps))
            found = _mistake(term, fact, f"`{target.quote(term.span)}`") if fact else None
            if found:
                yield found


def _mistake(term: nodes.Term, fact: Facts, quoted: str) -> Issue | None:
    target = render_target(term.target)
    if isinstance(term, nodes.IsType) and term.type != "NULL" and fact.type == "string":
        value = term.type.lower()
        any_text = f'{target} = "*"' if term.type == "TRUE" else f"{target} NOT EXISTS"
        return Issue(
            "TS203",
            f"{quoted} never matches: {fact.name} is always a string",
            term.span,
            "CloudTrail records it like this",
            _event(term.target, value),
            f'{target} = "{value}"' if value in fact.values else any_text,
        )
    if not isinstance(term, nodes.Comparison):
        return None
    if fact.type == "boolean":
        return Issue(
            "TS202",
            f"{quoted} never matches: {fact.name} is always a boolean, and no comparison is true of that",
            term.span,
            "CloudTrail records it like this, and the term is false",
            _event(term.target, _meant(term)),
            f"({target} IS TRUE || {target} IS FALSE)"
            if _is_any(term)
            else f"{target} IS {str(_meant(term)).upper()}",
        )
    if fact.type in ("array", "object"):
        return _container(term, fact, quoted)
    if fact.type == "string" and term.is_ordering:
        return Issue(
            "TS204",
            f"{quoted} never matches: {fact.name} is always a string, and <, <=, > and >= need numbers",
            term.span,
            "CloudTrail records such a value like this, and the term is false",
            _event(term.target, term.value.text if isinstance(term.value, nodes.Number) else ""),
            f"compare as text, with a regex such as {target} = %regex% or with a wildcard",
        )
    return None


def _container(term: nodes.Comparison, fact: Facts, quoted: str) -> Issue:
    inner = [name for name in children(fact.name + "[]" * (fact.type == "array")) if name]
    target = render_target(term.target) + ("[*]" if fact.type == "array" else "")
    value: object = {inner[0]: "…"} if inner else {}
    return Issue(
        "TS205",
        f"{quoted} never matches: {fact.name} is always an {fact.type}, and no comparison is true of it",
        term.span,
        "CloudTrail records it like this, and the term is false",
        _event(term.target, [value] if fact.type == "array" else value),
        f'{target}.{inner[0] if fact.type == "array" and inner else "*"} = "*"'
        if _is_any(term)
        else f"select a value in it, such as {target}.{inner[0] if inner else 'name'}",
    )


def _is_any(term: nodes.Comparison) -> bool:
    return term.operator == "=" and isinstance(term.value, nodes.String) and term.value.text == "*"


def _meant(term: nodes.Comparison) -> bool:
    """The boolean that was probably meant."""
    text = "" if isinstance(term.value, nodes.Regex) else term.value.text
    return (text.lower() != "false") == (not term.is_negative)


def _event(target: object, value: object) -> str:
    """An event with a value where the selector points."""
    assert isinstance(target, nodes.Selector)
    for step in reversed(target.steps):
        value = {step: value} if isinstance(step, str) else [value]
    return jsontext.readable(value)


# --- elements ---


def one_element(target: LintTarget) -> Iterator[Issue]:
    """TS206."""
    for term, selector in target.comparisons:
        places = [place for place, step in enumerate(selector.steps) if isinstance(step, int)]
        if not places or selector.wildcards or term.is_negative:
            continue
        event = find([(_with_next(target, term, selector, places[0]), True), (target.pattern, False)]).witness
        if event:
            every = (*selector.steps[: places[0]], nodes.Wildcard.ALL, *selector.steps[places[0] + 1 :])
            yield Issue(
                "TS206",
                f"`{target.quote(selector.span)}` looks at only one element of the array",
                term.span,
                "this event has the value in another element and does not match",
                event,
                render_expression(replace(term, target=nodes.Selector(every))),
            )


def _with_next(
    target: LintTarget, term: nodes.Comparison, selector: nodes.Selector, place: int
) -> FilterPattern:
    """The pattern with a term that looks at the next element instead."""
    index = selector.steps[place]
    assert isinstance(index, int)
    assert target.expression is not None
    steps = (*selector.steps[:place], index + 1, *selector.steps[place + 1 :])
    other = replace(term, target=nodes.Selector(steps))
    return of_tree(nodes.JsonPattern(replaced(target.expression, term, other)))


# --- ranges of addresses ---


def address_range(target: LintTarget) -> Iterator[Issue]:
    """TS208."""
    for term, selector in target.comparisons:
        text = term.value.text if isinstance(term.value, nodes.String) else ""
        if addresses.is_range(text) and addresses.is_address_name(selector.steps[-1]):
            written = addresses.in_pattern(text)
            value = written if written[0] == "%" else f'"{written}"'
            yield Issue(
                "TS208",
                f"`{target.quote(term.span)}` compares with the text {text}: there are no address ranges",
                term.span,
                "this event has an address of the range and is "
                + ("not excluded" if term.is_negative else "missed"),
                _event(selector, text.partition("/")[0]),
                f"{render_target(selector)} {term.operator} {value}",
            )


# --- fields that do not exist ---


def unknown_field(target: LintTarget) -> Iterator[Issue]:
    """TS207."""
    seen: set[str] = set()
    for term in target.terms if target.of_cloudtrail else ():
        if isinstance(term.target, nodes.Selector):
            found = _unknown(target, term.target)
            if found and found.message not in seen:
                seen.add(found.message)
                yield found


def _unknown(target: LintTarget, selector: nodes.Selector) -> Issue | None:
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
        meant = _as_recorded(selector.steps)
        return Issue(
            "TS207",
            f"no CloudTrail record has the field {name}",
            selector.span,
            "docs/fields.md lists all fields of CloudTrail",
            fix=f"did you mean {render_target(nodes.Selector(meant))}?"
            if meant
            else f"fields here: {_some(above)}",
        )
    return None


def _as_recorded(steps: tuple[nodes.Step, ...]) -> tuple[nodes.Step, ...]:
    """The steps with the names of the catalogue and [*] for lists; () if one is unknown."""
    known, found = fields(), list[nodes.Step]()
    for place, step in enumerate(steps):
        above = name_of(found)
        if above and (above not in known or known[above].open):
            return (*found, *steps[place:])
        if above and isinstance(step, str) and known[above].type == "array":
            found.append(nodes.Wildcard.ALL)
            above = name_of(found)
        meant = nearest(step, children(above)) if isinstance(step, str) else step
        if meant == "":
            return with_this_end(steps) if place == 0 else ()
        found.append(meant)
    return tuple(found)


def with_this_end(steps: tuple[nodes.Step, ...]) -> tuple[nodes.Step, ...]:
    """The shortest known path that ends like this: `$.userIdentity.userName` for `$.userName`."""
    end = f".{name_of(steps)}".lower()
    paths = [name for name in fields() if name.lower().endswith(end) and "[" not in name]
    return tuple(min(paths, key=len).split(".")) if paths else ()


def _some(above: str) -> str:
    names = children(above)
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "") if names else "none, it is a single value"
