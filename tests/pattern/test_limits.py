"""What AWS refuses for its size is refused by default and taken with `limits=False`; our own limits stay."""

from __future__ import annotations

import pytest

import trailsieve
from trailsieve.pattern.limits import MAX_DEPTH, MAX_NESTING

WILD = " || ".join(f"$.{name}[*] = 1" for name in "abcd")


def nested(depth: int, inner: str = "$.a = 1") -> str:
    return "{ " + "(" * depth + inner + ")" * depth + " }"


def alternating(depth: int) -> str:
    """&& and || in each other, `depth` of them."""
    text = "$.a = 1"
    for level in range(depth):
        text = f"({text} {'&&' if level % 2 else '||'} $.b = 1)"
    return f"{{ {text} }}"


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("x" * 1025, "the pattern has 1025 characters; CloudWatch allows 1024", 1025),
        ("é" * 2000, "the pattern has 2000 characters; CloudWatch allows 1024", 1025),
        ("{ $.a = %x% || $.b = %y% || $.c = %z% }", "a pattern can have at most 2 regexes", 35),
        ("[a = %x%, b = %y% || b = %z%]", "a pattern can have at most 2 regexes", 26),
        ("{ $.a[*].b[*] = 1 }", "a selector can have at most one wildcard ([*] or .*)", 3),
        ("{ $.a = 1 && $.*.* NOT EXISTS }", "a selector can have at most one wildcard ([*] or .*)", 14),
        (f"{{ {WILD} }}", "a pattern can have at most 3 wildcard selectors", 45),
    ],
)
def test_limits_of_cloudwatch_are_on_by_default(text: str, message: str, column: int) -> None:
    with pytest.raises(trailsieve.PatternError) as caught:
        trailsieve.compile(text)
    assert (caught.value.message, caught.value.column) == (message, column)
    assert "limits=False" in caught.value.hint
    assert trailsieve.compile(text, limits=False).text == text


@pytest.mark.parametrize(
    "text",
    [
        "x" * 1024,
        '"' + "😀" * 1022 + '"',
        "{ $.a = %x% || $.b = %y% }",
        "{ $.a[*] = 1 || $.b.* = 1 || $.c[*] = 1 }",
        nested(200),
        nested(500),
    ],
    ids=len,
)
def test_what_stands_at_the_limit_is_taken(text: str) -> None:
    assert trailsieve.compile(text).text == text


@pytest.mark.parametrize("limits", [True, False])
def test_brackets_have_a_limit_of_our_own(limits: bool) -> None:
    with pytest.raises(trailsieve.PatternError, match=f"deeper than {MAX_NESTING}"):
        trailsieve.compile("{" + "(" * (MAX_NESTING + 1), limits=limits)


def test_brackets_at_our_limit_still_work() -> None:
    pattern = trailsieve.compile(nested(MAX_NESTING), limits=False)
    assert pattern.matches('{"a": 1}') is True


def test_alternation_works_at_our_limit_and_is_refused_beyond() -> None:
    pattern = trailsieve.compile(alternating(MAX_DEPTH), limits=False)
    assert pattern.matches('{"a": 1, "b": 1}') is True
    assert pattern.matches("{}") is False
    with pytest.raises(trailsieve.PatternError, match="alternate more than"):
        trailsieve.compile(alternating(MAX_DEPTH + 1), limits=False)


def test_a_long_pattern_without_limits_still_matches() -> None:
    text = "{ " + " || ".join(f"$.eventName = Name{number}" for number in range(500)) + " }"
    pattern = trailsieve.compile(text, limits=False)
    assert pattern.matches('{"eventName": "Name499"}') is True
    assert pattern.matches('{"eventName": "Name500"}') is False


def test_limits_hold_inside_brackets_of_strings_too() -> None:
    """Brackets in a quoted value are text, far below the limit."""
    assert trailsieve.compile('{ $.a = "((((((" }').matches('{"a": "(((((("}') is True
