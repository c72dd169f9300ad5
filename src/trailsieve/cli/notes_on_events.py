"""Notes on a pattern that matches none of the events: what they look like, and what the pattern expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Any

from trailsieve.errors import PatternError, UnclearError, counted, shorten
from trailsieve.jsontext import decode_object
from trailsieve.pattern import nodes
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.delimited import layout_of, tokens
from trailsieve.pattern.lenient_columns import named_columns
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render, render_target
from trailsieve.pattern.repair import meant_as_conditions
from trailsieve.pattern.rewrite import replaced

# Lines with well-known columns. VPC flow logs:
# docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html; access logs:
# httpd.apache.org/docs/current/logs.html, with the names of AWS's guide to filter patterns.
_FLOW = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    " log-status"
)
_ACCESS = "ip id user timestamp request status bytes referer agent"
_KNOWN = [
    (re.compile(r"\d+ \d+ eni-\S+ "), _FLOW.split()),
    (re.compile(r'\S+ \S+ \S+ \[[^\]]+\] "[^"]*" \d{3} \S+$'), _ACCESS.split()[:7]),
    (re.compile(r'\S+ \S+ \S+ \[[^\]]+\] "[^"]*" \d{3} \S+ "[^"]*" "[^"]*"$'), _ACCESS.split()),
]


def notes_on_events(pattern: FilterPattern, events: Sequence[bytes]) -> list[str]:
    """What keeps the pattern from matching any of the events, one sentence each; [] if that is not clear."""
    texts = [event.decode("utf-8", "replace") for event in events]
    records = [record for event in events if (record := decode_object(event)) is not None]
    if not texts or any("\ufffd" in text for text in texts):
        return []
    if meant := None if records else _meant_json(pattern):
        return [_without_json(meant, texts)]
    if isinstance(pattern.tree, nodes.DelimitedPattern):
        return list(_columns(pattern.tree, texts))
    if isinstance(pattern.tree, nodes.TextPattern):
        return list(_other_case(pattern.tree, texts))
    if isinstance(pattern.tree, nodes.JsonPattern):
        return list(_other_paths(pattern, pattern.tree, records))
    return []


# --- lines instead of JSON ---


def _meant_json(pattern: FilterPattern) -> nodes.JsonPattern | None:
    """The pattern with conditions on fields, if it is one or was meant to be one."""
    tree = pattern.tree
    if isinstance(tree, nodes.TextPattern):
        meant = meant_as_conditions(pattern.text, partial(parse, limits=pattern.limits)).text
        tree = parse(meant) if meant else tree
    return tree if isinstance(tree, nodes.JsonPattern) else None


def _without_json(tree: nodes.JsonPattern, texts: list[str]) -> str:
    counts = {len(list(tokens(text))) for text in texts}
    about = "no line is a JSON object, and conditions in braces match nothing else"
    if len(counts) > 1:
        return about
    count = counts.pop()
    names = next((names for test, names in _KNOWN if len(names) == count and test.match(texts[0])), None)
    try:
        if names:
            return f"{about}; did you mean: {render(named_columns(tree.expression, names))}"
    except UnclearError:
        pass
    named = ", ".join(names or [f"c{number}" for number in range(1, min(count, 30) + 1)])
    return (
        f"{about}; each line has {counted(count, 'column')}: name them in brackets and compare one, "
        f"[{named}], such as name = value instead of the name"
    )


# --- columns ---


def _columns(tree: nodes.DelimitedPattern, texts: list[str]) -> Iterator[str]:
    layout = layout_of(tree)
    wanted = layout.before + layout.after
    counts = sorted({len(list(tokens(text))) for text in texts})
    if wanted <= counts[-1] if layout.open else wanted in counts:
        return
    have = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0])
    least = "at least " if layout.open else ""
    about = (
        f"the pattern has {least}{counted(wanted, 'column')}, the lines have {have}; "
        "a text in quotes or brackets is one column"
    )
    inner = render(tree).strip("[]")
    guesses = [f"[{inner}, ...]", f"[..., {inner}]"] if not layout.open else []
    yield next((f"{about}; did you mean: {guess}" for guess in guesses if _finds(guess, texts)), about)


def _finds(pattern: str, texts: Sequence[str]) -> bool:
    try:
        return any(map(compile(pattern, limits=False).matches, texts))
    except PatternError:
        return False


# --- terms ---


def _other_case(tree: nodes.TextPattern, texts: list[str]) -> Iterator[str]:
    terms, found = [], []
    for term in tree.terms:
        spelling = "" if any(term.text in text for text in texts) else _spelling(term.text, texts)
        terms.append(replace(term, text=spelling) if spelling and term.role != "excluded" else term)
        if terms[-1] is not term:
            found.append(f"{shorten(term.text, 40)} occurs as {shorten(spelling, 40)}")
    meant = render(nodes.TextPattern(tuple(terms)))
    if found and _finds(meant, texts):
        yield f"case counts: {', '.join(found)}; did you mean: {meant}"


def _spelling(term: str, texts: list[str]) -> str:
    """The term as it stands in one of the texts, in other case."""
    for text in texts:
        at = text.lower().find(term.lower())
        if term and at >= 0:
            return text[at : at + len(term)]
    return ""


# --- paths ---


def _other_paths(
    pattern: FilterPattern, tree: nodes.JsonPattern, records: list[dict[str, Any]]
) -> Iterator[str]:
    expression, missing = tree.expression, []
    for term in nodes.terms_of(tree.expression):
        if not isinstance(term.target, nodes.Selector) or isinstance(term, nodes.NotExists):
            continue
        paths = [_existing(record, term.target.steps) for record in records]
        if any(path == term.target.steps for path in paths):
            continue
        if path := next(filter(None, paths), None):
            missing.append(render_target(term.target))
            expression = replaced(expression, term, replace(term, target=nodes.Selector(path)))
    meant = render(nodes.JsonPattern(expression))
    if missing and _is_pattern(meant, limits=pattern.limits):
        yield f"no event has {' or '.join(dict.fromkeys(missing))}; did you mean: {meant}"


def _is_pattern(text: str, *, limits: bool) -> bool:
    try:
        return bool(parse(text, limits=limits))
    except PatternError:
        return False


def _existing(value: Any, steps: tuple[nodes.Step, ...]) -> tuple[nodes.Step, ...]:
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
