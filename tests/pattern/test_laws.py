"""What holds for every pattern and every event, whatever they are."""

from __future__ import annotations

import ast
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import trailsieve
from tests import strategies as some
from tests.examples import examples
from tests.laws import check_json, check_meaning, check_rendering, check_source, check_text, compiled
from trailsieve import jsontext
from trailsieve.pattern import interpret
from trailsieve.pattern.nodes import JsonPattern, Pattern
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render

laws = settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])


# --- the language ---


@laws
@given(some.pattern_texts, st.booleans())
@example("(" * 1024, True)
@example("{" + "(" * 5000, False)
@example("", True)
def test_any_text_compiles_or_the_error_points_into_it(text: str, limits: bool) -> None:
    check_text(text, limits=limits)


@laws
@given(some.patterns)
def test_a_rendered_tree_parses_to_an_equal_tree(tree: Pattern) -> None:
    check_rendering(tree)


@pytest.mark.parametrize(
    "text", ["{ $.* = 1 }", "{ $.*.a NOT EXISTS }", "{ $.['[*]'] = 1 }", "{ $.a.* = 1 }"]
)
def test_a_wildcard_at_the_root_stays_readable(text: str) -> None:
    assert parse(render(parse(text))) == parse(text)


# --- the meaning: interpreter, predicate and explanation say the same ---


@laws
@given(some.with_messages(some.patterns))
def test_predicate_interpreter_and_explanation_agree(found: tuple[Pattern, list[str]]) -> None:
    tree, messages = found
    for message in messages:
        check_meaning(compiled(tree), message)


@laws
@given(some.patterns, some.messages)
def test_they_agree_on_messages_of_any_kind(tree: Pattern, message: str) -> None:
    check_meaning(compiled(tree), message)


def check_decoded(tree: JsonPattern, message: str) -> None:
    record = json.loads(message, parse_int=lambda digits: int(digits[:4000]))
    assert compiled(tree).matches_record(record) is interpret.matches_record(tree, record)


@laws
@given(some.with_messages(some.json_patterns))
def test_records_of_other_decoders_get_one_answer(found: tuple[JsonPattern, list[str]]) -> None:
    tree, messages = found
    for message in messages:
        check_decoded(tree, message)


@pytest.mark.parametrize(
    "text", ['{ $.a = "Infinity" }', '{ $.a != "Infinity" }', '{ $.a = "*y" }', '{ $.a = "I*" }']
)
def test_an_infinity_of_other_decoders_has_the_same_text(text: str) -> None:
    tree = parse(text)
    assert isinstance(tree, JsonPattern)
    check_decoded(tree, '{"a": 1e400}')


# Values as other decoders and as Python code may hand them in.
python_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        some.words,
        st.decimals(allow_nan=False, places=2),
    ),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(some.keys, children, max_size=4),
    max_leaves=8,
)


@laws
@given(some.patterns, python_values, st.binary(max_size=20))
def test_a_predicate_answers_true_or_false_to_anything(tree: Pattern, value: Any, data: bytes) -> None:
    pattern = compiled(tree)
    assert pattern.matches(data) in (True, False)
    assert pattern.matches_record(value).__class__ is bool


@pytest.mark.parametrize(
    "pattern", ["{ $.a.* = 1 }", "{ $.a = %1% }", "{ $.a IS NULL }", '"[[["', "[x, ...]", "%1%"]
)
@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["arrays", "objects"])
def test_depth_stops_nobody(pattern: str, opening: str) -> None:
    depth = 20_000
    message = f'{{"a":{opening * depth}1{("]" if opening == "[" else "}") * depth}}}'
    found = trailsieve.compile(pattern)
    record = jsontext.decode_object(message)
    assert record is not None
    assert found.matches(message) is found.matches_record(record)
    assert found.explain(message).matched is found.matches(message)
    assert len(str(found.explain(message))) < 1000


# --- the generated source ---


@laws
@given(some.patterns)
def test_a_pattern_never_becomes_code(tree: Pattern) -> None:
    check_source(compiled(tree).python_source)


# Text that would end a Python string, comment or line, or begin a call, if it were ever pasted in.
HOSTILE = [
    "'",
    '"',
    "\\",
    "\n",
    "\r",
    "\x00",
    "\u2028",
    "'''",
    "#",
    "{0}",
    "__import__('os')",
    "));x=(",
    "\\'",
    "%s",
]


@laws
@given(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=4).map("".join))
def test_hostile_text_stays_a_constant(text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    key = text.replace("'", "’")
    for pattern in (
        f"{{ $.['{key}'][*] != {quoted} && $.a = {quoted} }}",
        quoted,
        f"-{quoted}",
        f"[a={quoted}, ...]",
    ):
        found = trailsieve.compile(pattern)
        check_source(found.python_source)
        constants = [n.value for n in ast.walk(ast.parse(found.python_source)) if isinstance(n, ast.Constant)]
        assert text in constants
    assert trailsieve.compile(quoted).matches(f"<{text}>")


# --- JSON: exact, and never an exception ---


@laws
@given(some.json_texts)
@example("1" * 4000)
@example('{"a":1,"a":{"b":1.0,"b":-0}}')
def test_fast_slow_and_deep_decoding_give_the_same(text: str) -> None:
    check_json(text)


@laws
@given(
    some.json_texts,
    st.integers(0, 100),
    st.sampled_from(["", " ", "}", "]", ",", '"', "x", "\x01", "1", "-", "e", "."]),
)
def test_all_decoders_refuse_the_same_texts(text: str, place: int, change: str) -> None:
    check_json(text[:place] + change + text[place + 1 :])


@pytest.mark.parametrize(
    "value", [Decimal("1.0"), {"a": [Decimal("1E+400")], "\ud800": []}, [[], {}, [1, {"é": None}]]]
)
def test_the_encoder_for_odd_values_is_compact_and_exact(value: Any) -> None:
    text = "".join(jsontext._pieces(value))
    assert jsontext.decode(text) == value
    assert " " not in text
    assert text.encode()
