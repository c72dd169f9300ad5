"""However a file of records is laid out, its records come out with their exact texts and in order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.errors import UnreadableError
from trailsieve.trail.cloudtrail import batches, is_plain_file, looks_like_lines, split

Layout = Callable[[list[bytes]], bytes]
A, B, C = b'{"eventName":"A"}', b'{ "eventName" : "B" }', rb'{"eventName":"}],{\"Records\":[","x":[{}]}'
decode_any: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[Any])


def plain(texts: list[bytes]) -> bytes:
    """As CloudTrail writes it."""
    return b'{"Records":[' + b",".join(texts) + b"]}"


LAYOUTS: dict[str, Layout] = {
    "plain": plain,
    "a newline behind": lambda texts: plain(texts) + b"\n",
    "blanks everywhere": lambda texts: b' { "Records" :\r\n[\t' + b" ,\n".join(texts) + b" ] } ",
    "a byte order mark": lambda texts: b"\xef\xbb\xbf" + plain(texts),
    "members in front": lambda texts: b'{"Owner":{"Records":[1]},"n":"Records",' + plain(texts)[1:],
    "a member behind": lambda texts: plain(texts)[:-1] + b',"Owner":"x"}',
    "a list": lambda texts: b"[" + b",".join(texts) + b"]",
    "one after another": b"".join,
    "one a line": b"\n".join,
    "a file for each, joined": lambda texts: b"".join(plain([text]) for text in texts),
    "a file for each, on lines": lambda texts: b"\n".join(plain([text]) for text in texts),
}


def read(data: bytes) -> tuple[list[bytes], list[str]]:
    """Texts and warnings by the way that the file's look asks for."""
    if not is_plain_file(data):
        found = split(data)
        return found.texts, [found.warning] if found.warning else []
    texts: list[bytes] = []
    warnings: list[str] = []
    for batch in batches(data, decode_any.decode):
        assert batch.first == len(texts) + 1
        assert len(batch) == len(batch.texts)
        if batch.events is not None:
            assert batch.events == [json.loads(text) for text in batch.texts]
        texts += batch.texts
        warnings += [batch.warning] if batch.warning else []
    return texts, warnings


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("texts", [[A], [A, B, C], [C, B, A, A]], ids=["one", "three", "four"])
def test_every_layout_gives_the_exact_texts(layout: Layout, texts: list[bytes]) -> None:
    assert read(layout(texts)) == (texts, [])


NAMES = st.sampled_from(["eventName", "eventVersion", "Records", "}],", '"', "\\"])
RECORDS = st.dictionaries(
    NAMES,
    st.recursive(
        st.text(max_size=5) | NAMES | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
)


@settings(max_examples=examples(80))
@given(records=st.lists(RECORDS, min_size=1, max_size=6), copies=st.sampled_from([1, 40, 500]))
def test_a_plain_file_of_any_size_gives_the_exact_texts(records: list[Any], copies: int) -> None:
    texts = [json.dumps(record, separators=(",", ":")).encode() for record in records] * copies
    assert read(plain(texts)) == (texts, [])


ODD = {
    "lone surrogate": rb'{"eventName":"\ud800"}',
    "no object": b"17",
    "no JSON": b'{"eventName":nul}',
    "deep": b'{"eventName":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a comma too many": b'{"eventName":1,}',
    "many digits": b'{"eventName":' + b"1" * 5_000 + b"}",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", [0, 1, 500, 999])
def test_an_odd_record_keeps_its_number_and_text(odd: bytes, place: int) -> None:
    texts = [b'{"eventName":"%d"}' % number for number in range(999)]
    texts.insert(place, odd)
    assert read(plain(texts)) == (texts, [])


@pytest.mark.parametrize("odd", [b"17", b"null", b'"s"', b"[]", b"true"])
def test_what_is_no_object_still_counts_as_a_record(odd: bytes) -> None:
    assert split(b'{"Records": [' + A + b"," + odd + b"]}").texts == [A, odd]


def test_of_two_lists_of_records_the_last_counts() -> None:
    assert split(b'{"Records": [' + A + b'], "Records": [' + B + b"]}").texts == [B]
    assert split(b'{"Records": [' + A + b'], "Records": [nul,' + B + b"]}").texts == [b"nul", B]


@pytest.mark.parametrize("whole", [0, 1, 3])
def test_a_file_that_is_cut_keeps_the_whole_records(whole: int) -> None:
    data = b'{"Records": [' + b"".join(A + b"," for _ in range(whole)) + b'{"eventName": "A'
    if whole:
        found = split(data)
        assert found.texts == [A] * whole
        assert found.warning == f"truncated JSON: it ends inside record {whole + 1}"
    else:
        with pytest.raises(
            UnreadableError, match=r"^truncated JSON: ends inside the value that begins at byte 0$"
        ):
            split(data)


REFUSED = {
    b" \n": "empty: no JSON",
    b'{"Records":{}}': "`Records` is not a list",
    b'{"Records":null}': "`Records` is not a list",
    b'{"Records":"[]"}': "`Records` is not a list",
    b'{"records":[]}': "JSON object without `Records`: not a CloudTrail file",
    b"{}": "JSON object without `Records`: not a CloudTrail file",
    b"17": "not JSON: it starts with '17'",
    b"PK\x03\x04": "not JSON: it starts with 'PK\\x03\\x04'",
    b"<html>hello</html>": "not JSON: it starts with '<html>hello</html>'",
    b"]": "not JSON: it starts with ']'",
}


@pytest.mark.parametrize(("data", "reason"), REFUSED.items(), ids=REFUSED.values())
def test_what_holds_no_record_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        split(data)
    assert caught.value.reason == reason


def test_what_comes_behind_readable_records_is_named() -> None:
    found = split(plain([A]) + b'{"no":"file"}')
    assert found.texts == [A]
    assert found.warning == "ignored the rest: JSON object without `Records`: not a CloudTrail file"


def test_an_object_without_records_is_one_where_any_object_is() -> None:
    assert split(b'{"a":1}', any_object=True).texts == [b'{"a":1}']
    assert split(plain([A]), any_object=True).texts == [A]


@pytest.mark.parametrize("name", ["eventName", "eventVersion", "eventID", "eventSource"])
def test_a_single_record_is_known_by_its_fields(name: str) -> None:
    text = b'{"%s":"x"}' % name.encode()
    assert split(text).texts == [text]


@pytest.mark.parametrize(
    ("first", "lines"),
    [
        (b'{"eventName":"A"}', True),
        (b"  {}", True),
        (b'\xef\xbb\xbf{"a":1}', True),
        (b"plain text", True),
        (b"17", True),
        (b'{"Records":null}', True),
        (b'{"Records":[]}', False),
        (b'{"Records":[', False),
        (b"{", False),
        (b"[", False),
        (b"[1]", False),
        (b"", False),
    ],
)
def test_the_first_line_tells_lines_from_a_document(first: bytes, lines: bool) -> None:
    assert looks_like_lines(first) == lines
