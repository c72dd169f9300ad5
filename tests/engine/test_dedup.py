"""What was seen lately is known, what was seen long ago is forgotten, and memory is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailsieve.engine.dedup import RecentIds

HEX = st.sampled_from([f"{number:02x}" for number in range(9)] + ["x", "xyz"])


@given(ids=st.lists(HEX, max_size=60), capacity=st.integers(2, 10))
def test_the_last_half_is_known_and_what_is_known_was_seen(ids: list[str], capacity: int) -> None:
    seen = RecentIds(capacity)
    before: list[str] = []  # different ids, the last seen at the end
    for identity in ids:
        is_new = seen.add(identity)
        if identity in before[-(capacity // 2) :]:
            assert not is_new
        if identity not in before:
            assert is_new
        before = [other for other in before if other != identity] + [identity]


@pytest.mark.parametrize("capacity", [2, 1000])
def test_no_more_than_the_capacity_is_kept(capacity: int) -> None:
    seen = RecentIds(capacity)
    numbers = [f"{number:032x}" for number in range(3 * capacity)]
    assert all(map(seen.add, numbers))
    assert not any(map(seen.add, numbers[-capacity // 2 :]))
    assert all(map(seen.add, numbers[:capacity]))


def test_ids_that_are_no_hexadecimal_are_told_apart_from_those_that_are() -> None:
    seen = RecentIds()
    assert [seen.add(identity) for identity in ("61", "a", "61", "a", "\0a")] == [
        True,
        True,
        False,
        False,
        True,
    ]
