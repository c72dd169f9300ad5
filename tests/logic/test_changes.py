"""What `explain` proposes to change is possible, and as little as that can be."""

from __future__ import annotations

import itertools
import random

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import trailsieve
from tests import strategies as some
from tests.examples import examples
from tests.logic.patterns import random_event, random_pattern
from trailsieve import jsontext, satisfiable
from trailsieve.logic import changes
from trailsieve.logic.witness import find
from trailsieve.pattern import nodes
from trailsieve.pattern.explanation import Step
from trailsieve.pattern.rewrite import joined, of_tree

laws = settings(max_examples=examples(150), suppress_health_check=list(HealthCheck))


def fulfilled(step: Step, texts: frozenset[str]) -> bool:
    """Whether a step is true if exactly the terms with these texts are."""
    if not step.children:
        return step.text in texts
    results = [fulfilled(child, texts) for child in step.children]
    return all(results) if step.text == "all of" else any(results)


def smallest(root: Step) -> int | None:
    """The size of a smallest set of changes, by trying all sets of terms."""
    leaves = {leaf.text: leaf for leaf in root.leaves}
    sizes = []
    for count in range(1, len(leaves) + 1):
        for texts in map(frozenset, itertools.combinations(leaves, count)):
            terms = [term for text in texts if isinstance(term := leaves[text].term, nodes.Term)]
            whole = of_tree(nodes.JsonPattern(joined(nodes.And, terms)))
            if fulfilled(root, texts) and satisfiable(whole):
                sizes.append(sum(not leaves[text].verdict for text in texts))
    return min(sizes, default=None)


@laws
@given(st.integers(0))
@example(1)
def test_changes_never_exclude_each_other_and_are_the_fewest(seed: int) -> None:
    rng = random.Random(seed)
    pattern = trailsieve.compile(random_pattern(rng), limits=False)
    event = jsontext.readable(random_event(rng))
    explanation = pattern.explain(event)
    assert explanation.matched is pattern.matches(event)
    if explanation.matched:
        return
    assert explanation.root is not None
    least = smallest(explanation.root)
    assert explanation.never is (least is None)
    assert len(explanation.flips) == (least or 0)
    wanted = [
        (of_tree(nodes.JsonPattern(flip.term)), True)
        for flip in explanation.flips
        if isinstance(flip.term, nodes.Term)
    ]
    assert explanation.never or find([(pattern, True), *wanted]).holds
    if explanation.proposal:
        assert trailsieve.compile(explanation.proposal, limits=False).matches(event)


@laws
@given(some.patterns, some.messages)
def test_any_pattern_and_any_event(tree: nodes.Pattern, message: str) -> None:
    pattern = of_tree(tree)
    explanation = trailsieve.explain(pattern, message)
    assert explanation.matched is pattern.matches(message)
    assert not (explanation.matched and (explanation.flips or explanation.never or explanation.proposal))
    assert not explanation.proposal or trailsieve.compile(explanation.proposal, limits=False).matches(message)


def test_where_there_are_too_many_sets_the_terms_of_an_event_are_taken() -> None:
    several = " && ".join(f"($.a = x{n} || $.b = y{n} || $.c{n} = 1 && $.d{n} = 1)" for n in range(9))
    explanation = trailsieve.compile(f"{{ {several} }}").explain("{}")
    assert len(explanation.flips) >= 9
    assert changes.possible(nodes.JsonPattern(joined(nodes.And, [flip.term for flip in explanation.flips])))  # type: ignore[misc]
