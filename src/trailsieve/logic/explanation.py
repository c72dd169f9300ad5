"""Why an event matches or not, and what would have to change; nothing is proposed that is not proved."""

from __future__ import annotations

from dataclasses import replace

from trailsieve.errors import PatternError
from trailsieve.logic.changes import possible, smallest_change
from trailsieve.pattern import nodes
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.explain import tested
from trailsieve.pattern.explanation import Explanation, Step
from trailsieve.pattern.render import render, render_expression
from trailsieve.pattern.rewrite import exchanged


def explain(pattern: FilterPattern, message: str | bytes) -> Explanation:
    """Why one raw log event matches a pattern or not: each term with its value and result."""
    found = tested(pattern.tree, message)
    if found.matched:
        return found
    if possible(pattern.tree).holds is False:
        return replace(found, never=True)
    if found.root is None:
        return found
    flips = smallest_change(pattern.tree, found.root)
    return replace(found, flips=flips, proposal=_proposal(pattern, found.root, flips, message))


def _proposal(pattern: FilterPattern, root: Step, flips: tuple[Step, ...], message: str | bytes) -> str:
    """The whole pattern with what was probably meant instead of each false term, if it matches the event."""
    if not flips or any(flip.instead is None for flip in flips):
        return ""
    texts = {flip.text for flip in flips}
    changes = [
        (leaf.term, leaf.instead)
        for leaf in root.leaves
        if leaf.text in texts and isinstance(leaf.term, nodes.Term) and leaf.instead
    ]
    for text in (_spliced(pattern.text, changes), _rendered(pattern.tree, changes)):
        try:
            if text.isprintable() and compile(text, limits=pattern.limits).matches(message):
                return text
        except PatternError:
            continue
    return ""


Changes = list[tuple[nodes.Term, nodes.Expression]]


def _rendered(tree: nodes.Pattern, changes: Changes) -> str:
    for old, new in changes:
        tree = exchanged(tree, old, new)
    return render(tree)


def _spliced(text: str, changes: Changes) -> str:
    """The pattern as written, except for the terms that change; "" if the terms stand elsewhere."""
    for old, new in sorted(changes, key=lambda change: change[0].span.start, reverse=True):
        if _without_blanks(text[old.span.start : old.span.end]) != _without_blanks(render_expression(old)):
            return ""
        added = render_expression(new)
        added = f"({added})" if isinstance(new, nodes.Group) else added
        text = text[: old.span.start] + added + text[old.span.end :]
    return text


def _without_blanks(text: str) -> str:
    return "".join(text.split()).upper()
