"""No proof is ever wrong and every witness is right, whatever the patterns."""

from __future__ import annotations

import itertools
import random
from functools import cache
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import trailsieve
from tests import strategies as some
from tests.examples import examples
from tests.logic.patterns import SELECTORS, random_event, random_expression, random_pattern
from trailsieve import Verdict, implies, jsontext, satisfiable, tautology
from trailsieve.errors import UnknownError
from trailsieve.logic import json_encoding
from trailsieve.pattern import nodes, runtime
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.render import render

laws = settings(max_examples=examples(100), suppress_health_check=list(HealthCheck))
# CloudWatch takes no empty event.
lines, events = some.lines.filter(bool), some.messages.filter(bool)
EVENTS = 10_000
NEAR_THE_EXTREMES = "it depends on numbers that may not exist"


@cache
def boundary_events() -> list[dict[str, Any]]:
    rng = random.Random(8)
    return [random_event(rng) for _ in range(EVENTS)]


def check(a: FilterPattern, b: FilterPattern, verdict: Verdict) -> None:
    """A witness is confirmed; where there is none, the answer is a proof or a reason."""
    if verdict.holds is False:
        assert verdict.witness
        assert a.matches(verdict.witness)
        assert not b.matches(verdict.witness)
    else:
        assert verdict.witness is None
    assert bool(verdict.reason) is (verdict.holds is None)


@laws
@given(st.integers(0))
def test_no_counterexample_among_ten_thousand_events(seed: int) -> None:
    rng = random.Random(seed)
    a_text = random_pattern(rng)
    shared = [selector for selector in SELECTORS if selector in a_text]
    a, b = (
        trailsieve.compile(a_text, limits=False),
        trailsieve.compile(random_pattern(rng, shared), limits=False),
    )
    verdict = implies(a, b)
    check(a, b, verdict)
    assert verdict.reason in ("", NEAR_THE_EXTREMES)
    never, always = satisfiable(a).holds is False, tautology(b).holds is True
    if verdict.holds or never or always:
        for event in boundary_events():
            matched = a.predicate(event), b.predicate(event)
            assert not (verdict.holds and matched == (True, False)), event
            assert not (never and matched[0]), event
            assert not (always and not matched[1]), event


@laws
@given(st.integers(0))
def test_guessing_agrees_with_listing(seed: int) -> None:
    """Where kinds of text are too many to list they are guessed: the answers stay."""
    rng = random.Random(seed)
    shared = rng.sample(SELECTORS, 2)
    a, b = (trailsieve.compile(random_pattern(rng, shared), limits=False) for _ in range(2))
    listed = implies(a, b)
    with mock.patch.object(json_encoding, "value_domain", side_effect=UnknownError("too many")):
        guessed = implies(a, b)
    check(a, b, guessed)
    assert None in (listed.holds, guessed.holds) or guessed.holds == listed.holds


@st.composite
def related(draw: st.DrawFn) -> tuple[nodes.JsonPattern, nodes.JsonPattern, list[str]]:
    """Two patterns made of few terms that they share, with events at which they aim."""
    terms = draw(st.lists(some.terms(), min_size=1, max_size=4))
    trees = st.recursive(
        st.sampled_from(terms),
        lambda children: st.builds(
            lambda node, parts: node(tuple(parts)),
            st.sampled_from([nodes.And, nodes.Or]),
            st.lists(children, min_size=2, max_size=3),
        ),
        max_leaves=4,
    )
    a, b = nodes.JsonPattern(draw(trees)), nodes.JsonPattern(draw(trees))
    return a, b, draw(st.lists(some.events_for(a, b), max_size=10))


def compiled(tree: nodes.Pattern) -> FilterPattern:
    return FilterPattern(render(tree), tree, limits=False)


@laws
@given(related())
def test_odd_values_and_names(found: tuple[nodes.JsonPattern, nodes.JsonPattern, list[str]]) -> None:
    a, b = map(compiled, found[:2])
    verdict = implies(a, b)
    check(a, b, verdict)
    for event in found[2]:
        assert not (verdict.holds and a.matches(event) and not b.matches(event)), event
        assert not (satisfiable(a).holds is False and a.matches(event)), event


@laws
@given(some.patterns, some.patterns, st.lists(events, max_size=5))
def test_patterns_of_all_languages(first: nodes.Pattern, second: nodes.Pattern, messages: list[str]) -> None:
    a, b = compiled(first), compiled(second)
    verdict, possible = implies(a, b), satisfiable(a)
    check(a, b, verdict)
    assert possible.holds is not True or a.matches(str(possible.witness))
    for message in messages:
        assert not (verdict.holds and a.matches(message) and not b.matches(message)), message
        assert not (possible.holds is False and a.matches(message)), message


@laws
@given(some.text_patterns | some.regex_patterns, some.text_patterns | some.regex_patterns, st.lists(lines))
def test_text_patterns(first: nodes.Pattern, second: nodes.Pattern, lines: list[str]) -> None:
    a, b = compiled(first), compiled(second)
    verdict = implies(a, b)
    check(a, b, verdict)
    assert not any(verdict.holds and a.matches(line) and not b.matches(line) for line in lines)


@laws
@given(st.data())
def test_delimited_patterns_of_one_layout(data: st.DataObject) -> None:
    columns = [f"c{number}" for number in range(data.draw(st.integers(1, 3)))]

    def pattern() -> nodes.DelimitedPattern:
        found = [
            nodes.Column(name, data.draw(st.none() | some.comparisons(nodes.Field(name)))) for name in columns
        ]
        return nodes.DelimitedPattern(tuple(found))

    a, b = compiled(pattern()), compiled(pattern())
    verdict = implies(a, b)
    check(a, b, verdict)
    for line in data.draw(st.lists(lines, max_size=10)):
        assert not (verdict.holds and a.matches(line) and not b.matches(line)), line
        assert not (tautology(a).holds and not a.matches(line)), line


CONDITIONS = [
    "{}",
    "{}",
    "{} = x",
    "{} = x*",
    "{} != x",
    "{} = 1",
    "{} > 1",
    "{} = %y$%",
    '{} = "x y"',
    "{} = *",
]
TOKENS = ["x", "xy", "y", "1", "2.0", '"x y"', "[x]", '"1"', "-", '"']


def _columns(rng: random.Random) -> str:
    columns = [rng.choice(CONDITIONS).format(name) for name in "abc"[: rng.randrange(1, 4)]]
    if rng.random() < 0.5:
        columns.insert(rng.randrange(len(columns) + 1), "...")
    return f"[{', '.join(columns)}]"


@cache
def token_lines() -> list[str]:
    """Every line of up to four tokens, some of them glued together."""
    lines = [" ".join(line) for count in range(1, 4) for line in itertools.product(TOKENS, repeat=count)]
    rng = random.Random(3)
    return [
        " ",
        *lines,
        *(rng.choice(["", " ", "\t", "  "]).join(rng.choices(TOKENS, k=4)) for _ in range(2000)),
    ]


@settings(laws, max_examples=examples(60))
@given(st.integers(0))
def test_delimited_patterns_of_different_layouts(seed: int) -> None:
    rng = random.Random(seed)
    a, b = (trailsieve.compile(_columns(rng), limits=False) for _ in range(2))
    verdict = implies(a, b)
    check(a, b, verdict)
    for line in token_lines():
        assert not (verdict.holds and a.predicate(line) and not b.predicate(line)), line


# --- brute force ---

FLAT_TERMS = [
    *(
        "$.{} = x",
        "$.{} != x",
        "$.{} = 1",
        "$.{} != 1",
        "$.{} > 1",
        "$.{} <= 1",
        '$.{} = "1"',
        '$.{} != "1*"',
    ),
    *("$.{} = x*", "$.{} = %x$%", "$.{} IS NULL", "$.{} IS TRUE", "$.{} NOT EXISTS", "$.{} = *"),
]
ABSENT = object()
# Every value is like one of these for the terms above.
FLAT_VALUES = [
    *(ABSENT, None, True, False, "x", "xy", "xyx", "y", "yx", "1", "12", "1x", "xx", 1, 0, 2, -1, 12),
    *([], [None], {}, *(jsontext.decode(t) for t in ("1.0", "1.5", "1e400", "0.1"))),
]
FLAT_VALUES += [jsontext.decode(text) for text in ("0e5", "0.0", "1e1", "1e-7", "1e-400")]
FLAT_VALUES += [10**350, 2 * 10**350]


def flat_events() -> list[dict[str, Any]]:
    return [
        {name: value for name, value in (("a", a), ("b", b)) if value is not ABSENT}
        for a, b in itertools.product(FLAT_VALUES, repeat=2)
    ]


@laws
@given(st.integers(0))
def test_equal_to_brute_force(seed: int) -> None:
    rng = random.Random(seed)
    a, b = (trailsieve.compile(f"{{ {_flat(rng, rng.randrange(1, 5))} }}", limits=False) for _ in range(2))
    counterexample = any(a.predicate(event) and not b.predicate(event) for event in flat_events())
    assert implies(a, b).holds is not counterexample
    assert satisfiable(a).holds is any(map(a.predicate, flat_events()))
    assert tautology(a).holds is all(map(a.predicate, flat_events()))


def _flat(rng: random.Random, terms: int) -> str:
    if terms == 1:
        return rng.choice(FLAT_TERMS).format(rng.choice("ab"))
    left = rng.randrange(1, terms)
    return f"({_flat(rng, left)}{rng.choice([' && ', ' || '])}{_flat(rng, terms - left)})"


TREE_SELECTORS = ["$.a", "$.a.b", "$.a[0]", "$.a[1]", "$.a[*]"]


@cache
def tree_events() -> list[dict[str, Any]]:
    """Every shape that the selectors above tell apart, with few values."""
    scalars: list[Any] = [None, True, "x", "xy", "1", 1, 3]
    inner = [*scalars, [], {}, [None]]
    arrays = [
        list(items) for count in range(5) for items in itertools.product([*scalars[2:6], None], repeat=count)
    ]
    arrays += [list(items) for count in range(3) for items in itertools.product(inner, repeat=count)]
    few: list[Any] = [None, True, "x", "1", 1, []]
    objects = [
        dict(zip(names, items, strict=True))
        for names in ("", "b", "c", "bc", "cd", "bcd", "cde")
        for items in itertools.product(few, repeat=len(names))
    ]
    return [{}, *({"a": value} for value in [*inner, False, *arrays, *objects])]


@settings(laws, max_examples=examples(60))
@given(st.integers(0))
def test_a_tree_of_selectors_against_brute_force(seed: int) -> None:
    rng = random.Random(seed)
    a, b = (
        trailsieve.compile(
            f"{{ {random_expression(rng, TREE_SELECTORS, rng.randrange(1, 4))} }}", limits=False
        )
        for _ in range(2)
    )
    verdict = implies(a, b)
    check(a, b, verdict)
    assert verdict.reason in ("", NEAR_THE_EXTREMES)
    assert not (verdict.holds and any(a.predicate(e) and not b.predicate(e) for e in tree_events()))


def as_patterns_see_it(value: Any) -> Any:
    """A value with the text of each number in its place."""
    if isinstance(value, dict):
        return {name: as_patterns_see_it(child) for name, child in value.items()}
    if isinstance(value, list):
        return [as_patterns_see_it(child) for child in value]
    text = runtime.text_of(value)
    return value if text is None else (type(value) is str, text)


@laws
@given(some.json_objects)
def test_events_are_written_as_they_are_read(event: str) -> None:
    record = jsontext.decode_object(event)
    again = jsontext.decode_object(jsontext.readable(record))
    assert as_patterns_see_it(again) == as_patterns_see_it(record)
