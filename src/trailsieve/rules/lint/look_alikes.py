"""Parts of a pattern that mean something else than they look like. TS403 and TS404."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from trailsieve.logic.witness import find
from trailsieve.pattern import nodes
from trailsieve.pattern.render import render, render_expression
from trailsieve.pattern.rewrite import exchanged, of_tree
from trailsieve.pattern.stars import as_regex, has_star_before_its_end
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.lint.target import LintTarget


def star_in_the_middle(target: LintTarget) -> Iterator[Issue]:
    """TS403."""
    tree = target.pattern.tree
    for term in (t for expression in nodes.expressions_of(tree) for t in nodes.terms_of(expression)):
        if not isinstance(term, nodes.Comparison) or not isinstance(term.value, nodes.String):
            continue
        parts = term.value.parts
        if not has_star_before_its_end(parts):
            continue
        meant = replace(term, value=nodes.Regex(as_regex(parts)))
        other = of_tree(exchanged(tree, term, meant))
        event = find([(other, not term.is_negative), (target.pattern, term.is_negative)]).witness
        if event:
            yield Issue(
                "TS403",
                f'`{target.quote(term.span)}` means: ends with the first "{parts[-1]}" after the star',
                term.span,
                f"this event ends with a later one and is {'not excluded' if term.is_negative else 'missed'}",
                event,
                render_expression(meant),
            )


def operator_as_a_term(target: LintTarget) -> Iterator[Issue]:
    """TS404."""
    if not isinstance(target.pattern.tree, nodes.TextPattern):
        return
    words = [term for term in target.pattern.tree.terms if _is_operator(term)]
    if not words or len(words) == len(target.pattern.tree.terms):
        return
    meant = of_tree(_without_operators(target.pattern.tree))
    event = find([(meant, True), (target.pattern, False)]).witness
    if event:
        names = list(dict.fromkeys(f"`{word.text}`" for word in words))
        yield Issue(
            "TS404",
            f"{' and '.join(names)} "
            + ("is an ordinary term" if len(names) == 1 else "are ordinary terms")
            + " here: the event must contain "
            + ("this word" if len(names) == 1 else "these words"),
            words[0].span,
            "this event does not contain it and is missed",
            event,
            render(meant.tree),
        )


def _is_operator(term: nodes.TextTerm) -> bool:
    return not term.quoted and term.role == "required" and term.text in ("AND", "OR", "NOT")


def _without_operators(tree: nodes.TextPattern) -> nodes.TextPattern:
    """`a OR b` as `?a ?b`, `a AND NOT b` as `a -b`."""
    any_of = any(term.text == "OR" for term in tree.terms if _is_operator(term))
    kept, negated = [], False
    for term in tree.terms:
        if _is_operator(term):
            negated = term.text == "NOT"
        else:
            role: nodes.TermRole = "excluded" if negated else "optional" if any_of else term.role
            kept.append(replace(term, role=role))
            negated = False
    return nodes.TextPattern(tuple(kept))
