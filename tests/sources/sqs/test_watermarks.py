"""What the queue's source says of how far it has read."""

from __future__ import annotations

import pytest

from tests.servers.moto import Bucket, Moto, Queue
from tests.servers.patience import until
from trailsieve.model import Message
from trailsieve.ports import RunContext
from trailsieve.sources.sqs import receiver
from trailsieve.sources.sqs.source import Config, SqsSource, open_source


@pytest.fixture(autouse=True)
def _short_long_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "_LONG_POLL", 1)


class Reader:
    """Polls, and keeps what came: names of objects, and times of watermarks."""

    def __init__(self, source: SqsSource) -> None:
        self.source = source
        self.came: list[str | float | None] = []

    def poll(self) -> list[str | float | None]:
        for message in self.source.poll():
            self.came.append(_told(message))
        return self.came


def _told(message: Message) -> str | float | None:
    return message.watermark.time if message.watermark else message.name.rpartition("/")[2]


def opened(moto: Moto, queue: Queue, bucket: Bucket) -> Reader:
    config = Config(
        queue_url=queue.url,
        endpoint_url=moto.url,
        region="us-east-1",
        visibility_timeout=30,
        buckets=(bucket.name,),
        key_layout="any",
    )
    source = open_source(config, RunContext(now=lambda: 1000.0))
    source.start({})
    return Reader(source)


def _objects(moto: Moto, count: int) -> tuple[Bucket, list[str]]:
    names = [f"{number}.json" for number in range(count)]
    return moto.bucket(dict.fromkeys(names, b'{"Records":[]}')), names


def test_the_queue_is_told_first_and_its_end_after_the_last_object(moto: Moto) -> None:
    queue = moto.queue()
    bucket, names = _objects(moto, 25)
    queue.tell(bucket, names)
    reader = opened(moto, queue, bucket)
    try:
        until(lambda: 1000.0 in reader.poll(), "the end of the queue was told")
    finally:
        reader.source.close()
    assert reader.came[0] is None
    end = next(n for n, told in enumerate(reader.came) if isinstance(told, float))
    assert {told for told in reader.came[:end] if isinstance(told, str)} == set(names)


def test_a_message_in_flight_elsewhere_keeps_alarms_waiting(moto: Moto) -> None:
    queue = moto.queue(visibility=30)
    bucket, names = _objects(moto, 1)
    queue.tell(bucket, names)
    taken = queue.sqs.receive_message(QueueUrl=queue.url, VisibilityTimeout=30)["Messages"]
    reader = opened(moto, queue, bucket)
    try:
        for _ in range(6):
            reader.poll()
        assert reader.came == [None]
        queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=taken[0]["ReceiptHandle"])
        until(lambda: 1000.0 in reader.poll(), "the end of the queue was told")
    finally:
        reader.source.close()
