"""Notes on a pattern that matches none of the events: what they look like, and what the pattern expects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from trailsieve.cli.notes_on_fields import corrected_terms, notes_on_fields
from trailsieve.errors import PatternError, UnclearError, counted, shorten
from trailsieve.jsontext import decode_object
from trailsieve.pattern import nodes
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.delimited import columns, layout_of, tokens, values_of
from trailsieve.pattern.lenient_columns import named_columns
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render
from trailsieve.pattern.repair import meant_as_conditions
from trailsieve.pattern.rewrite import exchanged

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
        return list(notes_on_fields(pattern, pattern.tree, records))
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
        yield from _other_values(tree, texts)
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


def _other_values(tree: nodes.DelimitedPattern, texts: list[str]) -> Iterator[str]:
    layout, said = layout_of(tree), list[str]()
    meant: nodes.Pattern = tree
    split = [values for text in texts if (values := columns(text, layout)) is not None]
    scopes = [{column.name: value for column, value in values_of(tree, values) if column} for values in split]
    for expression in nodes.expressions_of(tree):
        found = corrected_terms(expression, scopes)
        meant, said = exchanged(meant, expression, found.expression), [*said, *found.said]
    if said and _finds(render(meant), texts):
        yield f"{'; '.join(dict.fromkeys(said))}; did you mean: {render(meant)}"


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
