"""The forgiving scanner finds the same values as a decoder, and of a cut text the whole ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.trail import scan

TRICKY = ["", "]", "}", '"', "\\", '\\"', '}],{"Records":[', "a,b:c", "\u00e9\U0001f600", "\n\t", "\\\\"]
STRINGS = st.one_of(st.sampled_from(TRICKY), st.text(max_size=8))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), STRINGS)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from([None, 0, 3])


def json_is_whole(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def cut(data: bytes, spans: list[scan.Span]) -> list[Any]:
    return [json.loads(data[start:end]) for start, end in spans]


@settings(max_examples=examples(150))
@given(values=st.lists(VALUES, max_size=5), indent=INDENTS, ascii_only=st.booleans())
def test_values_one_after_another(values: list[Any], indent: int | None, ascii_only: bool) -> None:
    texts = [json.dumps(value, indent=indent, ensure_ascii=ascii_only) for value in values]
    data = " \n".join(texts).encode()
    assert cut(data, list(scan.values(data))) == values


@settings(max_examples=examples(150))
@given(values=st.lists(VALUES, max_size=5), indent=INDENTS)
def test_children_of_a_list(values: list[Any], indent: int | None) -> None:
    data = b"  " + json.dumps(values, indent=indent).encode() + b" tail"
    assert cut(data, list(scan.children(data, (2, len(data))))) == values


@settings(max_examples=examples(150))
@given(members=st.dictionaries(STRINGS, VALUES, max_size=5), value=VALUES, indent=INDENTS)
def test_the_member_of_a_name(members: dict[str, Any], value: Any, indent: int | None) -> None:
    members = {**members, "Records": value, "z": 1}
    data = json.dumps(members, indent=indent).encode()
    span = scan.member(data, (0, len(data)), b"Records")
    assert span is not None
    assert json.loads(data[span[0] : span[1]]) == value


@settings(max_examples=examples(100))
@given(values=st.lists(VALUES, max_size=5), data=st.data())
def test_of_a_list_that_is_cut_the_whole_children(values: list[Any], data: st.DataObject) -> None:
    text = json.dumps(values).encode()
    end = data.draw(st.integers(1, len(text) - 1))
    spans = scan.children(text[:end], (0, end))
    found: list[Any] = []
    with pytest.raises(scan.TruncatedError):
        found.extend(json.loads(text[start:stop]) for start, stop in spans)
    commas = [
        place
        for place in range(end)
        if text[place : place + 1] == b"," and json_is_whole(text[:place] + b"]")
    ]
    assert found == (json.loads(text[: commas[-1]] + b"]") if commas else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a":1}', None),
        (b'{"Records":1,"Records":[2]}', b"[2]"),
        (b'{"Records" : [2] }', b"[2]"),
        (b'{"x":{"Records":1}}', None),
        (b'{"x":"Records","y":2}', None),
        (b'{"Records":[1,{"a":2', b'[1,{"a":2'),
        (b'{"Records"', None),
        (b'{"Records":', None),
        (b'{"Record', None),
    ],
)
def test_the_last_member_of_a_name_even_of_a_cut_object(text: bytes, found: bytes | None) -> None:
    span = scan.member(text, (0, len(text)), b"Records")
    assert (text[span[0] : span[1]] if span else None) == found


@pytest.mark.parametrize(
    ("text", "start"),
    [(b'{"a":"}', 0), (b'{"a":1} [', 8), (b'[{"a":"\\"}]', 0), (b"1 2 {", 4), (b'{"a":[}', 0)],
)
def test_an_unclosed_value_is_named_by_its_first_byte(text: bytes, start: int) -> None:
    with pytest.raises(scan.TruncatedError, match=f"byte {start}") as caught:
        list(scan.values(text))
    assert caught.value.start == start


@pytest.mark.parametrize("text", [b"}", b"]]", b"} {}"])
def test_brackets_that_nobody_opened_are_values_of_their_own(text: bytes) -> None:
    spans = list(scan.values(text))
    assert b"".join(text[start:end] for start, end in spans) == text.replace(b" ", b"")


def test_any_depth() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert list(scan.values(deep)) == [(0, len(deep))]
    assert list(scan.children(b"[" + deep + b"]", (0, len(deep) + 2))) == [(1, len(deep) + 1)]
