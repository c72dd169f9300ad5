"""Gzip comes apart into exactly its content, or is refused with a reason; never anything in between."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.errors import UnreadableError
from trailsieve.trail.compression import gunzip, is_gzip

CONTENT = b'{"Records":[' + b'{"eventName":"ConsoleLogin"},' * 50 + b"{}]}"


def test_only_the_magic_number_makes_gzip() -> None:
    assert is_gzip(gzip.compress(b""))
    assert not any(map(is_gzip, (b"", b"\x1f", b"{}", b"\x8b\x1f", b"PK\3\4")))


@settings(max_examples=examples(60))
@given(parts=st.lists(st.binary(max_size=2000), min_size=1, max_size=6), padding=st.integers(0, 600))
def test_members_are_joined_and_padding_is_silent(parts: list[bytes], padding: int) -> None:
    data = b"".join(gzip.compress(part, mtime=0) for part in parts) + bytes(padding)
    if any(parts):
        assert gunzip(data) == (b"".join(parts), "")
    else:
        with pytest.raises(UnreadableError, match=r"^empty: the gzip stream has no content$"):
            gunzip(data)


@pytest.mark.parametrize("members", [1, 3])
def test_every_truncation_is_refused(members: int) -> None:
    """Wherever it is cut but between two members, which nobody can tell from a whole file."""
    member = gzip.compress(CONTENT, mtime=0)
    data = member * members
    for end in range(2, len(data)):
        if end % len(member) > 1:
            with pytest.raises(UnreadableError, match=r"^truncated: the gzip stream ends early"):
                gunzip(data[:end])


def test_every_flipped_bit_of_the_trailer_is_refused() -> None:
    data = gzip.compress(CONTENT, mtime=0)
    for bit in range(64):
        damaged = bytearray(data)
        damaged[len(data) - 8 + bit // 8] ^= 1 << bit % 8
        with pytest.raises(UnreadableError, match=r"^damaged gzip: [A-Za-z]"):
            gunzip(bytes(damaged))


@pytest.mark.parametrize("rest", [b"x", b"garbage", b"\0\0\0garbage"])
def test_what_stands_behind_is_counted_in_a_warning(rest: bytes) -> None:
    content, warning = gunzip(gzip.compress(CONTENT) + rest)
    assert content == CONTENT
    assert warning == f"{len(rest.lstrip(bytes(1)))} bytes after the gzip data were ignored"


@pytest.mark.parametrize("members", [1, 2, 7])
def test_the_limit_holds_for_all_members_together(members: int) -> None:
    data, size = gzip.compress(CONTENT) * members, len(CONTENT) * members
    assert gunzip(data, size)[0] == CONTENT * members
    with pytest.raises(UnreadableError) as caught:
        gunzip(data, size - 1)
    assert caught.value.reason == (
        f"too big: more than {size - 1:,} bytes when decompressed; raise --max-object-size"
    )
