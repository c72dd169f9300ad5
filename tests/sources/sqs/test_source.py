"""What a queue as a source promises: every envelope is removed, nothing is deleted early, nothing is left for ever."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.servers.moto import Bucket, Moto, Queue, archive, s3_notification
from tests.servers.patience import until
from tests.sources.kill_report import add_row
from tests.sources.reading import read
from tests.sources.service import KILLS, SAMPLE_RECORDS, Service, expected
from tests.sources.trail_buckets import BODY, minutes, trail
from trailsieve.errors import SourceError
from trailsieve.model import Message
from trailsieve.ports import RunContext
from trailsieve.sources.sqs import receiver
from trailsieve.sources.sqs.source import Config, SqsSource, open_source

RECORD = '{"eventVersion":"1.08","eventName":"ListUsers","eventID":"1"}'


class Opened:
    """A source over a queue, and what it said and skipped."""

    def __init__(self, moto: Moto, queue: Queue, **more: Any) -> None:
        self.queue = queue
        self.said: list[str] = []
        self.skipped: Counter[str] = Counter()
        context = RunContext(self.said.append, 2**20, skip=lambda reason: self.skipped.update([reason]))
        settings = {"visibility_timeout": 30, "endpoint_url": moto.url, "region": "us-east-1", **more}
        self.source: SqsSource = open_source(Config(queue_url=queue.url, **settings), context)
        self.source.start({})

    def next(self, count: int) -> list[Message]:
        """So many messages, and not one more in the same poll."""
        messages: list[Message] = []

        def enough() -> bool:
            messages.extend(read(self.source, self.source.poll()))
            return len(messages) >= count

        until(enough, f"{count} messages came, not {len(messages)}")
        assert len(messages) == count
        return messages

    def commit(self, messages: Sequence[Message]) -> None:
        self.source.commit([message.position for message in messages])

    def empty(self) -> None:
        """Waits until the queue holds nothing, neither to be received nor in flight."""

        def nothing() -> bool:
            assert not self.source.poll()
            return self.queue.counts() == (0, 0)

        until(nothing, "the queue was empty")


@pytest.fixture(autouse=True)
def _short_long_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source ends when its last long poll does."""
    monkeypatch.setattr(receiver, "_LONG_POLL", 1)


@pytest.fixture
def bucket(moto: Moto) -> Bucket:
    return moto.bucket(trail(minutes(1, 2, 3)))


@pytest.fixture
def opened(moto: Moto, bucket: Bucket) -> Iterator[Opened]:
    opened = Opened(moto, moto.queue(), buckets=(bucket.name,))
    yield opened
    opened.source.close()


def sns(message: str) -> str:
    return json.dumps(
        {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:x", "Message": message}
    )


def eventbridge(bucket: str, key: str) -> str:
    """The key is as it is, not encoded."""
    detail = {"version": "0", "bucket": {"name": bucket}, "object": {"key": key, "size": 5}}
    return json.dumps({"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": detail})


def cloudtrail_notification(bucket: str, *keys: str) -> str:
    return json.dumps({"s3Bucket": bucket, "s3ObjectKey": keys})


WRAPPERS = {
    "S3": s3_notification,
    "SNS of S3": lambda bucket, key: sns(s3_notification(bucket, key)),
    "EventBridge": eventbridge,
    "SNS of EventBridge": lambda bucket, key: sns(eventbridge(bucket, key)),
    "CloudTrail": cloudtrail_notification,
    "SNS of CloudTrail": lambda bucket, key: sns(cloudtrail_notification(bucket, key)),
    "completed upload": lambda bucket, key: s3_notification(
        bucket, key, name="ObjectCreated:CompleteMultipartUpload"
    ),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("key", [minutes(1)[0], f"a b/ünï+code 100%/{minutes(1)[0]}"])
def test_every_wrapper_leads_to_the_object(wrap: Any, key: str, bucket: Bucket, opened: Opened) -> None:
    bucket.put(key, BODY)
    opened.queue.send(wrap(bucket.name, key))
    (message,) = opened.next(1)
    assert (message.name, message.payload, message.problem) == (f"{bucket.url}/{key}", BODY, "")
    assert opened.queue.counts() == (0, 1)
    opened.commit([message])
    opened.empty()


def test_a_topic_of_sns_delivers_wrapped_and_raw(moto: Moto, bucket: Bucket, opened: Opened) -> None:
    topic_of = moto.client("sns")
    for raw in ("false", "true"):
        topic = topic_of.create_topic(Name=f"trail-{raw}-{bucket.name}")["TopicArn"]
        arn = f"arn:aws:sqs:us-east-1:123456789012:{opened.queue.url.rpartition('/')[2]}"
        topic_of.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": raw}
        )
        topic_of.publish(TopicArn=topic, Message=cloudtrail_notification(bucket.name, *minutes(1)))
    messages = opened.next(2)
    assert [message.payload for message in messages] == [BODY, BODY]
    opened.commit(messages)
    opened.empty()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}', "control message"),
        (s3_notification("b", "k.json", name="ObjectRemoved:Delete"), "control message"),
        ('{"Type":"SubscriptionConfirmation","Message":"x"}', "control message"),
        (
            s3_notification(
                "b",
                "AWSLogs/1/x/111122223333_CloudTrail-Digest_us-east-1_t_us-east-1_20260314T030512Z.json.gz",
            ),
            "digest file",
        ),
        (s3_notification("b", "notes.md"), "not a log file"),
        (sns('{"Event":"s3:TestEvent"}'), "control message"),
    ],
)
def test_what_names_nothing_to_read_is_deleted_and_counted(body: str, reason: str, opened: Opened) -> None:
    opened.queue.send(body)
    opened.empty()
    assert opened.skipped == {reason: 1}


def test_records_in_the_message_itself_are_read(opened: Opened) -> None:
    event = f'{{"version":"0","detail-type":"AWS API Call via CloudTrail","detail":{RECORD}}}'
    opened.queue.send(event)
    (message,) = opened.next(1)
    assert message.payload == b'{"Records":[' + RECORD.encode() + b"]}"
    assert len(opened.said) == 1
    assert "read-only management events" in opened.said[0]
    opened.commit([message])
    opened.empty()


POISON = {
    "plain text": "hello",
    "no object": "[1, 2",
    "other JSON": '{"some": "thing"}',
    "empty object": "{}",
    "a number": "17",
    "deep": "[" * 5000,
    "no bucket": '{"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{"object":{"key":"k"}}}]}',
    "bucket of another type": '{"s3Bucket":[],"s3ObjectKey":["k.json"]}',
    "keys of another type": '{"s3Bucket":"b","s3ObjectKey":{"k":1}}',
    "half base64": base64.b64encode(b"\x1f\x8b broken").decode(),
    "escapes": '{"\\u0000\\u001b[31m": "\\ud800"}',
    "another EventBridge": '{"detail-type":"EC2 Instance State-change","detail":{}}',
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON)
def test_an_unknown_body_is_a_problem_with_its_text_and_then_deleted(body: str, opened: Opened) -> None:
    opened.queue.send(body)
    (message,) = opened.next(1)
    assert message.problem
    assert message.payload
    assert opened.queue.counts() == (0, 1)
    opened.commit([message])
    opened.empty()


MANY_PARTS = {
    "objects": '{"a":1}' * 2000,
    "records that are none": '{"Records":[' + ",".join(['{"a":1}', '{"eventName":1}'] * 1000) + "]}",
}


@pytest.mark.parametrize("body", MANY_PARTS.values(), ids=MANY_PARTS)
def test_a_body_of_many_bad_parts_is_one_problem(body: str, opened: Opened) -> None:
    opened.queue.send(body)
    opened.queue.send(RECORD)
    messages: list[Message] = []

    def is_read() -> bool:
        messages.extend(opened.source.poll())
        return any(RECORD.encode() in message.payload for message in messages) and any(
            message.problem for message in messages
        )

    until(is_read, "both were read")
    (problem,) = (message for message in messages if message.problem)
    assert (problem.payload, "parts cannot be read" in problem.problem) == (body.encode(), True)
    opened.commit(messages)
    opened.empty()


@pytest.mark.parametrize(
    "body",
    [
        cloudtrail_notification("", "k.json"),
        cloudtrail_notification("../..", "k.json"),
        cloudtrail_notification("no-such-bucket-anywhere", "k.json"),
        '{"s3Bucket":"trail","s3ObjectKey":["\\ud800.json"]}',
    ],
)
def test_an_object_with_an_impossible_name_is_a_problem(body: str, opened: Opened) -> None:
    opened.queue.send(body)
    (message,) = opened.next(1)
    assert message.problem
    opened.commit([message])
    opened.empty()


def test_an_object_that_was_deleted_meanwhile_leaves_its_notification_as_dead_letter(
    bucket: Bucket, opened: Opened
) -> None:
    notification = s3_notification(bucket.name, *minutes(1, 9))
    opened.queue.send(notification)
    found = {message.name: message for message in opened.next(2)}
    gone = found[f"{bucket.url}/{minutes(9)[0]}"]
    assert gone.problem.startswith("gone: ")
    assert gone.payload.decode() == notification
    opened.commit(list(found.values()))
    opened.empty()


def test_a_message_is_deleted_only_when_all_its_objects_are_committed(bucket: Bucket, opened: Opened) -> None:
    opened.queue.send(s3_notification(bucket.name, *minutes(1, 2, 3)))
    messages = opened.next(3)
    for message in messages[:2]:
        opened.commit([message])
        opened.source.poll()
        assert opened.queue.counts() == (0, 1)
    opened.commit(messages[2:])
    opened.empty()


def test_work_may_take_longer_than_the_visibility_timeout(moto: Moto, bucket: Bucket) -> None:
    """Two readers of one queue: what one works on is extended for as long as it works, and the other gets none."""
    queue = moto.queue()
    slow, other = (Opened(moto, queue, visibility_timeout=2, buckets=(bucket.name,)) for _ in range(2))
    queue.tell(bucket, minutes(1))
    messages = slow.next(1)
    for _ in range(5):  # each waits a second
        assert list(other.source.poll()) == []
    slow.commit(messages)
    slow.empty()
    assert slow.said == other.said == []
    slow.source.close()
    other.source.close()


def test_a_message_that_comes_again_in_mid_work_is_not_worked_on_twice(
    bucket: Bucket, opened: Opened
) -> None:
    opened.queue.tell(bucket, minutes(1))
    messages = opened.next(1)
    (message,) = opened.source._leases._leased.values()
    _show_again(opened, message.receipt_handle)
    until(lambda: not opened.source.poll() and opened.queue.counts() == (0, 1), "it was received again")
    opened.commit(messages)
    opened.empty()


def test_a_message_that_comes_again_after_its_end_is_deleted_unread(bucket: Bucket, opened: Opened) -> None:
    """Its deletion was lost on the way."""
    opened.queue.tell(bucket, minutes(1))
    messages = opened.next(1)
    (message,) = opened.source._leases._leased.values()
    opened.source._leases._leased.clear()
    opened.source._leases._remember(message.message_id)
    _show_again(opened, message.receipt_handle)
    opened.empty()
    assert messages


def _show_again(opened: Opened, handle: str) -> None:
    opened.queue.sqs.change_message_visibility(
        QueueUrl=opened.queue.url, ReceiptHandle=handle, VisibilityTimeout=0
    )


def test_what_comes_too_late_is_said_and_ends_nothing(bucket: Bucket, opened: Opened) -> None:
    opened.queue.tell(bucket, minutes(1))
    messages = opened.next(1)
    (message,) = opened.source._leases._leased.values()
    message.receipt_handle = "AQEBnone"
    opened.commit(messages)
    until(lambda: bool(opened.said), "it was said")
    assert "cannot be deleted: ReceiptHandleIsInvalid" in opened.said[0]
    assert "it will be received again" in opened.said[0]
    assert not opened.source.poll()


def test_closing_gives_back_what_was_not_committed(moto: Moto, bucket: Bucket) -> None:
    queue = moto.queue()
    queue.tell(bucket, minutes(1, 2, 3))
    first = Opened(moto, queue, visibility_timeout=600, buckets=(bucket.name,))
    messages = first.next(3)
    first.commit(messages[:1])
    first.source.close()
    assert queue.counts() == (2, 0)
    second = Opened(moto, queue, buckets=(bucket.name,))
    assert {message.name for message in second.next(2)} == {message.name for message in messages[1:]}
    second.source.close()


def test_a_check_says_what_is_there(opened: Opened, bucket: Bucket) -> None:
    opened.queue.tell(bucket, minutes(1, 2))
    answer = opened.source.check()
    assert answer == f"{opened.queue.url}: 2 messages, 0 in flight; it has no dead-letter queue"
    assert opened.queue.counts() == (2, 0)


@pytest.mark.parametrize(
    ("operation", "code", "text"),
    [
        (
            "GetQueueAttributes",
            "AWS.SimpleQueueService.NonExistentQueue",
            "is the queue's URL right, and `region`",
        ),
        ("GetQueueAttributes", "AccessDenied", "sqs:GetQueueAttributes.*the credentials lack the permission"),
        ("GetQueueAttributes", "ExpiredToken", "the credentials have expired"),
        ("DeleteMessage", "AccessDenied", "sqs:DeleteMessage.*the credentials lack the permission"),
        ("ChangeMessageVisibility", "AccessDenied", "sqs:ChangeMessageVisibility.*the credentials lack"),
    ],
)
def test_a_check_says_what_was_refused_and_what_to_do(
    operation: str, code: str, text: str, opened: Opened
) -> None:
    _refuse(opened, operation, code)
    with pytest.raises(SourceError, match=text):
        opened.source.check()


def test_a_queue_that_may_not_be_read_ends_the_run(opened: Opened) -> None:
    _refuse(opened, "ReceiveMessage", "AccessDenied")
    with pytest.raises(SourceError, match=r"cannot be read \(sqs:ReceiveMessage\).*lack the permission"):
        opened.next(1)


def test_a_queue_that_is_not_there_ends_the_run(moto: Moto) -> None:
    opened = Opened(moto, Queue(None, f"{moto.url}/123456789012/not-there"), buckets=("b",))
    with pytest.raises(SourceError, match="is the queue's URL right, and `region`"):
        opened.next(1)
    opened.source.close()


def _refuse(opened: Opened, operation: str, code: str) -> None:
    from botocore.exceptions import ClientError

    def refuse(**_: Any) -> None:
        response: Any = {
            "Error": {"Code": code, "Message": "no"},
            "ResponseMetadata": {"HTTPStatusCode": 403},
        }
        raise ClientError(response, operation)

    opened.source._client.meta.events.register(f"before-call.sqs.{operation}", refuse)


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/trail", "eu-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/trail", "cn-north-1"),
        ("https://eu-west-2.queue.amazonaws.com/111122223333/trail", "eu-west-2"),
    ],
)
def test_the_queues_url_tells_the_region(url: str, region: str, moto: Moto) -> None:
    source = open_source(Config(queue_url=url), RunContext())
    assert source._client.meta.region_name == region


def test_kills_lose_nothing(moto: Moto, root: Path, tmp_path: Path) -> None:
    """Killed at random moments, the service ends with exactly the alerts of the archive, and the queue is empty."""
    bucket, queue = moto.bucket(archive(root / "samples/archive")), moto.queue()
    keys = bucket.names()
    queue.send('{"Event":"s3:TestEvent"}')
    queue.send("poison")
    config = (
        f'[source]\nkind = "sqs"\nqueue_url = "{queue.url}"\nbuckets = ["{bucket.name}"]\nendpoint_url = "{moto.url}"\n'
        "visibility_timeout = 2\nthreads = 1\n"
    )
    service = Service(tmp_path, config, {})
    wanted = expected(root / "samples/archive")
    random = Random(7)
    for number in range(KILLS):
        queue.tell(bucket, keys[number::KILLS])
        service.killed_at_random(random)
    service.started()
    until(lambda: queue.counts() == (0, 0), "the queue was empty")
    assert service.stop() == 0
    add_row("sqs", KILLS, SAMPLE_RECORDS, wanted, service.alerts)
    reasons = {letter["object"]: letter for letter in service.dead_letters}
    assert "poison" in {letter.get("text") for letter in reasons.values()}
