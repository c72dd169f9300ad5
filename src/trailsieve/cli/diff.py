"""`trailsieve diff`: whether two patterns, rules or packs are equivalent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import click

from trailsieve.cli.json_output import print_json
from trailsieve.cli.named import named
from trailsieve.cli.options import global_options, no_limits, output_format, print_lines, screen
from trailsieve.errors import UsageError, visible
from trailsieve.logic.difference import Difference, Side, difference
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.rules.rule import Pack, Rule

_EXAMPLES = """\b
Examples:
  trailsieve diff '{ $.x > 3 }' '{ $.x >= 3 }'
  trailsieve diff cis-aws-4.1 cis-aws-tuned-4.1
  trailsieve diff samples/rules/team.toml rules/new.toml
"""
_SENTENCES = {
    "equivalent": "equivalent: both match the same events (proved)",
    "A implies B": "A implies B: B matches everything that A matches, and more",
    "B implies A": "B implies A: A matches everything that B matches, and more",
    "neither": "neither implies the other",
    "unknown": "unknown",
}


@click.command("diff", epilog=_EXAMPLES)
@click.argument("a")
@click.argument("b")
@output_format("text", "json", help="Output format.")
@no_limits
@global_options
def command(a: str, b: str, shape: str, no_limits: bool) -> int:
    """Prove that A and B match the same events, or show events that only one of them matches.

    A and B are filter patterns or rules (the id of a built-in rule, PACK:ID or FILE:ID), or packs, files or
    folders, whose rules are compared by id. Every event shown was tried on both patterns.

    The exit code is 1 if they are not equivalent, or if that could not be decided.
    """
    first, second = _read(a, limits=not no_limits), _read(b, limits=not no_limits)
    if isinstance(first, FilterPattern) and isinstance(second, FilterPattern):
        return _compare_patterns(first, second, shape)
    if isinstance(first, FilterPattern) or isinstance(second, FilterPattern):
        raise UsageError("compare a pattern or rule with another one, or a pack with another pack")
    return _compare_packs(first, second, shape)


def _compare_patterns(first: FilterPattern, second: FilterPattern, shape: str) -> int:
    found = difference(first, second)
    if shape == "json":
        print_json({**_patterns(first, second), **found.as_dict()})
    else:
        print_lines(_lines(first, second, found))
    return int(found.relation != "equivalent")


def _compare_packs(first: Pack, second: Pack, shape: str) -> int:
    a, b = _paired(first, second)
    found = {
        name: (a[name].pattern, b[name].pattern, difference(a[name].pattern, b[name].pattern))
        for name in a
        if name in b
    }
    alone = {"A": [name for name in a if name not in b], "B": [name for name in b if name not in a]}
    if shape == "json":
        rules = {name: {**_patterns(*of), **answer.as_dict()} for name, (*of, answer) in found.items()}
        print_json({"rules": rules, "only_in_a": alone["A"], "only_in_b": alone["B"]})
    else:
        for name, answer in found.items():
            other = "" if b[name].id == name else f" and {b[name].id}"
            print_lines([f"rule {name}{other}", *_lines(*answer), ""])
        print_lines(f"rule {name}: in {side} only" for side, names in alone.items() for name in names)
    same = all(answer.relation == "equivalent" for *_, answer in found.values())
    return int(not same or bool(alone["A"] or alone["B"]))


def _paired(first: Pack, second: Pack) -> tuple[dict[str, Rule], dict[str, Rule]]:
    """The rules of both packs by id. If no id is in both, ids are compared without the pack's name.

    Rules of the second pack then have the id of their counterpart in the first.
    """
    for rule in (*first.rules, *second.rules):
        if rule.sequence:
            screen().info(f"{rule.id}: not compared: it has a sequence, not a pattern")
    first, second = (
        replace(pack, rules=tuple(rule for rule in pack.rules if not rule.sequence))
        for pack in (first, second)
    )
    a, b = ({rule.id: rule for rule in pack.rules} for pack in (first, second))
    if a.keys() & b.keys():
        return a, b
    by_short = {id.removeprefix(f"{first.name}-"): id for id in a}
    return a, {by_short.get(id.removeprefix(f"{second.name}-"), id): rule for id, rule in b.items()}


# --- input ---


def _read(text: str, *, limits: bool) -> FilterPattern | Pack:
    """A pattern, the pattern of a rule, or a pack."""
    found = named(text, limits=limits)
    if not isinstance(found, Rule):
        return found
    if found.sequence:
        raise UsageError(f"rule {found.id} has a sequence, not a pattern; compare the rules that it names")
    return found.pattern


# --- output ---


def _patterns(a: FilterPattern, b: FilterPattern) -> dict[str, dict[str, str]]:
    return {"patterns": {"a": a.text, "b": b.text}}


def _lines(a: FilterPattern, b: FilterPattern, found: Difference) -> Iterator[str]:
    """The result as text."""
    yield _SENTENCES[found.relation]
    for name, of in (("A", found.a), ("B", found.b)):
        if of.never:
            yield f"note: no event can ever match {name} (proved)"
    yield f"  A  {visible(a.text)}"
    yield f"  B  {visible(b.text)}"
    if found.relation == "equivalent":
        return
    yield from _side_lines(found.a, "A", "B")
    yield from _side_lines(found.b, "B", "A")
    yield ""
    own = {"A": found.a.own_terms, "B": found.b.own_terms}
    if not any(own.values()):
        yield "The terms are the same; they are joined differently."
    for side, terms in own.items():
        if terms:
            yield f"Only {side} asks for: " + _strong(", ".join(terms))


def _side_lines(side: Side, own: str, other: str) -> Iterator[str]:
    yield ""
    match side.implied.holds:
        case True:
            yield f"Matched by {own} only: nothing (proved)"
        case None:
            yield f"Matched by {own} only: unknown ({side.implied.reason})"
        case False:
            yield f"Matched by {own} only: {visible(side.implied.witness or '')}"
            for term, value in side.refused_for:
                yield f"  {other} asks for {_strong(term)}" + (
                    f", which is {visible(value)}" if value else ""
                )


def _strong(text: str) -> str:
    return screen().styled(visible(text), sys.stdout, bold=True)
