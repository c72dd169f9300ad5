"""What was seen lately is known, what was seen long ago is forgotten, and memory is bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailsieve.flow.seen import RecentIds


@given(ids=st.lists(st.sampled_from("abcdefgh"), max_size=60), capacity=st.integers(1, 10))
def test_the_last_new_ids_are_known(ids: list[str], capacity: int) -> None:
    seen = RecentIds(capacity)
    known: list[str] = []
    for identity in ids:
        assert seen.add(identity) == (identity not in known)
        if identity not in known:
            known = [*known, identity][-capacity:]


@pytest.mark.parametrize("capacity", [1, 2, 1000])
def test_exactly_the_capacity_is_kept(capacity: int) -> None:
    seen = RecentIds(capacity)
    assert all(seen.add(str(number)) for number in range(3 * capacity))
    assert not any(seen.add(str(number)) for number in range(2 * capacity, 3 * capacity))
    assert seen.add(str(2 * capacity - 1))
