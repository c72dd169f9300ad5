"""What the rules ask for decides which fields are looked at; nothing about CloudTrail is built in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

import pytest

from trailsieve.pattern.compiler import compile
from trailsieve.pattern.nodes import Comparison, Expression, JsonPattern, Selector
from trailsieve.pattern.runtime import ABSENT
from trailsieve.pattern.triggers import TriggerTable, popularity, triggers
from trailsieve.rules.load import load_pack


def expression(text: str) -> Expression:
    tree = compile(text).tree
    assert isinstance(tree, JsonPattern)
    return tree.expression


def name(selector: Selector) -> str:
    return ".".join(str(step) for step in selector.steps)


def watched(pattern: str, *others: str) -> set[str]:
    """The fields that trigger a pattern, when it runs beside others."""
    popular = popularity(map(expression, (pattern, *others)))
    return {name(selector) for selector in triggers(expression(pattern), popular)}


CHOICES = [
    ('{ $.a = "x" }', {"a"}),
    ('{ $.a = "x" || $.b = "y" }', {"a", "b"}),
    ('{ $.a = "x" && $.b = "y*" }', {"a"}),  # a text before a wildcard
    ('{ $.a = "x*" && $.b = "y" }', {"b"}),
    ('{ $.a != "x" && $.b = "*y" }', {"b"}),  # nearly every value differs from x
    ("{ $.a NOT EXISTS && $.b > 3 }", {"b"}),  # nearly nothing exists
    ("{ $.a NOT EXISTS && $.b = %x% }", {"b"}),
    ("{ $.a NOT EXISTS }", {"a"}),
    ('{ ($.a = "x" || $.b = "y") && $.c = "z" }', {"c"}),  # one field before two
    ('{ ($.a = "x" || $.b = "y") && $.c != "z" }', {"a", "b"}),
    ('{ ($.a = "x" && $.b != "y") || ($.a = "z" && $.c IS TRUE) }', {"a"}),
    ('{ ($.a = "x" || $.b != "y") && $.c = "z*" }', {"c"}),
    ('{ $.a.b.c = "x" && $.d = "y*" }', {"a.b.c"}),
    ('{ $.a[0] = "x" && $.b != "y" }', {"a.0"}),
]


@pytest.mark.parametrize(("pattern", "chosen"), CHOICES)
def test_the_rarest_condition_is_the_trigger(pattern: str, chosen: set[str]) -> None:
    assert watched(pattern) == chosen


@pytest.mark.parametrize("field", ["a", "b"])
def test_of_equals_the_field_that_is_asked_for_more_texts(field: str) -> None:
    others = [f'{{ $.{field} = "{number}" }}' for number in range(3)]
    assert watched('{ $.a = "x" && $.b = "y" }', *others) == {field}


def test_what_many_rules_share_is_no_trigger() -> None:
    """All of them ask for one service: only the call tells them apart."""
    patterns = [f'{{ $.service = "iam" && $.call = "Call{number}" }}' for number in range(5)]
    assert watched(*patterns) == {"call"}


@pytest.mark.parametrize("pack", ["cis-aws", "cis-aws-tuned"])
def test_other_names_of_all_fields_give_the_same_choice(pack: str) -> None:
    """Nothing depends on `eventName`: fields with their letters turned round are chosen just so."""
    patterns = [rule.pattern.text for rule in load_pack(pack).rules]

    def turn(names: Iterable[str]) -> set[str]:
        return {".".join(part[::-1] for part in one.split(".")) for one in names}

    def turned(pattern: str) -> str:
        return re.sub(
            r"\$((\.\w+)+)", lambda found: f"${'.'.join(p[::-1] for p in found[1].split('.'))}", pattern
        )

    others = [turned(pattern) for pattern in patterns]
    for pattern in patterns:
        assert watched(turned(pattern), *others) == turn(watched(pattern, *patterns))


def table(*patterns: str) -> TriggerTable:
    """The triggers of patterns that all ask for `$.a`, numbered in order."""
    made = TriggerTable()
    for number, pattern in enumerate(patterns):
        ((selector, conditions),) = triggers(expression(pattern), {}).items()
        assert name(selector) == "a"
        made.add(number, conditions)
    return made


KINDS = (
    '{ $.a = "1" }',
    "{ $.a = 1 }",
    '{ $.a = "1*" }',
    "{ $.a IS TRUE }",
    "{ $.a NOT EXISTS }",
    "{ $.a IS NULL }",
)
ANSWERS = [
    ("1", {0, 1, 2}),
    (1, {0, 1, 2}),
    (Decimal("1.0"), {1, 2}),
    (True, {3}),
    (ABSENT, {4}),
    (None, {5}),
    ("x", set()),
    ("", set()),
    (0, set()),
    (False, set()),
    ([], set()),
    ({}, set()),
    (["1"], set()),
    ({"a": "1"}, set()),
]


@pytest.mark.parametrize(
    "turns", [ANSWERS, ANSWERS[::-1], ANSWERS * 3], ids=["once", "backwards", "three times"]
)
def test_equal_values_of_other_types_are_kept_apart(turns: list[tuple[object, set[int]]]) -> None:
    """1, 1.0, true and "1" are different values, whichever of them was seen and remembered before."""
    made = table(*KINDS)
    for value, numbers in turns:
        assert made.triggered(value) == numbers, value


def test_quiet_are_texts_that_were_seen_and_trigger_nothing() -> None:
    made = table('{ $.a = "loud" }', '{ $.a = "also*" }')
    values: list[object] = ["loud", "also loud", "soft", 7, True, None, [], {}, ABSENT]
    for value in values:
        made.triggered(value)
    assert made.quiet == {"soft", ABSENT}


def test_absence_is_not_quiet_when_a_rule_asks_for_it() -> None:
    made = table("{ $.a NOT EXISTS }")
    assert made.triggered(ABSENT) == {0}
    assert made.quiet == set()


def test_what_is_remembered_is_bounded() -> None:
    made = table('{ $.a = "loud*" }')
    for number in range(20_000):
        assert made.triggered(f"loud {number}") == {0}
        assert made.triggered(f"soft {number}") == set()
    made.triggered("long" * 1000)
    assert len(made.quiet) <= 4096
    assert max(map(len, (value for value in made.quiet if isinstance(value, str)))) <= 512


def test_a_trigger_is_a_condition_of_the_pattern_itself() -> None:
    found = triggers(expression('{ $.a = "x" && ($.b = "y" || $.c = "z") }'), {})
    ((condition,),) = found.values()
    assert isinstance(condition, Comparison)
    assert name(next(iter(found))) == "a"
