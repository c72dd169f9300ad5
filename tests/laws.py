"""The laws of patterns and JSON, each as a check that raises AssertionError: for random and for fuzzed input."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

import trailsieve
from trailsieve import jsontext
from trailsieve.engine.decode import Decoded
from trailsieve.engine.matcher import Matcher
from trailsieve.errors import PatternError, UnreadableError
from trailsieve.model import Match, Problem
from trailsieve.pattern import interpret, parser, quick, runtime
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import JsonPattern, Pattern
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render
from trailsieve.rules.rule import Rule
from trailsieve.trail import cloudtrail

# --- the language ---


def check_text(text: str, *, limits: bool) -> FilterPattern | None:
    """Any text compiles, or the error points into it. What compiles is kept by `render`."""
    check_quick(text)
    try:
        pattern = trailsieve.compile(text, limits=limits)
    except PatternError as error:
        _check_error(error, text)
        return None
    check_rendering(pattern.tree)
    check_source(pattern.python_source)
    return pattern


def _check_error(error: PatternError, text: str) -> None:
    assert 1 <= error.column <= len(text) + 1
    assert error.message
    assert error.message in str(error)
    _, found, proposed = error.hint.partition("did you mean: ")
    assert not found or trailsieve.compile(proposed).text == proposed != text


def check_rendering(tree: Pattern) -> None:
    """Parsing the text of a tree gives an equal tree, and that has the same text."""
    text = render(tree)
    parsed = parse(text, limits=False)
    assert parsed == tree
    assert render(parsed) == text


def check_quick(text: str) -> None:
    """What the quick reader takes, the grammar reads alike: nodes, texts and places."""
    found = quick.read_pattern(text)
    assert found is None or repr(found) == repr(parser.by_grammar(text))
    selector = quick.read_selector(text)
    assert selector is None or repr(selector) == repr(parser.selector_by_grammar(text))


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
    """Generated code is made of few kinds of nodes, names and constants: a pattern never becomes code."""
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


# --- the meaning ---

SURROGATE = re.compile("[\ud800-\udfff]")  # bytes cannot hold it; as a JSON escape they can


def compiled(tree: Pattern) -> FilterPattern:
    return trailsieve.compile(render(tree), limits=False)


def interpreted(tree: Pattern, message: str) -> bool:
    if isinstance(tree, JsonPattern):
        record = jsontext.decode_object(message)
        return record is not None and interpret.matches_record(tree, record)
    return interpret.matches_text(tree, message)


def check_meaning(pattern: FilterPattern, message: str) -> None:
    """Predicate, interpreter and explanation say the same."""
    wanted = interpreted(pattern.tree, message)
    assert pattern.matches(message) is wanted
    if not SURROGATE.search(message):
        assert pattern.matches(message.encode()) is wanted
    assert [match.event_message for match in pattern.test([message])] == [message] * wanted
    explanation = pattern.explain(message)
    assert explanation.matched is wanted
    assert str(explanation).startswith("✓" if wanted else "✗")


# --- whole files ---

Found = list[tuple[int, int, bytes]]  # number of the record, number of the pattern, the record's text


def by_interpreter(patterns: list[JsonPattern], texts: list[bytes]) -> Found:
    records = [(number, text, jsontext.decode_object(text)) for number, text in enumerate(texts, 1)]
    return [
        (number, which, text)
        for number, text, record in records
        for which, pattern in enumerate(patterns)
        if record is not None and interpret.matches_record(pattern, record)
    ]


def by_matcher(
    patterns: list[JsonPattern], data: bytes, block: int | None = None
) -> tuple[Found, list[Problem]]:
    """What the fused patterns find in a file that is decoded in blocks of that size."""
    rules = [Rule(str(number), "", "low", compiled(pattern)) for number, pattern in enumerate(patterns)]
    decoded = Decoded("trail.json", data)
    with pytest.MonkeyPatch.context() as patch:
        if block is not None:
            patch.setattr(cloudtrail, "_BLOCK", block)
        results = list(Matcher(rules).match(decoded))
    found = [(m.record.index, int(m.rule.id), m.record.text) for m in results if isinstance(m, Match)]
    return found, [r for r in results if isinstance(r, Problem)] + decoded.problems


# --- JSON ---


def exact(value: Any) -> Any:
    """What patterns see of a value: 1, 1.0 and true differ, an int and the Decimal of its digits do not."""
    if isinstance(value, dict):
        return {key: exact(child) for key, child in value.items()}
    if isinstance(value, list):
        return [exact(child) for child in value]
    text = runtime.text_of(value)
    return text, runtime.number_of(value), value if text is None else isinstance(value, str)


def check_json(text: str) -> None:
    """The fast, the slow and the deep decoder and Python's own agree; what they decode, `encode` keeps."""
    value = _decoded(jsontext.decode, text)
    assert value == _decoded(jsontext._decode_deep, text)
    assert value == _decoded(_by_python, text)
    if value is not None:
        decoded = jsontext.decode(text)
        assert exact(jsontext.decode(jsontext.encode(decoded))) == value
        assert exact(jsontext.decode("".join(jsontext._pieces(decoded)))) == value


def _decoded(decode: Any, text: str) -> Any:
    """None when it is refused."""
    try:
        return exact(decode(text))
    except UnreadableError:
        return None


def _by_python(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_float=jsontext._decimal,
            parse_int=jsontext._whole,
            parse_constant=jsontext._no_constant,
        )
    except json.JSONDecodeError as error:
        raise UnreadableError(str(error)) from None
