"""Findings that are proofs: TS101 to TS105, TS206, TS401."""

from __future__ import annotations

import random

import pytest

from tests.logic.patterns import random_event, random_pattern
from tests.rules.lint.examples import found, linted
from trailsieve import compile, satisfiable
from trailsieve.pattern.interpret import matches_record
from trailsieve.pattern.nodes import JsonPattern
from trailsieve.rules.lint.reductions import reductions


@pytest.mark.parametrize(
    ("pattern", "codes"),
    [
        ("{ $.x = 1 && $.x = 2 }", ["TS101"]),
        ("[a, b = 4* && b = 5*]", ["TS101"]),
        ("error -error", ["TS101"]),
        ("", ["TS102"]),
        ("[...]", ["TS102"]),
        ('{ $.x != "a" || $.x != "b" }', ["TS103"]),
        ('{ $.y = 1 && ($.x != "a" || $.x != "b") }', ["TS103"]),
        ('{ $.x != "a" && $.x != "b" }', []),
        ('{ $.x != "a*" || $.x != "*b" }', []),
        ("{ $.x = 1 || ($.y = 1 && $.y = 2) }", ["TS104"]),
        ("{ $.x = 1 && ($.x = 2 || $.y = 1) }", ["TS104"]),
        ("{ $.x = 1 || $.x = 1 }", ["TS105"]),
        ('{ $.x = "a*" && $.x = "a" }', ["TS105"]),
        ("{ $.x > 3 && $.x > 2 }", ["TS105"]),
        ("{ $.x = 1 && ($.x = 1 || $.y = 1) }", ["TS105"]),
        ("{ $.x = 1 && $.y = 1 }", []),
        ("ERROR ?WARN", ["TS105"]),
        ("ERROR ERR", ["TS105"]),
        ("ERROR -DEBUG", []),
        ("[a = 1 && a != 2, b]", ["TS105"]),
        ("[a = 1, b = 2]", []),
        ('{ $.x[0] = "a" }', ["TS206"]),
        ('{ $.x[0] = "a" || $.x[1] = "a" }', ["TS206"]),
        ('{ $.x[0] != "a" }', []),
        ('{ $.x[*].y[0] = "a" }', []),
        ('{ $.x = "a*b" }', ["TS403"]),
        ('{ $.x != "a*b" }', ["TS403"]),
        ('{ $.x = "*a*b" }', ["TS403"]),
        ('{ $.x = "a*b*" }', []),
        ('{ $.x = "*b" }', []),
        ("[x = a*b, y]", ["TS403"]),
        ("ERROR AND timeout", ["TS404"]),
        ("ERROR NOT timeout", ["TS404"]),
        ("ERROR and timeout", []),
        ('ERROR "AND" timeout', []),
        ("NOT", []),
    ],
)
def test_patterns_for_any_log(pattern: str, codes: list[str]) -> None:
    assert found(pattern) == codes


@pytest.mark.parametrize(
    ("pattern", "is_reported"),
    [
        ("{ $.a = 1 || $.b = 2 && $.c = 3 }", True),
        ("{ $.a = 1 && $.b = 2 || $.c = 3 }", True),
        ("{ ($.a = 1) || ($.b = 2) && ($.c = 3) }", True),
        ("{ (($.a = 1) || ($.b = 2) && ($.c = 3)) && $.d = 4 }", True),
        ("{ $.d = 4 && (($.a = 1) && ($.b = 2) || ($.c = 3)) }", True),
        ('{ $.a = ")" || $.b = "(" && $.c = 3 }', True),
        ("{ $.a = 1 || ($.b = 2 && $.c = 3) }", False),
        ("{ ($.a = 1) || (($.b = 2) && ($.c = 3)) }", False),
        ("{ ( ( $.a = 1 && $.b = 2 ) || $.c = 3 ) }", False),
        ("{ ($.a = 1 && $.b = 2) || ($.c = 3 && $.d = 4) }", False),
        ('{ $.a = 1 || ( $.b = ")" && $.c = %[.]% ) }', False),
        ("{ ($.a = 1 || $.b = 2) && $.c = 3 }", False),
    ],
)
def test_the_precedence_trap_is_reported_where_parentheses_are_missing(
    pattern: str, is_reported: bool
) -> None:
    assert ("TS401" in found(pattern)) is is_reported


def test_the_precedence_trap_is_shown_by_an_event_that_only_one_reading_matches() -> None:
    [located] = linted("{ $.a = 1 || $.b = 2 && $.c = 3 }")
    other = compile(located.issue.fix.partition(" or ")[2])
    assert other.text == "{ ($.a = 1 || $.b = 2) && $.c = 3 }"
    assert compile(located.pattern).matches(located.issue.event)
    assert not other.matches(located.issue.event)


@pytest.mark.parametrize(
    ("pattern", "fix"),
    [
        ('{ $.x = "a*b" && $.y = 1 }', "$.x = %^a.*b$%"),
        ('{ $.x != "a*b" }', "$.x != %^a.*b$%"),
        ("ERROR AND timeout", "ERROR timeout"),
        ('ERROR OR "time out" OR abc', '?ERROR ?"time out" ?abc'),
        ("ERROR AND NOT timeout", "ERROR -timeout"),
    ],
)
def test_what_means_something_else_than_it_looks_like(pattern: str, fix: str) -> None:
    [located] = linted(pattern)
    assert located.issue.fix == fix


def test_the_covering_part_is_named() -> None:
    [located] = linted('{ $.x = "Create*" || $.y = 1 || $.x = "CreateUser" }')
    assert '`$.x = "CreateUser"` has no effect; `$.x = "Create*"` already covers it' in located.issue.message
    assert located.column == located.pattern.index('$.x = "CreateUser"') + 1


def test_of_two_equal_parts_the_second_one_is_reported() -> None:
    [located] = linted("{ $.x = 1 || $.y = 2 || $.x = 1 }")
    assert located.column == 25


@pytest.mark.parametrize("seed", range(40))
def test_a_part_reported_as_needless_is(seed: int) -> None:
    """A small change of an event only ever tells that a part is needed when the proof says so, too."""
    rng = random.Random(seed)
    pattern = compile(random_pattern(rng), limits=False)
    events = [random_event(rng) for _ in range(300)]
    example = satisfiable(pattern).witness
    for reduction in reductions(pattern.tree):
        needless = reduction.is_needless(pattern, example)
        assert needless is reduction.is_needless(pattern, None)
        assert isinstance(pattern.tree, JsonPattern)
        assert isinstance(reduction.tree, JsonPattern)
        if needless:
            for event in events:
                assert matches_record(pattern.tree, event) is matches_record(reduction.tree, event)


@pytest.mark.parametrize("seed", range(40))
def test_any_pattern_can_be_linted(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(5):
        for located in linted(random_pattern(rng)):
            assert 1 <= located.column <= len(located.pattern) + 1
