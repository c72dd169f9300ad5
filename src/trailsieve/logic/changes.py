"""The fewest false terms that would make a pattern match an event, were they true.

Terms can exclude each other: `$.a = 1` and `$.a = 2` are never true at once. So the search goes over sets of
terms that make the pattern true, those with the fewest false ones first, and takes the first set for which
the solver finds an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from heapq import heappop, heappush
from typing import NamedTuple

from trailsieve.logic.witness import Verdict, find
from trailsieve.pattern import nodes
from trailsieve.pattern.explain import tested
from trailsieve.pattern.explanation import Step
from trailsieve.pattern.rewrite import joined, of_tree

_MAX_SETS = 3000  # that are begun for one event
Terms = tuple[Step, ...]


class _Begun(NamedTuple):
    """A set of terms that is not complete, ordered by what is tried first."""

    false: int = 0  # terms that would have to become true
    strange: int = 0  # those of them for which nothing similar is true of the event
    branches: tuple[int, ...] = ()  # that were taken; no two sets have the same ones
    chosen: Terms = ()
    pending: Terms = ()


def possible(tree: nodes.Pattern) -> Verdict:
    """Whether some event matches; the witness is one."""
    return _possible(tree)


@lru_cache(maxsize=4096)
def _possible(tree: nodes.Pattern) -> Verdict:
    return find([(of_tree(tree), True)])


def smallest_change(tree: nodes.Pattern, root: Step) -> Terms:
    """The false terms of a smallest set that would make the pattern match; empty if none is known.

    Args:
        root: the pattern's terms, tested on an event that does not match.
    """
    found = next((terms for terms in _sets(root, _fitting(tree)) if possible(_all_of(tree, terms))), None)
    if found is None and (witness := possible(tree).witness):
        # Too many sets, or too hard ones: take the terms that are true of an event that matches.
        matching = tested(tree, witness).root
        true = {leaf.text for leaf in matching.leaves if leaf.verdict} if matching else set()
        found = next(_sets(root, lambda _, new: new.text in true), ())
    texts = {step.text for step in found or () if not step.verdict}
    return tuple({leaf.text: leaf for leaf in root.leaves if leaf.text in texts}.values())


def _sets(root: Step, fits: Callable[[Terms, Step], bool]) -> Iterator[Terms]:
    """Sets of terms that make the root true, those with the fewest false terms first."""
    whole = _grown(_Begun(pending=(root,)), fits)
    begun = [whole] if whole else []
    for _ in range(_MAX_SETS):
        if not begun:
            return
        terms = heappop(begun)
        if not terms.pending:
            yield terms.chosen
            continue
        choice, *rest = terms.pending
        for number, step in enumerate(choice.children):
            branches = (*terms.branches, number)
            grown = _grown(terms._replace(branches=branches, pending=(step, *rest)), fits)
            if grown:
                heappush(begun, grown)


def _grown(terms: _Begun, fits: Callable[[Terms, Step], bool]) -> _Begun | None:
    """The set with everything in it up to the next choice; None if its terms exclude each other."""
    pending = list(terms.pending)
    while pending and not _is_choice(pending[0]):
        step = pending.pop(0)
        if step.children:
            pending = [
                *(s for s in step.children if not _is_choice(s)),
                *filter(_is_choice, step.children),
                *pending,
            ]
        elif step.term is not None and all(step.text != other.text for other in terms.chosen):
            if not fits(terms.chosen, step):
                return None
            terms = terms._replace(
                false=terms.false + (not step.verdict),
                strange=terms.strange + (not step.verdict and step.instead is None),
                chosen=(*terms.chosen, step),
            )
    return terms._replace(pending=tuple(pending))


def _is_choice(step: Step) -> bool:
    return step.text == "any of" and bool(step.children)


def _fitting(tree: nodes.Pattern) -> Callable[[Terms, Step], bool]:
    """Whether a term and those of a set that are about the same field can be true at once."""

    def fits(chosen: Terms, new: Step) -> bool:
        related = [step for step in chosen if _is_related(step, new)]
        return possible(_all_of(tree, [*related, new])).holds is not False

    return fits


def _is_related(one: Step, other: Step) -> bool:
    first, second = (getattr(getattr(step.term, "target", None), "steps", ("",))[0] for step in (one, other))
    return first == second or nodes.Wildcard.ALL in (first, second)


def _all_of(tree: nodes.Pattern, steps: Sequence[Step]) -> nodes.Pattern:
    """The pattern that asks for all of some of its terms."""
    match tree:
        case nodes.TextPattern():
            terms = [step.term for step in steps if isinstance(step.term, nodes.TextTerm)]
            required = [replace(t, role="required") if t.role == "optional" else t for t in terms]
            return nodes.TextPattern(tuple(required))
        case nodes.DelimitedPattern(columns):
            return nodes.DelimitedPattern(tuple(_asked(column, steps) for column in columns))
        case nodes.JsonPattern():
            return nodes.JsonPattern(
                joined(nodes.And, (s.term for s in steps if isinstance(s.term, nodes.Term)))
            )
        case nodes.RegexPattern():
            return tree


def _asked(column: nodes.Column | nodes.Ellipsis, steps: Sequence[Step]) -> nodes.Column | nodes.Ellipsis:
    if isinstance(column, nodes.Ellipsis):
        return column
    terms = [
        step.term
        for step in steps
        if isinstance(step.term, nodes.Comparison) and step.term.target.name == column.name  # type: ignore[union-attr]
    ]
    return replace(column, condition=joined(nodes.And, terms) if terms else None)
