"""Kinesis: every record of every shard, in the order of its key, whatever AWS answers."""

from __future__ import annotations

import itertools
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.servers.kinesis import Kinesis, Stream, create
from trailsieve.errors import SourceError
from trailsieve.model import GONE, Message, Offset
from trailsieve.ports import RunContext
from trailsieve.sources.kinesis.shards import SHARD_END
from trailsieve.sources.kinesis.source import Config, KinesisSource

PATIENCE = 200  # polls, of which none waits long by the tests' clock


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
def stream(kinesis: Kinesis) -> Iterator[Stream]:
    made = create(kinesis, f"trail-{uuid.uuid4().hex[:8]}")
    yield made
    made.client.delete_stream(StreamName=made.name)


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Opened:
    """A source of a stream of the local server, by a clock of its own."""

    def __init__(
        self,
        stream: Stream,
        positions: dict[str, Offset] | None = None,
        *,
        which: str = "",
        **settings: Any,
    ) -> None:
        self.clock = Clock()
        self.said: list[str] = []
        self.gauges: dict[str, float] = {}
        context = RunContext(self.said.append, gauge=self.gauges.__setitem__)
        settings = {
            "stream": which or stream.name,
            "endpoint_url": stream.client.meta.endpoint_url,
            **settings,
        }
        self.source = KinesisSource(
            Config(region="us-east-1", **settings), context, self.clock, self.clock.sleep
        )
        self.positions: dict[str, Offset] = dict(positions or {})
        self.calls: list[tuple[float, str]] = []
        self._data = self.source._data
        self.source._data = self  # every GetRecords passes here
        self.fault: Callable[[str], None] = lambda call: None

    def start(self) -> Opened:
        self.source.start(self.positions)
        return self

    def poll(self) -> list[Message]:
        """The records of one poll; markers and offsets go where a checkpoint keeps them."""
        messages = self.source.poll()
        for message in messages:
            self.positions[message.position.shard] = message.position.offset
        self.positions = {shard: offset for shard, offset in self.positions.items() if offset != GONE}
        return [message for message in messages if not message.marker]

    def take(self, count: int, polls: int = PATIENCE) -> list[bytes]:
        """Polls until so many records came."""
        taken: list[bytes] = []
        for _ in range(polls):
            taken += [message.payload for message in self.poll()]
            if len(taken) >= count:
                break
        return taken

    def get_records(self, **asked: Any) -> Any:
        self.calls.append((self.clock.now, asked["ShardIterator"]))
        self.fault("GetRecords")
        return self._data.get_records(**asked)

    def get_shard_iterator(self, **asked: Any) -> Any:
        self.fault("GetShardIterator")
        return self._data.get_shard_iterator(**asked)


def payloads(mark: str, count: int) -> list[bytes]:
    return [f"{mark}-{number:04}".encode() for number in range(count)]


def refusal(code: str, status: int = 400) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "so"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "GetRecords")


def test_records_come_in_order_with_names_and_positions(stream: Stream) -> None:
    sent = payloads("x", 1200)
    stream.put(sent, key="one")
    opened = Opened(stream).start()
    messages = opened.poll()
    assert [message.payload for message in messages] == sent
    sequences = [str(message.position.offset) for message in messages]
    assert sequences == sorted(sequences, key=int)
    shard = f"{stream.name}/shardId-000000000000"
    assert {message.position.shard for message in messages} == {shard}
    assert messages[0].name == f"{shard}@{sequences[0]}"
    assert opened.gauges["kinesis_lag_seconds"] >= 0


def test_split_and_merge_while_reading_keep_the_order_of_a_key(stream: Stream) -> None:
    opened = Opened(stream).start()
    sent: list[bytes] = []
    taken: list[bytes] = []
    for number, change in enumerate([lambda: None, stream.split, stream.split, stream.merge, stream.split]):
        change()
        part = payloads(f"part{number}", 100)
        stream.put(part)
        stream.put(mine := payloads(f"mine{number}", 100), key="one")
        sent += [*part, *mine]
        taken += opened.take(50, polls=3)  # and some are left over when the next change comes
    taken += opened.take(len(sent) - len(taken))
    assert Counter(taken) == Counter(sent)
    of_one_key = [payload for payload in taken if payload.startswith(b"mine")]
    assert of_one_key == [payload for payload in sent if payload.startswith(b"mine")]
    ended = [shard for shard, offset in opened.positions.items() if offset == SHARD_END]
    assert len(ended) == sum("EndingSequenceNumber" in s["SequenceNumberRange"] for s in stream.shards())


def test_a_restart_after_every_poll_loses_and_repeats_nothing(stream: Stream) -> None:
    sent, taken = payloads("a", 100), []
    stream.put(sent[:50])
    positions: dict[str, Offset] = {}
    for number in range(12):
        opened = Opened(stream, positions).start()
        taken += [message.payload for message in opened.poll()]
        positions = opened.positions
        opened.source.close()
        if number == 2:
            stream.split()
            stream.put(sent[50:])
        if number == 6:
            stream.merge()
    assert Counter(taken) == Counter(sent)


def test_a_poll_that_was_never_kept_comes_again(stream: Stream) -> None:
    stream.put(payloads("a", 10))
    first = Opened(stream).start()
    assert len(first.take(10)) == 10
    assert len(Opened(stream).start().take(10)) == 10


def test_latest_means_from_the_first_start_on_also_when_nothing_came_before_a_restart(stream: Stream) -> None:
    stream.split()
    opened = Opened(stream, start="latest").start()
    assert opened.poll() == []
    stream.put(sent := payloads("new", 20))  # while nobody reads
    again = Opened(stream, opened.positions, start="latest").start()
    assert Counter(again.take(20)) == Counter(sent)


def test_latest_leaves_out_what_was_there_and_takes_children_from_their_beginning(stream: Stream) -> None:
    opened = Opened(stream, start="2999-01-01T00:00:00Z").start()
    opened.positions = {}
    opened.poll()
    assert set(opened.positions.values()) == {"@2999-01-01T00:00:00+00:00"}
    stream.split()
    stream.put(sent := payloads("new", 20))
    shards = [f"{stream.name}/{shard['ShardId']}" for shard in stream.shards()]
    ended: dict[str, Offset] = {shards[0]: SHARD_END}
    again = Opened(stream, ended, start="2999-01-01T00:00:00Z").start()
    assert Counter(again.take(20)) == Counter(sent)


@pytest.mark.parametrize(
    "fault",
    [
        refusal("ExpiredIteratorException"),
        refusal("ProvisionedThroughputExceededException"),
        refusal("LimitExceededException"),
        refusal("KMSThrottlingException"),
        refusal("InternalFailure", 500),
        EndpointConnectionError(endpoint_url="http://x"),
    ],
    ids=lambda error: getattr(error, "response", {}).get("Error", {}).get("Code", type(error).__name__),
)
def test_what_passes_costs_time_only(stream: Stream, fault: Exception) -> None:
    stream.put(sent := payloads("a", 100))
    stream.split()
    stream.put(more := payloads("b", 100))
    opened = Opened(stream)
    chance = random.Random(1)

    def sometimes(call: str) -> None:
        if call == "GetRecords" and chance.random() < 0.6:
            raise fault

    opened.fault = sometimes
    taken = opened.start().take(200)
    assert Counter(taken) == Counter([*sent, *more])


def test_a_stream_that_cannot_be_reached_at_the_start_is_waited_for(stream: Stream) -> None:
    stream.put(sent := payloads("a", 10))
    opened = Opened(stream)
    listing, failures = opened.source._list_shards, iter(range(3))

    def list_shards() -> Any:
        if next(failures, None) is None:
            return listing()
        with opened.source._explained("ListShards"):
            raise EndpointConnectionError(endpoint_url="http://x")

    opened.source._list_shards = list_shards  # type: ignore[method-assign]
    assert Counter(opened.start().take(10)) == Counter(sent)
    assert len(opened.said) == 1
    assert opened.said[0].endswith("retrying")


def test_a_shard_that_stays_busy_is_asked_ever_less_often_and_named_once(stream: Stream) -> None:
    opened = Opened(stream).start()

    def busy(call: str) -> None:
        raise refusal("ProvisionedThroughputExceededException")

    opened.fault = busy
    began = opened.clock.now
    for _ in range(200):
        opened.poll()
    assert opened.clock.now - began > 100
    assert len(opened.said) == 1
    assert "ProvisionedThroughputExceededException" in opened.said[0]
    opened.fault = lambda call: None
    stream.put(payloads("a", 1))
    assert opened.take(1) == [b"a-0000"]
    assert "responds again" in opened.said[-1]


def test_the_limits_of_a_shard_are_kept(stream: Stream) -> None:
    opened = Opened(stream).start()
    stream.put([bytes(2**19)] * 8)  # 4 MiB
    assert len(opened.take(8)) == 8
    for _ in range(20):
        opened.poll()
    times = [time for time, _ in opened.calls]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(pauses) >= 0.2 - 1e-9
    assert max(pauses) >= 2  # 4 MiB at 2 MiB a second
    assert all(pause >= 1 - 1e-9 for pause in pauses[-10:])  # nothing to catch up with


def test_nothing_is_read_while_nobody_polls(stream: Stream) -> None:
    stream.put(payloads("a", 100))
    opened = Opened(stream).start()
    opened.poll()
    calls = len(opened.calls)
    for _ in range(100):
        opened.clock.sleep(1)
        opened.source.keep_alive()
    assert len(opened.calls) == calls


def test_a_place_that_the_shard_does_not_know_is_named_and_nothing_lost(stream: Stream) -> None:
    stream.put(sent := payloads("a", 10))
    positions: dict[str, Offset] = {f"{stream.name}/shardId-000000000000": "12345"}
    opened = Opened(stream, positions).start()
    assert opened.take(10) == sent
    assert "does not know sequence number 12345" in opened.said[-1]


def test_shards_that_are_gone_are_forgotten(stream: Stream) -> None:
    opened = Opened(stream, {f"{stream.name}/shardId-000000000009": SHARD_END, "other/shard": "1"}).start()
    opened.poll()
    assert set(opened.positions) == {f"{stream.name}/shardId-000000000000", "other/shard"}


@pytest.mark.parametrize(
    ("settings", "answers"),
    [
        ({"stream": "no-such-stream"}, ["no-such-stream", "ResourceNotFound", "is the name right"]),
        ({"region": "eu-west-1"}, ["in eu-west-1", "ResourceNotFound", "`region`"]),
        ({"endpoint_url": "http://127.0.0.1:9"}, ["Could not connect", "127.0.0.1:9"]),
        ({"profile": "no-such-profile"}, ["no-such-profile"]),
    ],
)
def test_errors_are_reported_with_a_remedy(
    stream: Stream, settings: dict[str, Any], answers: Sequence[str]
) -> None:
    url = stream.client.meta.endpoint_url
    config = {"stream": stream.name, "endpoint_url": url, "region": "us-east-1", **settings}
    with pytest.raises(SourceError) as error:
        KinesisSource(Config(**config), RunContext()).check()
    for answer in answers:
        assert answer in str(error.value)


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "KMSAccessDeniedException", "ExpiredTokenException"]
)
def test_what_a_person_must_mend_ends_the_run(stream: Stream, code: str) -> None:
    opened = Opened(stream).start()

    def denied(call: str) -> None:
        raise refusal(code)

    opened.fault = denied
    with pytest.raises(SourceError, match=f"{stream.name}.*{code}.*credentials"):
        opened.take(1)


def test_a_check_says_what_it_found_and_takes_a_name_or_an_arn(stream: Stream) -> None:
    stream.split()
    assert (
        Opened(stream).source.check()
        == f"stream {stream.name} in us-east-1: 2 open shards, records can be read"
    )
    about = stream.client.describe_stream_summary(StreamName=stream.name)["StreamDescriptionSummary"]
    opened = Opened(stream, which=about["StreamARN"])
    assert "2 open shards" in opened.source.check()
    stream.put(sent := payloads("a", 5))
    assert Counter(opened.start().take(5)) == Counter(sent)


def test_settings_are_checked() -> None:
    wrong: list[dict[str, Any]] = [{"start": "yesterday"}, {"parallel": 0}]
    for settings in wrong:
        with pytest.raises(ValueError, match=next(iter(settings))):
            Config(stream="s", **settings)
    Config(stream="s", start="2026-03-14")
