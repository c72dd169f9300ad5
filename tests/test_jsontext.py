"""JSON is decoded without losing what a filter pattern can see, and what is no JSON is refused with its byte."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.errors import UnreadableError
from trailsieve.jsontext import decode, decode_object

DEPTH = 10_000  # beyond what the fast decoder and Python's own take
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def deep(text: str) -> str:
    """The text at the bottom of so many lists that only the slowest decoder takes it."""
    return "[" * DEPTH + text + "]" * DEPTH


def bottom(value: Any) -> Any:
    for _ in range(DEPTH):
        (value,) = value
    return value


@settings(max_examples=examples(40))
@given(value=VALUES, indent=st.sampled_from([None, 2]))
def test_the_slow_ways_agree_with_the_fast_one(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert decode(text) == decode(text.encode()) == value
    odd = decode(f'[{text}, "\\ud800"]')
    assert odd == [value, "\ud800"]
    assert bottom(decode(deep(text))) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0", Decimal("1.0")),
        ("1.10", Decimal("1.10")),
        ("-0.0", Decimal("-0.0")),
        ("0.1", Decimal("0.1")),
        ("1e3", Decimal("1e3")),
        ("1E-7", Decimal("1E-7")),
        ("3.141592653589793238462643383279502884197", Decimal("3.141592653589793238462643383279502884197")),
        ("9007199254740993", 9007199254740993),
        ("-18446744073709551617", -18446744073709551617),
        ("9" * 399, int("9" * 399)),
    ],
)
def test_numbers_keep_their_digits(text: str, value: int | Decimal) -> None:
    for found in (decode(text), decode(f'["\\ud800",{text}]')[1], bottom(decode(deep(text)))):
        assert (type(found), str(found)) == (type(value), str(value))


@pytest.mark.parametrize("digits", [400, 5_000, 100_000])
def test_a_very_long_whole_number_is_exact(digits: int) -> None:
    assert str(decode("9" * digits)) in {"9" * digits, str(Decimal("9" * digits))}
    assert decode("9" * digits) == Decimal("9" * digits)


@pytest.mark.parametrize(
    "text", ["1e99999999999999999999", "-1e99999999999999999999", "1e-99999999999999999999"]
)
def test_an_exponent_beyond_all_bounds_keeps_sign_and_side(text: str) -> None:
    number = decode(text)
    assert number.is_signed() == text.startswith("-")
    assert (number.adjusted() < 0) == ("e-" in text)


def test_of_duplicate_keys_the_last_counts() -> None:
    text = '{"a":1,"b":2,"a":3}'
    assert decode(text) == {"a": 3, "b": 2}
    assert decode(f'[{text},"\\ud800"]')[0] == {"a": 3, "b": 2}
    assert bottom(decode(deep(text))) == {"a": 3, "b": 2}


def test_bytes_that_are_no_utf8_become_the_replacement_character() -> None:
    assert decode(b'{"a\xff":"\xc3"}') == {"a\ufffd": "\ufffd"}


NOT_JSON = [
    "NaN",
    "Infinity",
    "-Infinity",
    "nul",
    "01",
    "1.",
    ".5",
    "+1",
    "'a'",
    "{a:1}",
    "[1,]",
    "[1 2]",
    '{"a" 1}',
]
NOT_JSON += [
    '{"a":1,}',
    "{1:2}",
    '"\\q"',
    '"\t"',
    '"open',
    "[",
    "{",
    "",
    "[1]]",
    "{}{}",
    "\ufeff{}",
    "// c\n1",
]


@pytest.mark.parametrize("text", NOT_JSON)
def test_what_is_no_json_is_refused_the_fast_and_the_slow_way(text: str) -> None:
    for given_text in (text, text.encode(), deep(text or ",")):
        with pytest.raises(UnreadableError, match=r"^not JSON: "):
            decode(given_text)


def test_the_byte_of_the_mistake_counts_bytes() -> None:
    for text in ('{"é😀":nul}', '{"é😀":nul}'.encode()):
        with pytest.raises(UnreadableError, match=r"byte 10$"):
            decode(text)
    with pytest.raises(UnreadableError, match=rf"byte {DEPTH}$"):
        decode(deep("nul"))


@pytest.mark.parametrize(
    ("text", "value"), [("{}", {}), ("[]", None), ("1", None), ("no", None), ('{"a":[]}', {"a": []})]
)
def test_only_an_object_is_an_object(text: str, value: dict[str, Any] | None) -> None:
    assert decode_object(text) == value
