"""Reads the S3 objects that the messages of a queue name.

The messages are notifications from S3, directly or through SNS or EventBridge, or from CloudTrail.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from trailsieve.errors import SourceError, counted
from trailsieve.model import Message, Offset, Position, watermark_message
from trailsieve.ports import RunContext
from trailsieve.sources.identity import verified
from trailsieve.sources.object_reader import UNKNOWN_SIZE, ObjectReader, object_reader
from trailsieve.sources.sqs.allowed import AllowedObjects, buckets_in
from trailsieve.sources.sqs.receiver import Receiver
from trailsieve.sources.sqs.visibility import ReceivedMessage, VisibilityLeases
from trailsieve.toml_file import AtLeastOne
from trailsieve.trail.envelope_contents import EnvelopeContents, ObjectName, letters
from trailsieve.trail.envelopes import STREAM_LIMIT, unwrap
from trailsieve.trail.selection import Selection
from trailsieve.wire.aws import AwsConfig, QueueUrl, client, explain, explained, fault, in_region_of

_WAIT = 1.0  # seconds that a poll waits for a message or an object
_SHORT_WAIT = 0.1  # the same while other messages are in flight
_COUNTS_LAG = 60.0  # seconds by which the queue's counts may be behind
_COUNTS_SECONDS = 1.0  # between requests for the queue's counts
_ALL = Selection()
_RECORD = re.compile(rb'"event(?:Version|Name|Source|ID|Time)"')

_Visibility = Annotated[int, Meta(ge=2, le=12 * 3600, description="2 to 43200 seconds")]


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings of the source, in addition to those of every AWS service; `endpoint_url` is that of SQS.

    Attributes:
        queue_url: as `aws sqs get-queue-url` prints it.
        visibility_timeout: seconds for which a received message is invisible to others; extended as needed.
        s3_endpoint_url: another endpoint for S3; by default, a local `endpoint_url` serves both.
        buckets: the buckets whose objects messages may name, or `bucket/prefix` for a part of one; by default
            those that the queue's policy names in `aws:SourceArn`.
        bucket_owner: the account that must own the buckets; S3 refuses a bucket of another one.
        key_layout: whether keys must be those that CloudTrail writes, or may be any.
        threads: how many objects each process reads at once.
        prefetch: bytes of objects that each process reads ahead, at most.
    """

    queue_url: QueueUrl
    buckets: tuple[str, ...] = ()
    bucket_owner: str = ""
    key_layout: Literal["cloudtrail", "any"] = "cloudtrail"
    visibility_timeout: _Visibility = 120
    s3_endpoint_url: str | None = None
    threads: AtLeastOne = 64
    prefetch: int = 64 * 2**20


def open_source(config: Config, context: RunContext) -> SqsSource:
    """The source for these settings. Does not connect.

    Raises:
        SourceError: boto3 lacks a setting.
    """
    config = in_region_of(config, config.queue_url)
    local = None if "amazonaws.com" in (config.endpoint_url or "") else config.endpoint_url
    for_s3 = AwsConfig(
        region=config.region,
        profile=config.profile,
        role_arn=config.role_arn,
        external_id=config.external_id,
        endpoint_url=config.s3_endpoint_url or local,
        sts_endpoint_url=config.sts_endpoint_url or local,
    )
    with explained("source sqs", SourceError):
        sqs = client("sqs", config)
    return SqsSource(sqs, object_reader(for_s3, config, context), config, context)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a queue message that becomes one message of the source: an object, or records it contains.

    Attributes:
        payload: of an object, its notification, which is kept when the object cannot be read.
        unread: bytes of the object; None for records.
    """

    received: ReceivedMessage
    name: str
    payload: bytes
    problem: str = ""
    unread: int | None = None


class SqsSource:
    """One message for each object that the messages of the queue name, in any order.

    A message of the queue is deleted once all its parts are committed. The offset only counts the messages
    returned so far: the queue itself knows what is still to be read.
    """

    whole_objects = True
    ordered = False
    selection = Selection()
    exhausted = False

    def __init__(
        self, sqs: Any, open_reader: Callable[[], ObjectReader], config: Config, context: RunContext
    ) -> None:
        self._client = sqs
        self.open_reader = open_reader
        self._config = config
        self._context = context
        self._leases = VisibilityLeases(sqs, config.queue_url, config.visibility_timeout, context.info)
        self._receiver = Receiver(self._leases, context.info, context.now, context.reachable)
        self._ready: list[_Part] = []
        self._arrived: deque[ReceivedMessage] = deque()
        self._in_flight: dict[Offset, ReceivedMessage] = {}
        self._advised: set[str] = set()
        self._count = 0
        self._allowed: AllowedObjects | None = None  # not known before the first poll
        self._complete_at: float | None = None  # the next watermark, or the last one
        self._unread: list[ReceivedMessage] | None = (
            None  # to be polled before it; None while it is not known
        )
        self._markers = [watermark_message(config.queue_url)]
        self._asked_at = 0.0  # when the queue's counts were last requested

    def start(self, positions: Mapping[str, Offset]) -> None:
        count = positions.get(self._config.queue_url, 0)
        self._count = count if isinstance(count, int) else 0
        self._markers += verified(positions, {"kind": "sqs", "queue": self._config.queue_url})

    def poll(self) -> Sequence[Message]:
        if self._allowed is None and not self._find_allowed():
            time.sleep(_WAIT)
            return ()
        self._request_messages()
        if not self._ready:
            self._unwrap_arrived(_SHORT_WAIT if self._in_flight else _WAIT)
        ready, self._ready = self._ready, []
        messages = [self._message(part) for part in ready]
        markers, self._markers = self._markers, []
        return [*markers, *messages, *([] if markers else self._watermarks())]

    def _watermarks(self) -> list[Message]:
        """Until when all that the queue held has been polled."""
        if self._unread is None and time.monotonic() - self._asked_at >= _COUNTS_SECONDS:
            self._look()
        if self._unread is None or any(received.unread_parts != 0 for received in self._unread):
            return []
        self._unread = None
        return [watermark_message(self._config.queue_url, self._complete_at)]

    def _find_allowed(self) -> bool:
        """Finds out which objects messages may name; false if SQS cannot be reached now.

        Raises:
            SourceError: neither the configuration nor the queue's policy names a bucket.
        """
        try:
            self._allowed = self._allowed_objects()
        except SourceError as error:
            if error.__context__ is None or fault(error.__context__) != "later":  # type: ignore[arg-type]
                raise
            self._advise({f"{error}; retrying"})
        return self._allowed is not None

    def _allowed_objects(self) -> AllowedObjects:
        url, buckets = self._config.queue_url, self._config.buckets
        if not buckets:
            with explained(f"{url}: set `buckets`, or grant sqs:GetQueueAttributes", SourceError):
                got = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
            buckets = tuple(buckets_in(got.get("Attributes", {}).get("Policy", "")))
            if not buckets:
                raise SourceError(
                    f'{url}: set `buckets`, such as ["my-trail"]: a message may name any object, and the '
                    "queue's policy does not say in aws:SourceArn of which buckets"
                )
            self._context.info(f"{url}: reads objects of {', '.join(buckets)}, as the queue's policy says")
        return AllowedObjects(buckets, self._config.key_layout == "any")

    def _look(self) -> None:
        """Notes the time and the messages to be polled before all is read, if the queue has no others.

        The counts are approximate: SQS may take a minute to agree with itself, unless a long poll, which
        asks all servers, has just found nothing.
        Source: docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
        """
        self._asked_at = time.monotonic()
        now, empty_at = self._context.now(), self._receiver.empty_at
        _, before = self._leases.in_flight()
        counted = self._count_messages()
        leased, after = self._leases.in_flight()
        complete_at = empty_at or (now - _COUNTS_LAG if now is not None else None)
        is_newer = complete_at is not None and complete_at > (self._complete_at or 0)
        if counted is not None and counted <= min(before, after) and is_newer:
            self._complete_at, self._unread = complete_at, leased

    def _count_messages(self) -> int | None:
        """The messages of the queue: visible, delayed and in flight; None when SQS does not tell."""
        names = [f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")]
        try:
            found = self._client.get_queue_attributes(QueueUrl=self._config.queue_url, AttributeNames=names)[
                "Attributes"
            ]
        except Exception as error:
            self._advise({f"alarms wait: sqs:GetQueueAttributes fails: {explain(error)}"})
            return None
        return sum(int(found.get(name, 0)) for name in names)

    def keep_alive(self) -> None:
        """Does nothing: a thread of `VisibilityLeases` renews the visibility timeouts."""

    def commit(self, positions: Iterable[Position]) -> None:
        for position in positions:
            received = self._in_flight.pop(position.offset, None)
            if received is not None:
                self._finish_part(received)

    def check(self) -> str:
        url = self._config.queue_url
        with explained(f"{url} (sqs:GetQueueAttributes)", SourceError):
            got = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for call, needed in (
            (self._client.delete_message, "sqs:DeleteMessage"),
            (self._client.change_message_visibility, "sqs:ChangeMessageVisibility"),
        ):
            self._probe(call, needed)
        waiting, hidden = got["ApproximateNumberOfMessages"], got["ApproximateNumberOfMessagesNotVisible"]
        self._allowed_objects()
        letters = "" if "RedrivePolicy" in got else "; it has no dead-letter queue"
        return f"{url}: {counted(int(waiting), 'message')}, {hidden} in flight{letters}"

    def close(self) -> None:
        self._receiver.close()
        self._leases.close()

    def _probe(self, call: Any, needed: str) -> None:
        """Sends an invalid receipt handle: SQS checks the permission first.

        Raises:
            SourceError: the permission is missing.
        """
        options = {"VisibilityTimeout": 0} if needed.endswith("Visibility") else {}
        try:
            call(QueueUrl=self._config.queue_url, ReceiptHandle="none", **options)
        except Exception as error:
            if fault(error) in ("refused", "credentials"):
                raise SourceError(f"{self._config.queue_url} ({needed}): {explain(error)}") from None

    def _request_messages(self) -> None:
        """Requests more messages when all that came are unwrapped."""
        self._unwrap_arrived(0)
        if not self._arrived:
            self._receiver.request()

    def _unwrap_arrived(self, seconds: float) -> None:
        """Unwraps messages up to the first that holds records itself: they may be large."""
        if not self._arrived:
            self._arrived += self._receiver.take(seconds)
        while self._arrived and not any(part.unread is None for part in self._ready):
            self._unwrap(self._arrived.popleft())

    def _unwrap(self, received: ReceivedMessage) -> None:
        """Splits a message into its parts: objects to fetch, records it contains, and unreadable content."""
        found = unwrap(received.body, min(self._context.max_object_size, STREAM_LIMIT))
        records = []
        for text in found.records:
            if _RECORD.search(text):
                records.append(text)
            else:
                found.add_problem("not a CloudTrail record", text)
        itself = f"{self._config.queue_url}/{received.message_id}"
        received.open_parts = 1  # the message itself, until all its parts are known
        for name, refusal in self._objects_to_read(found):
            received.open_parts += 1
            size = None if refusal else name.size or UNKNOWN_SIZE
            self._ready.append(_Part(received, name.url, received.body, refusal, size))
        if records:
            received.open_parts += 1
            self._ready.append(_Part(received, itself, b'{"Records":[' + b",".join(records) + b"]}"))
        if found.unreadable:
            for reason, text in letters(received.body, found.problems, found.unreadable):
                received.open_parts += 1
                self._ready.append(_Part(received, itself, text or received.body, reason))
        for _ in range(found.control_messages):
            self._context.skip("control message")
        self._advise(found.advice)
        received.unread_parts = received.open_parts - 1
        self._finish_part(received)

    def _advise(self, advice: set[str]) -> None:
        for text in advice - self._advised:
            self._context.info(text)
        self._advised |= advice

    def _objects_to_read(self, found: EnvelopeContents) -> Iterator[tuple[ObjectName, str]]:
        """The objects that are not skipped, each with the reason why it must not be read, or ""."""
        assert self._allowed
        for name in found.objects:
            reason = _ALL.reason_to_skip(name.key)
            if reason:
                self._context.skip(reason)
            else:
                yield name, self._allowed.reason_to_refuse(name)

    def _finish_part(self, received: ReceivedMessage) -> None:
        received.open_parts -= 1
        if not received.open_parts:
            self._leases.done(received)

    def _message(self, part: _Part) -> Message:
        self._count += 1
        self._in_flight[self._count] = part.received
        part.received.unread_parts = (part.received.unread_parts or 1) - 1
        position = Position(self._config.queue_url, self._count)
        return Message(part.payload, position, part.name, problem=part.problem, unread=part.unread)
