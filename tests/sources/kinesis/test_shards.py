"""Which shards may be read and from where, whatever resharding and restarts did."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.model import GONE
from trailsieve.sources.kinesis.shards import SHARD_END, TRIM_HORIZON, Shard, Shards, shard_of

A, B = Shard("a", closed=True), Shard("b", closed=True)
A1, A2 = Shard("a1", ("a",)), Shard("a2", ("a",))
AB = Shard("ab", ("a", "b"))


class Told(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


def shards(offsets: dict[str, str] | None = None, first: str = "@then", told: Told | None = None) -> Shards:
    return Shards(offsets or {}, lambda shard: first, told if told is not None else Told())


def test_at_first_every_shard_begins_where_it_was_asked() -> None:
    chosen = shards()
    assert chosen.listed([A, A1, A2]) == [("a", "@then"), ("a1", "@then"), ("a2", "@then")]
    assert chosen.readable() == ["a"]


def test_later_ones_begin_with_their_first_record() -> None:
    chosen = shards({"a": "17"})
    assert chosen.listed([A, A1, A2]) == [("a1", TRIM_HORIZON), ("a2", TRIM_HORIZON)]
    assert chosen.listed([A, A1, A2]) == []


def test_children_wait_for_their_parents() -> None:
    chosen = shards()
    chosen.listed([A, B, AB])
    assert chosen.readable() == ["a", "b"]
    chosen.ended("b")
    assert chosen.readable() == ["a"]
    chosen.ended("a")
    assert chosen.readable() == ["ab"]


def test_a_parent_that_is_not_listed_is_not_waited_for() -> None:
    chosen = shards()
    chosen.listed([A1, AB, B])
    assert chosen.readable() == ["a1", "b"]
    chosen.ended("b")
    assert chosen.readable() == ["a1", "ab"]


def test_shards_that_are_gone_are_forgotten_and_unread_ones_named() -> None:
    told = Told()
    chosen = shards({"a": SHARD_END, "b": "17", "ab": "20"}, told=told)
    assert sorted(chosen.listed([AB])) == [("a", GONE), ("b", GONE)]
    assert chosen.offsets == {"ab": "20"}
    assert len(told) == 1
    assert "b is gone before all of it was read" in told[0]


def test_a_stream_made_anew_under_its_name_is_read() -> None:
    told = Told()
    chosen = shards({"a1": SHARD_END}, told=told)
    assert chosen.listed([A1]) == [("a1", TRIM_HORIZON)]
    assert chosen.readable() == ["a1"]
    assert "recreated" in told[0]


def test_what_list_shards_tells() -> None:
    sequence = {"StartingSequenceNumber": "1"}
    answer = {"ShardId": "s", "SequenceNumberRange": sequence}
    assert shard_of(answer) == Shard("s")
    merged = {**answer, "ParentShardId": "a", "AdjacentParentShardId": "b"}
    assert shard_of(merged) == Shard("s", ("a", "b"))
    closed = {**answer, "SequenceNumberRange": {**sequence, "EndingSequenceNumber": "2"}}
    assert shard_of(closed) == Shard("s", closed=True)


@st.composite
def histories(draw: st.DrawFn) -> list[Shard]:
    """A stream after some splits and merges."""
    listed = [Shard("s0"), Shard("s1")]
    for _ in range(draw(st.integers(0, 6))):
        still = [shard for shard in listed if not shard.closed]
        count = draw(st.integers(1, min(2, len(still))))
        parents = draw(st.permutations(still))[:count]
        listed = [Shard(s.id, s.parents, closed=True) if s in parents else s for s in listed]
        for _ in range(2 if count == 1 else 1):
            listed.append(Shard(f"s{len(listed)}", tuple(parent.id for parent in parents)))
    return listed


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=examples(100))
def test_every_shard_is_read_once_and_after_its_parents(history: list[Shard], chance: object) -> None:
    chosen = shards(first=TRIM_HORIZON)
    chosen.listed(history)
    read: list[str] = []
    while ready := [name for name in chosen.readable() if name not in read]:
        name = chance.choice(ready)  # type: ignore[attr-defined]
        shard = next(shard for shard in history if shard.id == name)
        assert set(shard.parents) <= set(read)
        read.append(name)
        if shard.closed:
            chosen.ended(name)
        chosen = shards(chosen.offsets)  # a restart
        chosen.listed(history)
    assert sorted(read) == sorted(shard.id for shard in history)
