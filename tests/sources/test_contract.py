"""What the engine asks of every source. A new source is one more line of SOURCES."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.servers import shared
from tests.servers.moto import Bucket
from tests.sources.contract_kafka import kafka
from tests.sources.contract_streams import follow, kinesis, stdin
from tests.sources.reading import read
from tests.sources.trail_buckets import minutes, open_bucket
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import RunContext, Source
from trailsieve.sources.files import FilesSource, list_files
from trailsieve.sources.memory import MemorySource
from trailsieve.trail.selection import Selection

PAYLOADS = [b'{"Records":[]}', b"\x1f\x8b no gzip", b"", b"\xff\xfe", b"x" * 100_000, b'{"Records":[]}']
LINES = [b'{"Records":[]}', b"\x1f\x8b no gzip", b"\xff\xfe", b"x" * 100_000, b"{}", b'{"Records":[]}']
PATIENCE = 100  # polls after which a source that has nothing would be waited for without end


def memory(folder: Path, payloads: Sequence[bytes]) -> Source:
    return MemorySource(
        [Message(payload, Position("shard", n), f"shard/{n}") for n, payload in enumerate(payloads, 1)],
        batch=2,
    )


def files(folder: Path, payloads: Sequence[bytes]) -> Source:
    for number, payload in enumerate(payloads):
        (folder / f"{number}.json").write_bytes(payload)
    return FilesSource(list_files([str(folder)]), RunContext(max_object_size=2**20), Selection())


def s3(folder: Path, payloads: Sequence[bytes]) -> Source:
    """One lane of a bucket; the folder's name is the bucket's, so that it can be opened once more."""
    moto = shared.get("moto")
    bucket = Bucket(moto.client("s3"), f"contract-{hash(folder) % 10**12}")
    bucket.s3.create_bucket(Bucket=bucket.name)
    bucket.fill({minutes(number)[0]: payload for number, payload in enumerate(payloads)})
    return open_bucket(moto, bucket)


@dataclass(frozen=True)
class Kind:
    """A source to be tested.

    Attributes:
        open: opens one that will yield these payloads; called again, it opens the same one once more.
        resumes: whether, started with positions, it leaves out what is before them.
        payloads: what it is to yield.
    """

    open: Callable[[Path, Sequence[bytes]], Source]
    resumes: bool
    payloads: Sequence[bytes] = field(default_factory=lambda: PAYLOADS)

    def make(self, folder: Path, payloads: Sequence[bytes]) -> Source:
        """Opens a source that is closed after the test."""
        _opened.append(self.open(folder, payloads))
        return _opened[-1]


_opened: list[Source] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """No test leaves a source open."""
    yield
    while _opened:
        _opened.pop().close()


SOURCES = {
    "memory": Kind(memory, resumes=True),
    "files": Kind(files, resumes=False),
    "s3": Kind(s3, resumes=True),
    "kinesis": Kind(kinesis, resumes=True),
    "follow": Kind(follow, resumes=True, payloads=LINES),
    "stdin": Kind(stdin, resumes=False, payloads=LINES),
    "kafka-confluent": Kind(kafka("confluent"), resumes=True),
    "kafka-python": Kind(kafka("kafka-python"), resumes=True),
}
NEEDS = {"s3": "moto", "kinesis": "kinesis", "kafka-confluent": "kafka", "kafka-python": "kafka"}
every_source = pytest.mark.parametrize("kind", shared.parameters(SOURCES, NEEDS))


def rest(source: Source) -> list[Message]:
    """All that the source still has."""
    messages: list[Message] = []
    for _ in range(PATIENCE):
        if source.exhausted:
            break
        messages += read(source, source.poll())
    return messages


@every_source
def test_payloads_come_in_order_exactly_as_they_arrived(kind: Kind, tmp_path: Path) -> None:
    source = kind.make(tmp_path, kind.payloads)
    source.start({})
    messages = rest(source)
    assert [message.payload for message in messages] == kind.payloads
    assert not any(message.problem for message in messages)
    assert len({message.name for message in messages}) == len(kind.payloads)
    assert all(message.name.isprintable() for message in messages)


@every_source
def test_a_source_without_messages_is_exhausted(kind: Kind, tmp_path: Path) -> None:
    source = kind.make(tmp_path, [])
    source.start({})
    assert rest(source) == []
    assert source.exhausted


@every_source
def test_what_is_exhausted_stays_so(kind: Kind, tmp_path: Path) -> None:
    source = kind.make(tmp_path, kind.payloads)
    source.start({})
    rest(source)
    assert source.exhausted
    assert list(source.poll()) == []
    assert source.exhausted


@every_source
def test_positions_never_go_back(kind: Kind, tmp_path: Path) -> None:
    source = kind.make(tmp_path, kind.payloads)
    source.start({})
    shards: dict[str, list[Any]] = {}
    for message in rest(source):
        shards.setdefault(message.position.shard, []).append(_place(message.position.offset))
    for offsets in shards.values():
        assert offsets == sorted(set(offsets))


def _place(offset: Offset) -> Offset:
    """A followed file's position is the byte and a checksum of what stands before it."""
    number, colon, _ = str(offset).partition(":")
    return int(number) if colon and number.isdigit() else offset


@every_source
@pytest.mark.parametrize("polls", range(len(PAYLOADS) + 1))
def test_a_restart_goes_on_behind_what_was_committed(kind: Kind, polls: int, tmp_path: Path) -> None:
    """At the least nothing is lost; a source that resumes does not yield anything twice either."""
    first = kind.make(tmp_path, kind.payloads)
    first.start({})
    done: list[Message] = []
    kept: dict[str, Offset] = {}
    for _ in range(polls):
        done += first.poll()
        first.commit([message.position for message in done])
        kept = {message.position.shard: message.position.offset for message in done}
    first.poll()  # and this is never committed
    first.close()
    second = kind.make(tmp_path, kind.payloads)
    second.start(kept)
    names = [message.name for message in rest(second)]
    whole = kind.make(tmp_path, kind.payloads)
    whole.start({})
    everything = [message.name for message in rest(whole)]
    assert names == (everything[len(done) :] if kind.resumes else everything)


@every_source
def test_positions_of_shards_that_are_gone_do_no_harm(kind: Kind, tmp_path: Path) -> None:
    source = kind.make(tmp_path, kind.payloads)
    source.start({"gone": 7, "gone-too": "a/name"})
    assert len(rest(source)) == len(kind.payloads)


@every_source
def test_a_sign_of_life_and_a_check_take_nothing(kind: Kind, tmp_path: Path) -> None:
    source = kind.make(tmp_path, kind.payloads)
    answer = source.check()
    assert answer
    assert answer.isprintable()
    source.start({})
    first = read(source, source.poll())
    source.keep_alive()
    source.commit([message.position for message in first])
    assert [message.payload for message in [*first, *rest(source)]] == kind.payloads


@every_source
@pytest.mark.parametrize("polls", [0, 1, PATIENCE])
def test_closing_twice_is_closing_once(kind: Kind, polls: int, tmp_path: Path) -> None:
    source = kind.make(tmp_path, kind.payloads)
    source.start({})
    for _ in range(polls):
        source.poll()
    source.close()
    source.close()
