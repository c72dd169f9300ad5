"""What holds for every pattern and every event, whatever they are."""

from __future__ import annotations

import ast
import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import trailsieve
from tests import strategies as some
from trailsieve import jsontext
from trailsieve.errors import PatternError
from trailsieve.pattern import interpret, runtime
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import JsonPattern, Pattern
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render

laws = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def compiled(tree: Pattern) -> FilterPattern:
    return trailsieve.compile(render(tree), limits=False)


def interpreted(tree: Pattern, message: str) -> bool:
    if isinstance(tree, JsonPattern):
        record = jsontext.decode_object(message)
        return record is not None and interpret.matches_record(tree, record)
    return interpret.matches_text(tree, message)


# --- the language ---


@laws
@given(some.pattern_texts, st.booleans())
@example("(" * 1024, True)
@example("{" + "(" * 5000, False)
@example("", True)
def test_any_text_compiles_or_the_error_points_into_it(text: str, limits: bool) -> None:
    error = refusal(text, limits)
    if error is not None:
        assert 1 <= error.column <= len(text) + 1
        assert error.message
        assert error.message in str(error)


def refusal(text: str, limits: bool) -> PatternError | None:
    try:
        trailsieve.compile(text, limits=limits)
    except PatternError as error:
        return error
    return None


@laws
@given(some.patterns)
def test_a_rendered_tree_parses_to_an_equal_tree(tree: Pattern) -> None:
    text = render(tree)
    parsed = parse(text, limits=False)
    assert parsed == tree
    assert render(parsed) == text


@pytest.mark.parametrize(
    "text", ["{ $.* = 1 }", "{ $.*.a NOT EXISTS }", "{ $.['[*]'] = 1 }", "{ $.a.* = 1 }"]
)
def test_a_wildcard_at_the_root_stays_readable(text: str) -> None:
    assert parse(render(parse(text))) == parse(text)


# --- the meaning: interpreter, predicate and explanation say the same ---


def check_meaning(tree: Pattern, message: str) -> None:
    pattern = compiled(tree)
    wanted = interpreted(tree, message)
    assert pattern.matches(message) is wanted
    if not SURROGATE.search(message):
        assert pattern.matches(message.encode()) is wanted
    assert [match.event_message for match in pattern.test([message])] == [message] * wanted
    explanation = pattern.explain(message)
    assert explanation.matched is wanted
    assert str(explanation).startswith("✓" if wanted else "✗")


SURROGATE = re.compile("[\ud800-\udfff]")  # bytes cannot hold it; as a JSON escape they can


@laws
@given(some.with_messages(some.patterns))
def test_predicate_interpreter_and_explanation_agree(found: tuple[Pattern, list[str]]) -> None:
    tree, messages = found
    for message in messages:
        check_meaning(tree, message)


@laws
@given(some.patterns, some.messages)
def test_they_agree_on_messages_of_any_kind(tree: Pattern, message: str) -> None:
    check_meaning(tree, message)


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
def test_an_infinity_of_other_decoders_is_no_word(text: str) -> None:
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

ALLOWED_NODES = {
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.If, ast.Lambda),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Compare, ast.Call, ast.Subscript),
    *(ast.Is, ast.Eq, ast.NotEq, ast.In, ast.NotIn, ast.Name, ast.Load, ast.Store, ast.Attribute),
    *(ast.Constant, ast.Tuple),
}
ALLOWED_NAMES = {name for name in vars(runtime) if not name.startswith("_")}
ALLOWED_NAMES |= {"record", "text", "value", "values", "columns", "layout", "str"}
NUMBERED_NAME = re.compile(r"(v|regex_|number_|steps_)[0-9]+")
ALLOWED_ATTRIBUTES = {"get", "startswith", "endswith", "__class__"}


def check_source(source: str) -> None:
    for node in ast.walk(ast.parse(source)):
        assert type(node) in ALLOWED_NODES
        if isinstance(node, ast.Name):
            assert node.id in ALLOWED_NAMES or NUMBERED_NAME.fullmatch(node.id)
        if isinstance(node, ast.Attribute):
            assert node.attr in ALLOWED_ATTRIBUTES
        if isinstance(node, ast.Constant):
            assert node.value is None or type(node.value) in (str, int, bool)
        if isinstance(node, ast.FunctionDef):
            assert node.name == "matches"
            assert not node.decorator_list


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


def exact(value: Any) -> Any:
    """What patterns see of a value: 1, 1.0 and true differ, an int and the Decimal of its digits do not."""
    if isinstance(value, dict):
        return {key: exact(child) for key, child in value.items()}
    if isinstance(value, list):
        return [exact(child) for child in value]
    return (
        runtime.text_of(value),
        runtime.number_of(value),
        value if runtime.text_of(value) is None else isinstance(value, str),
    )


@laws
@given(some.json_texts)
@example("1" * 4000)
@example('{"a":1,"a":{"b":1.0,"b":-0}}')
def test_fast_slow_and_deep_decoding_give_the_same(text: str) -> None:
    by_json = json.loads(text, parse_float=jsontext._decimal, parse_int=jsontext._whole)
    assert exact(jsontext.decode(text)) == exact(by_json)
    assert exact(jsontext._decode_deep(text)) == exact(by_json)


@laws
@given(some.json_texts)
def test_encoded_values_decode_to_themselves(text: str) -> None:
    value = jsontext.decode(text)
    assert exact(jsontext.decode(jsontext.encode(value))) == exact(value)
    assert exact(jsontext.decode("".join(jsontext._pieces(value)))) == exact(value)


@pytest.mark.parametrize(
    "value", [Decimal("1.0"), {"a": [Decimal("1E+400")], "\ud800": []}, [[], {}, [1, {"é": None}]]]
)
def test_the_encoder_for_odd_values_is_compact_and_exact(value: Any) -> None:
    text = "".join(jsontext._pieces(value))
    assert jsontext.decode(text) == value
    assert " " not in text
    assert text.encode()
