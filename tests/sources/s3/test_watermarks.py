"""What a listed bucket says of how far it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.servers.moto import Bucket, Moto
from tests.sources.trail_buckets import minutes, open_bucket
from trailsieve.ports import RunContext
from trailsieve.sources.s3.source import S3Source


class Reader:
    """A source that lists a bucket again and again by a clock that ticks with each listing."""

    def __init__(self, moto: Moto, bucket: Bucket, **more: Any) -> None:
        self.clock: float | None = 1000.0
        self.came: list[str | float | None] = []
        context = RunContext(now=self._tick)
        self.source: S3Source = open_bucket(moto, bucket, context=context, poll_interval=0.01, **more)
        self.source.start({})

    def _tick(self) -> float | None:
        if self.clock is not None:
            self.clock += 1
        return self.clock

    def poll(self) -> list[str | float | None]:
        """Polls once; all that came so far: the minute of an object, the time of a watermark."""
        for message in self.source.poll():
            mark = message.watermark
            self.came.append(mark.time if mark else message.name.split("T02")[-1][:2])
            if not mark:
                self.source.commit([message.position])
        return self.came

    def until(self, wanted: Callable[[list[str | float | None]], bool]) -> list[str | float | None]:
        for _ in range(500):
            if wanted(self.poll()):
                return self.came
        raise AssertionError(f"never came: {self.came[-5:]}")

    def on(self, call: str, handler: Callable[..., Any]) -> None:
        self.source._listings[0].client.meta.events.register(f"before-call.s3.{call}", handler)

    def off(self, call: str, handler: Callable[..., Any]) -> None:
        self.source._listings[0].client.meta.events.unregister(f"before-call.s3.{call}", handler)


@pytest.fixture
def reader(moto: Moto) -> Iterator[Reader]:
    names = [*minutes(1, 2, 3), *minutes(4, 5, region="eu-west-1")]
    made = Reader(moto, moto.bucket(dict.fromkeys(names, b'{"Records":[]}')), threads=2)
    yield made
    made.source.close()


def away(**_: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="http://s3")


def test_the_end_comes_after_all_objects_of_the_listing(reader: Reader) -> None:
    came = reader.until(lambda came: 1001.0 in came)
    before = came[: came.index(1001.0)]
    assert sorted(map(str, before)) == ["01", "02", "03", "04", "05", "None"]


def test_each_listing_says_so_with_the_time_at_which_it_began(reader: Reader, moto: Moto) -> None:
    reader.until(lambda came: 1001.0 in came)
    listing = reader.source._listings[0]
    Bucket(listing.client, listing.url.split("/")[2]).put(minutes(6)[0], b'{"Records":[]}')
    came = reader.until(lambda came: "06" in came and isinstance(came[-1], float))
    assert came[-2] == "06"
    times = [said for said in came if isinstance(said, float)]
    assert times == sorted(set(times))
    assert times[-1] <= (reader.clock or 0)


def test_a_bucket_that_cannot_be_listed_says_nothing(reader: Reader) -> None:
    reader.on("ListObjectsV2", away)
    assert [reader.poll() for _ in range(5)][-1] == [None]
    reader.off("ListObjectsV2", away)
    came = reader.until(lambda came: isinstance(came[-1], float))
    before = [mark for mark in came if not isinstance(mark, float)]  # two listings may end in one poll
    assert sorted(map(str, before)) == ["01", "02", "03", "04", "05", "None"]


def test_nothing_is_said_while_the_clock_cannot_be_trusted(reader: Reader) -> None:
    reader.clock = None
    came = reader.until(lambda came: len(came) == 6)
    assert [reader.poll() for _ in range(5)][-1] == came
    assert sorted(map(str, came)) == ["01", "02", "03", "04", "05", "None"]
