"""The quick reader takes nothing that the grammar refuses, and its trees are the grammar's, with every place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import trailsieve
from tests import strategies as some
from tests.examples import examples
from tests.laws import check_quick
from trailsieve.pattern import quick
from trailsieve.pattern.nodes import JsonPattern
from trailsieve.pattern.render import render
from trailsieve.rules.load import built_in

ROOT = Path(__file__).parents[2]
VECTORS = sorted((ROOT / "grammar" / "vectors").glob("*.jsonl"))
laws = settings(max_examples=examples(400), suppress_health_check=[HealthCheck.too_slow])


def patterns_of(path: Path) -> list[str]:
    return [json.loads(line)["pattern"] for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_patterns_of_the_vectors_are_read_alike(path: Path) -> None:
    for text in patterns_of(path):
        check_quick(text)


@pytest.mark.parametrize("name", built_in())
def test_patterns_of_the_packs_are_read_without_the_grammar(name: str) -> None:
    for rule in trailsieve.load_pack(name).rules:
        assert not rule.pattern.reads_records or quick.read_pattern(rule.pattern.text)
        check_quick(rule.pattern.text)


def test_patterns_of_public_repositories_are_read_alike(shared: Path) -> None:
    for text in patterns_of(shared / "language" / "wild_patterns.jsonl"):
        check_quick(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ $.a IS NULL }",
        "{($.a[0]is not_null)}",
        "{$.a NOT\tEXISTS&&$.b.*IS true}",
        "{ $.aIS NULL }",
        "{ $.a ISNULL }",
        "{ $.a \u0131\u017f NULL }",  # pyparsing compares in upper case, where these letters are I and S
        "{ $.a = 1 } x",
        " { $.a = 1 }",
        "{ $.a == 1 }",
        "{ $.a <= = 1 }",
        "{ $.a = null }",
        "{ $.a = a+b }",
        "{ $.a = 1e2147483648 }",
        "{ $.a > x }",
        "{ $.a = %(% }",
        '{ $.a = "\\\n" }',
        "{ $.a = 1\u00a0}",
        "{ $.a = 1\f}",
        "{ $ = 1 }",
        "{ $[0] = 1 }",
        f"{{ {'(' * 150}$.a = 1{')' * 150} }}",
        "$.a[*].['b c'] ",
        "$.a. b",
    ],
)
def test_what_looks_common_and_is_not_is_left_to_the_grammar(text: str) -> None:
    check_quick(text)


@laws
@given(some.json_patterns.map(render))
def test_patterns_of_any_tree_are_read_alike(text: str) -> None:
    check_quick(text)


@laws
@given(some.pattern_texts)
def test_any_text_is_read_alike_or_left_to_the_grammar(text: str) -> None:
    check_quick(text)


_CHANGES = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(0, 2),
        st.sampled_from([*" \t\n(){}[]$.'\"%\\&|=!<>*+-0a\u00a0é", "IS", "NULL", "NOT EXISTS", "&&", "||"]),
    ),
    min_size=1,
    max_size=3,
)


@laws
@given(some.json_patterns.map(render), _CHANGES)
@example("{ $.a IS NULL }", [(7, 1, "")])
def test_changed_patterns_are_read_alike_or_left(text: str, changes: list[tuple[int, int, str]]) -> None:
    for place, removed, inserted in changes:
        at = place % (len(text) + 1)
        text = text[:at] + inserted + text[at + removed :]
    check_quick(text)


@laws
@given(some.json_patterns)
def test_nearly_all_patterns_are_read_quickly(tree: JsonPattern) -> None:
    assert quick.read_pattern(render(tree)) == tree


def test_pyparsing_is_not_imported_for_the_packs() -> None:
    code = "import sys, trailsieve; trailsieve.load_pack('cis-aws'); assert 'pyparsing' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
