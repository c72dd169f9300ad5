"""Notes on conditions that none of the events fulfils: the nearest path and value that an event has."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import islice
from typing import Any

from trailsieve.errors import PatternError
from trailsieve.pattern import interpret, nodes, runtime
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.near_miss import near_miss
from trailsieve.pattern.parser import parse
from trailsieve.pattern.remarks import remarks
from trailsieve.pattern.render import render, render_target
from trailsieve.pattern.repair import within_wildcards
from trailsieve.pattern.rewrite import replaced
from trailsieve.rules.lint.fixes import corrected

_VALUES = 50  # of an event that a wildcard selects
_DEEP = 1000  # values of an event in which a name is looked for

Steps = tuple[nodes.Step, ...]


@dataclass(frozen=True, slots=True)
class Corrected:
    """Conditions of which each is true of an event, where that is possible, and what was wrong with them."""

    expression: nodes.Expression
    said: list[str]


def notes_on_fields(
    pattern: FilterPattern, tree: nodes.JsonPattern, records: Sequence[dict[str, Any]]
) -> Iterator[str]:
    """One sentence on the paths and values that no event has, with the pattern for those that it has."""
    found = corrected_terms(tree.expression, records)
    meant = nodes.JsonPattern(found.expression)
    text = render(within_wildcards(meant))
    if found.said and _is_pattern(text, limits=pattern.limits):
        known, further = corrected(text, limits=pattern.limits)
        said = dict.fromkeys([*found.said, *remarks(pattern.text, text, meant), *(further if known else [])])
        yield f"{'; '.join(said)}; did you mean: {known or text}"


def notes_on_absent(
    pattern: FilterPattern, tree: nodes.JsonPattern, records: Sequence[dict[str, Any]]
) -> Iterator[str]:
    """One sentence if some records are left out only because `!=` is false of an absent field (TS201)."""
    relaxed, terms = tree.expression, list[str]()
    for term in nodes.terms_of(tree.expression):
        negative = isinstance(term, nodes.Comparison) and term.is_negative
        if negative and isinstance(term.target, nodes.Selector) and not term.target.wildcards:
            relaxed = replaced(relaxed, term, nodes.Or((term, nodes.NotExists(term.target))))
            terms.append(pattern.text[term.span.start : term.span.end])
    left_out = sum(
        interpret.holds(relaxed, record) and not interpret.holds(tree.expression, record)
        for record in records
    )
    if left_out:
        wanted = f"`{terms[0]}` is" if len(terms) == 1 else "comparisons with != are"
        yield (
            f"{wanted} false of an event without the field, which alone leaves out {left_out} of the first "
            f"{len(records)} events; to match these too: {render(nodes.JsonPattern(relaxed))}"
        )


def _is_pattern(text: str, *, limits: bool) -> bool:
    try:
        return bool(parse(text, limits=limits))
    except PatternError:
        return False


def corrected_terms(expression: nodes.Expression, scopes: Sequence[Any]) -> Corrected:
    """The conditions with the nearest paths and values that an event or a line has.

    Args:
        scopes: decoded events, or for each line its values by the names of the columns.
    """
    said: list[str] = []
    for term in nodes.terms_of(expression):
        if any(interpret.term_holds(term, scope) for scope in scopes):
            continue
        there, reason = _with_path(term, scopes)
        instead: nodes.Expression = there
        said += [reason] if reason else []
        if not any(interpret.term_holds(there, scope) for scope in scopes):
            reason, other = _with_value(there, scopes)
            instead, said = (other, [*said, reason]) if other else (there, said)
        expression = replaced(expression, term, instead)
    return Corrected(expression, said)


# --- values ---


def _with_value(term: nodes.Term, scopes: Sequence[Any]) -> tuple[str, nodes.Expression | None]:
    for scope in scopes:
        for one in _for_each_value(term, scope):
            reason, instead = near_miss(one, scope)
            if instead:
                return reason, _with_target(instead, term.target)
    return "", None


def _for_each_value(term: nodes.Term, scope: Any) -> Iterator[nodes.Term]:
    """The term for each value that its wildcard selects; none for a comparison with an absent field."""
    if isinstance(term.target, nodes.Field) or not isinstance(term, nodes.Comparison):
        yield term
        return
    for steps in islice(_places(scope, term.target.steps), _VALUES):
        yield replace(term, target=nodes.Selector(steps))


def _places(value: Any, steps: Steps) -> Iterator[Steps]:
    if not steps:
        yield ()
        return
    first = steps[0]
    inside: Iterable[tuple[nodes.Step, Any]]
    if isinstance(first, nodes.Wildcard):
        inside = value.items() if isinstance(value, dict) else enumerate(runtime.children(value))
    else:
        inside = [(first, runtime.follow(value, (first,)))]
    for step, inner in inside:
        if inner is not runtime.ABSENT:
            yield from ((step, *rest) for rest in _places(inner, steps[1:]))


def _with_target(expression: nodes.Expression, target: nodes.Selector | nodes.Field) -> nodes.Expression:
    if isinstance(expression, nodes.Group):
        return replace(expression, terms=tuple(_with_target(term, target) for term in expression.terms))
    return replace(expression, target=target)  # type: ignore[arg-type]


# --- paths ---


def _with_path(term: nodes.Term, scopes: Sequence[Any]) -> tuple[nodes.Term, str]:
    """The term with the nearest path of an event, and what was wrong with its own; "" for nothing."""
    if not isinstance(term.target, nodes.Selector) or isinstance(term, nodes.NotExists):
        return term, ""
    steps = term.target.steps
    paths = [_existing(scope, steps) for scope in scopes]
    if steps in paths:
        return term, ""
    path = next(filter(None, paths), ()) or next(filter(None, (_below(scope, steps) for scope in scopes)), ())
    if not path:
        return term, ""
    return replace(term, target=nodes.Selector(path)), f"no event has {render_target(term.target)}"


def _below(scope: Any, steps: Steps) -> Steps:
    """The path to the last name of the steps, anywhere under those before it that exist; () for none."""
    name, above = steps[-1], steps[:-1]
    while len(above) > 1 and not _existing(scope, above):
        above = above[:-1]
    above = _existing(scope, above)
    if not isinstance(name, str) or (len(steps) > 1 and not above):
        return ()
    waiting = deque((above, value) for value in runtime.selected(scope, above))
    for _ in range(_DEEP):
        if not waiting:
            break
        path, value = waiting.popleft()
        if isinstance(value, dict) and (found := {key.lower(): key for key in value}.get(name.lower())):
            return (*path, found)
        step = nodes.Wildcard.ALL
        inside = (
            value.items() if isinstance(value, dict) else ((step, inner) for inner in runtime.children(value))
        )
        waiting.extend(((*path, key), inner) for key, inner in inside)
    return ()


def _existing(value: Any, steps: Steps) -> Steps:
    """The path in a value most like the steps: names in other case, [*] for lists; () for none."""
    if not steps:
        return ()
    first, rest = steps[0], steps[1:]
    for step, inner in _next(value, first):
        skipped = (
            steps if isinstance(value, list) and isinstance(first, str) and not first.isdecimal() else rest
        )
        if not skipped:
            return (step,)
        if path := _existing(inner, skipped):
            return (step, *path)
    return ()


def _next(value: Any, step: nodes.Step) -> Iterator[tuple[nodes.Step, Any]]:
    """The steps that a step may stand for, each with a value that it leads to."""
    if isinstance(value, list):
        if isinstance(step, str) and step.isdecimal():
            step = int(step)
        at = step if isinstance(step, int) else nodes.Wildcard.ALL
        chosen = value[step : step + 1] if isinstance(step, int) else value
        yield from ((at, element) for element in chosen)
    elif isinstance(value, dict) and step is nodes.Wildcard.ALL:
        yield from ((step, inner) for inner in value.values())
    elif isinstance(value, dict) and step in value:
        yield step, value[str(step)]
    elif isinstance(value, dict) and isinstance(step, str):
        names = {name.lower(): name for name in value}
        for name in get_close_matches(step.lower(), names, 1, 0.82):
            yield names[name], value[names[name]]
