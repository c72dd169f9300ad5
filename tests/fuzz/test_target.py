"""The fuzz target holds on its own seeds, and finds what is broken."""

from __future__ import annotations

import pytest

from tests.fuzz import target
from trailsieve.pattern import runtime


def test_every_seed_holds() -> None:
    seeds = list(target.seeds())
    assert {seed[:1] for seed in seeds} == set(target.CHECKS)
    for seed in seeds:
        target.check(seed)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\xff", b"f\0\0\0\0", b"m{ $.a = 1 }", b"j" + b"[" * 2000, b"j\xff\xfe"]
)
def test_any_bytes_are_an_input(data: bytes) -> None:
    target.check(data)


@pytest.mark.parametrize(
    "data",
    [b'm{ $.a = "1" }\0{"a":1}', b'f{ $.a = "1" }\0\0\x00{"Records":[{"a":1}]}'],
    ids=["message", "file"],
)
def test_a_broken_predicate_is_found(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    target.check(data)
    from trailsieve.pattern import loader

    monkeypatch.setitem(loader._VOCABULARY, "equals", lambda value, text: value == text)
    assert runtime.equals(1, "1")
    with pytest.raises(AssertionError):
        target.check(data)
