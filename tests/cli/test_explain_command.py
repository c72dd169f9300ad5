"""`trailsieve explain`: a pattern in words, as a tree, as Python."""

from __future__ import annotations

import ast

import pytest

from tests.cli.console import trailsieve

PATTERN = '{ $.errorCode="AccessDenied*"&&$.eventName != "HeadBucket" }'
CANONICAL = '{ $.errorCode = "AccessDenied*" && $.eventName != "HeadBucket" }'


def test_it_begins_with_the_canonical_text() -> None:
    words, tree = (trailsieve("explain", *options, PATTERN) for options in ((), ("--tree",)))
    assert words.code == tree.code == 0
    assert words.lines[:2] == tree.lines[:2] == [CANONICAL, ""]
    assert words.lines != tree.lines


def test_words_tell_what_a_term_asks() -> None:
    text = trailsieve("explain", PATTERN).out.decode()
    assert "anything but" in text
    assert "false when absent" in text


def test_python_is_python() -> None:
    result = trailsieve("explain", "--python", PATTERN)
    assert any(isinstance(node, ast.FunctionDef) for node in ast.walk(ast.parse(result.out.decode())))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument"),
        (("--tree", "--python", "x"), "cannot be combined"),
        (("{ $.a == 1 }",), "a single `=`"),
    ],
)
def test_wrong_use_is_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    result = trailsieve("explain", *arguments)
    assert (result.code, result.out) == (2, b"")
    assert said in result.err
