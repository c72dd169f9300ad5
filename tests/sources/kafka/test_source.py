"""The Kafka source against a real broker, with both clients: what is committed, and what is read again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.servers.kafka import Kafka
from tests.servers.patience import until
from tests.sources.kafka.topic import CLIENTS, Topic, alive_until, new_topic, positions, read
from trailsieve.errors import SourceError
from trailsieve.model import Position
from trailsieve.sources.kafka.consumer import message_of
from trailsieve.sources.kafka.source import KafkaSource

PAYLOADS = [b'{"Records":[]}', b"\x1f\x8b no gzip", b"", b"\xff\xfe", b"x" * 100_000, b"last"]
MakeTopic = Callable[..., Topic]


@pytest.fixture(params=CLIENTS)
def make(request: pytest.FixtureRequest, kafka: Kafka) -> Iterator[MakeTopic]:
    """Makes topics that are read with one of the clients."""
    made: list[Topic] = []

    def topic(partitions: int = 1) -> Topic:
        made.append(new_topic(kafka, request.param, partitions))
        return made[-1]

    yield topic
    for each in made:
        each.close()


def more(source: KafkaSource, payloads: list[bytes]) -> int:
    """Polls once; how many there are now."""
    payloads += [message.payload for message in source.poll() if not message.marker]
    return len(payloads)


def test_payloads_come_in_order_exactly_as_they_arrived(make: MakeTopic) -> None:
    topic = make()
    topic.produce(PAYLOADS)
    source = topic.source()
    source.start({})
    messages = read(source, len(PAYLOADS))
    assert [message.payload for message in messages] == PAYLOADS
    assert [message.name for message in messages] == [f"{topic.name}/0@{n}" for n in range(6)]
    assert positions(messages) == [Position(f"{topic.name}/0", n + 1) for n in range(6)]
    assert not source.exhausted


def test_no_more_come_at_once_than_were_asked_for(make: MakeTopic) -> None:
    topic = make()
    topic.produce(PAYLOADS)
    source = topic.source(max_poll_records=2)
    source.start({})
    found: list[int] = []
    while sum(found) < len(PAYLOADS):
        found.append(len(source.poll()))
    assert max(found) <= 2


def test_nothing_is_committed_before_it_is_delivered(make: MakeTopic) -> None:
    topic = make()
    topic.produce(PAYLOADS)
    source = topic.source(max_poll_records=3)
    source.start({})
    first = read(source, 3)
    second = read(source, 3)
    assert topic.committed() == {}
    source.commit(positions(first))
    until(lambda: bool(source.poll()) or topic.committed() == {0: 3}, "the first was committed")
    source.commit(positions(second))
    until(lambda: bool(source.poll()) or topic.committed() == {0: 6}, "the second was committed")


def test_the_group_goes_on_where_it_stands(make: MakeTopic) -> None:
    topic = make()
    topic.produce(PAYLOADS)
    first = topic.source(max_poll_records=4)
    first.start({})
    first.commit(positions(read(first, 4)))
    first.poll()  # and this is never committed
    first.close()
    second = topic.source()
    second.start({})
    assert [message.payload for message in read(second, 2)] == PAYLOADS[4:]


@pytest.mark.parametrize("checkpoint", [2, 5])
def test_it_goes_on_where_checkpoint_or_group_stands_whichever_is_further(
    make: MakeTopic, checkpoint: int
) -> None:
    topic = make()
    topic.produce(PAYLOADS)
    first = topic.source()
    first.start({})
    read(first, 6)
    first.commit([Position(f"{topic.name}/0", 3)])
    first.close()
    second = topic.source()
    second.start({f"{topic.name}/0": checkpoint, "gone/7": 12, "other": "text"})
    begin = max(3, checkpoint)
    assert [message.payload for message in read(second, 6 - begin)] == PAYLOADS[begin:]


def test_latest_leaves_out_what_is_old_and_nothing_that_comes_after_the_first_start(make: MakeTopic) -> None:
    topic = make(partitions=2)
    topic.produce([b"old"])
    topic.produce([b"old"], partition=1)
    first = topic.source(start="latest")
    first.start({})
    until(lambda: topic.committed() == {0: 1, 1: 1} or bool(first.poll()), "the group had begun")
    first.close()  # before it read anything
    topic.produce([b"new"])
    second = topic.source(start="latest")
    second.start({})
    assert [message.payload for message in read(second, 1)] == [b"new"]


def test_a_checkpoint_past_the_end_of_a_topic_is_that_of_another_topic(make: MakeTopic) -> None:
    """A topic with the name of one that was deleted: its offsets begin at 0 again."""
    topic = make()
    topic.produce(PAYLOADS)
    source = topic.source()
    source.start({f"{topic.name}/0": 1_000_000})
    with pytest.raises(SourceError, match=r"the saved offset of .* is 1000000 and its end is 6"):
        read(source, 6)


def test_while_a_sink_refuses_membership_is_kept_and_nothing_is_read_again(make: MakeTopic) -> None:
    topic = make()
    topic.produce(PAYLOADS[:3])
    source = topic.source(session_timeout=2.0)
    source.start({})
    first = read(source, 3)
    topic.produce(PAYLOADS[3:])
    other = topic.source(group="clock")  # which a source of its own reads: time passes by its polls
    other.start({})
    polls = iter(range(8))
    alive_until(source, lambda: len(other.poll()) < 0 or next(polls) == 7, "several session times passed")
    source.commit(positions(first))
    assert [message.payload for message in read(source, 3)] == PAYLOADS[3:]
    assert topic.committed() == {0: 3}
    assert topic.said == []


def test_a_member_that_joins_in_mid_epoch_takes_nothing_away_that_is_lost(make: MakeTopic) -> None:
    topic = make(partitions=2)
    for number in (0, 1):
        topic.produce([b"%d.%d" % (number, n) for n in range(5)], number)
    one, two = topic.source(), topic.source()
    one.start({})
    two.start({})
    epoch = read(one, 10)  # in the hands of one while two joins
    seen: list[bytes] = []
    alive_until(one, lambda: more(two, seen) > 0, "two was given a partition")
    lost = {int(payload[:1]) for payload in seen}
    (buffered,) = {0, 1} - lost
    one.commit(positions(epoch))
    until(lambda: bool(one.poll()) or bool(topic.committed()), "what is ours was committed")
    assert topic.committed() == {buffered: 5}  # what the other owns is the other's to commit
    for number in (0, 1):
        topic.produce([b"%d.5" % number], number)
    assert [message.payload for message in read(one, 1)] == [b"%d.5" % buffered]
    until(lambda: more(two, seen) >= 6, "two read its partition")
    assert sorted(seen) == sorted(b"%d.%d" % (number, n) for number in lost for n in range(6))


def test_what_a_member_leaves_comes_to_us_from_where_it_stood_and_our_own_is_not_read_again(
    make: MakeTopic,
) -> None:
    topic = make(partitions=2)
    one, two = topic.source(), topic.source()
    one.start({})
    two.start({})
    for number in (0, 1):
        topic.produce([b"%d.%d" % (number, n) for n in range(5)], number)
    mine: list[bytes] = []
    theirs: list[bytes] = []

    def both() -> bool:
        for source, texts in ((one, mine), (two, theirs)):
            messages = source.poll()
            texts.extend(message.payload for message in messages)
            source.commit(positions(messages))
        return set(mine) | set(theirs) == {b"%d.%d" % (number, n) for number in (0, 1) for n in range(5)}

    until(both, "both partitions were read")
    topic.produce([b"0.5"], 0)
    topic.produce([b"1.5"], 1)
    epoch = read(one, 1)
    two.close()
    alive_until(one, lambda: True, "one was told")
    one.commit(positions(epoch))
    after = [message.payload for message in epoch]
    until(lambda: more(one, after) >= 2, "two's record came to one")
    assert {b"0.5", b"1.5"} <= set(after)
    assert len([payload for payload in after if payload == epoch[0].payload]) == 1


def test_a_broker_that_is_away_is_waited_for_and_spoken_of_once(make: MakeTopic, kafka: Kafka) -> None:
    topic = make()
    topic.produce(PAYLOADS[:3])
    source = topic.source()
    source.start({})
    first = read(source, 3)
    kafka.stop(0)
    try:
        until(lambda: bool(source.poll() or topic.said), "the source noticed")
        source.commit(positions(first))
        source.keep_alive()
        source.poll()
        assert len(topic.said) == 1
        assert "retrying" in topic.said[0]
    finally:
        kafka.restart(0)
    topic.produce(PAYLOADS[3:])
    assert [message.payload for message in read(source, 3)] == PAYLOADS[3:]
    assert topic.said[1:] == [f"Kafka at {kafka.bootstrap} is reachable again"]
    until(lambda: bool(source.poll()) or topic.committed() == {0: 3}, "the commit was made up for")


def test_a_source_waits_for_brokers_that_are_not_there_yet(make: MakeTopic, kafka: Kafka) -> None:
    topic = make()
    topic.produce(PAYLOADS)
    source = topic.source()
    kafka.stop(0)
    try:
        source.start({})
        assert list(source.poll()) == []
        source.keep_alive()
        assert list(source.poll()) == []
        assert len(topic.said) == 1
    finally:
        kafka.restart(0)
    assert len(read(source, 6)) == 6


def test_a_member_that_the_group_has_expelled_joins_again_and_commits_then(kafka: Kafka) -> None:
    topic = new_topic(kafka, "kafka-python")
    topic.produce(PAYLOADS[:3])
    source = topic.source()
    source.start({})
    first = read(source, 3)
    coordinator = source._consumer._consumer._coordinator  # type: ignore[union-attr]
    coordinator._generation = coordinator._generation.__class__(
        1, "no member", "range"
    )  # as after a long pause
    source.commit(positions(first))
    topic.produce(PAYLOADS[3:])
    assert [message.payload for message in read(source, 3)] == PAYLOADS[3:]
    until(lambda: bool(source.poll()) or topic.committed() == {0: 3}, "the commit was made up for")
    topic.close()


def test_closing_twice_is_closing_once(make: MakeTopic) -> None:
    topic = make()
    source = topic.source()
    source.close()
    source.start({})
    source.poll()
    source.close()
    source.close()


@pytest.mark.parametrize(("timestamp", "arrived"), [(1500, 1.5), (0, None), (-1, None), (None, None)])
def test_a_record_without_a_timestamp_has_no_arrival(timestamp: int | None, arrived: float | None) -> None:
    assert message_of("orders/3", 7, b"{}", timestamp).arrived == arrived
