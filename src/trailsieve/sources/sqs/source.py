"""Objects that a queue tells of: notices of S3, straight or through SNS or EventBridge, and of CloudTrail."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from trailsieve.errors import SourceError
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import RunContext
from trailsieve.sources.object_fetcher import Fetcher
from trailsieve.sources.sqs.receiver import Receiver
from trailsieve.sources.sqs.visibility import Hand, Received
from trailsieve.trail.envelope_contents import EnvelopeContents, ObjectName
from trailsieve.trail.envelopes import unwrap
from trailsieve.trail.selection import Selection
from trailsieve.wire.aws import AwsConfig, answer, client, explained, fault

_PATIENCE = 1.0  # seconds that a poll waits for something
_IMPATIENCE = 0.1  # the same while others are being examined
_REGION = re.compile(r"https://(?:sqs\.)?([a-z0-9-]+)\.(?:queue\.)?amazonaws\.com(?:\.cn)?/")
_ALL = Selection()
_RECORD = re.compile(rb'"event(?:Version|Name|Source|ID|Time)"')


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings, beside those of everything in AWS; `endpoint_url` is that of SQS.

    Attributes:
        queue_url: as `aws sqs get-queue-url` prints it.
        visibility_timeout: seconds for which a message is ours; it is extended as long as work takes.
        s3_endpoint_url: another endpoint for S3; without it, a local `endpoint_url` serves both.
        threads: how many objects are fetched at once.
        prefetch: bytes of objects that are fetched ahead, at most.
    """

    queue_url: str
    visibility_timeout: int = 120
    s3_endpoint_url: str | None = None
    threads: int = 8
    prefetch: int = 64 * 2**20


def open_source(config: Config, context: RunContext) -> SqsSource:
    """A queue as a source."""
    if not 2 <= config.visibility_timeout <= 12 * 3600:
        raise SourceError("source sqs: `visibility_timeout` lies between 2 and 43200 seconds")
    local = None if "amazonaws.com" in (config.endpoint_url or "") else config.endpoint_url
    s3 = client(
        "s3",
        AwsConfig(
            region=_region(config),
            profile=config.profile,
            role_arn=config.role_arn,
            external_id=config.external_id,
            endpoint_url=config.s3_endpoint_url or local,
            sts_endpoint_url=config.sts_endpoint_url or local,
        ),
        max_pool_connections=config.threads,
    )
    fetcher: Fetcher[_Part] = Fetcher(
        s3, config.threads, config.prefetch, context.max_object_size, context.info
    )
    sqs = client("sqs", structs.replace(config, region=_region(config)))
    return SqsSource(sqs, fetcher, config, context)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one message of the source is to the message of the queue."""

    received: Received
    name: str


class SqsSource:
    """Yields one message an object that the queue's messages name; the order is not theirs.

    A message of the queue is deleted when every part of it is committed. The offset only counts what was
    yielded: what is still to be read is known to the queue alone.
    """

    whole_objects = True
    ordered = False
    selection = Selection()
    exhausted = False

    def __init__(self, sqs: Any, fetcher: Fetcher[_Part], config: Config, context: RunContext) -> None:
        self._client = sqs
        self._fetcher = fetcher
        self._config = config
        self._context = context
        self._hand = Hand(sqs, config.queue_url, config.visibility_timeout, context.info)
        self._receiver = Receiver(self._hand, context.info)
        self._wanted: deque[tuple[ObjectName, _Part]] = deque()
        self._ready: deque[tuple[_Part, bytes, str]] = deque()
        self._yielded: dict[Offset, Received] = {}
        self._advised: set[str] = set()
        self._count = 0

    def start(self, positions: Mapping[str, Offset]) -> None:
        count = positions.get(self._config.queue_url, 0)
        self._count = count if isinstance(count, int) else 0

    def poll(self) -> Sequence[Message]:
        self._receive()
        self._ask()
        patience = _IMPATIENCE if self._yielded else _PATIENCE
        if self._ready:
            pass
        elif self._fetcher.idle:
            self._unpack_arrived(patience)
            self._ask()
        else:
            fetched = self._fetcher.take(patience)
            self._ready += [(found.tag, found.payload, found.problem) for found in fetched]
        messages = [self._message(*ready) for ready in self._ready]
        self._ready.clear()
        return messages

    def keep_alive(self) -> None:
        """A thread keeps our messages invisible to others."""

    def commit(self, positions: Iterable[Position]) -> None:
        for position in positions:
            received = self._yielded.pop(position.offset, None)
            if received is not None:
                self._close_part(received)

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
        letters = "" if "RedrivePolicy" in got else "; it has no dead-letter queue"
        return f"{url}: {waiting} messages, {hidden} in flight{letters}"

    def close(self) -> None:
        self._receiver.close()
        self._fetcher.close()
        self._hand.close()

    def _probe(self, call: Any, needed: str) -> None:
        """Asks with a receipt that is none: who may not ask at all hears so first."""
        options = {"VisibilityTimeout": 0} if needed.endswith("Visibility") else {}
        try:
            call(QueueUrl=self._config.queue_url, ReceiptHandle="none", **options)
        except Exception as error:
            if fault(error) in ("refused", "credentials"):
                raise SourceError(f"{self._config.queue_url} ({needed}): {answer(error)}") from None

    def _receive(self) -> None:
        """Asks for more messages, when there is too little in our hands."""
        self._unpack_arrived(0)
        if not self._wanted and self._fetcher.has_room:
            self._receiver.ask()

    def _unpack_arrived(self, patience: float) -> None:
        for received in self._receiver.take(patience):
            self._unpack(received)

    def _unpack(self, received: Received) -> None:
        """Makes parts of a message: objects to fetch, records that it holds itself, and what is unknown."""
        found = unwrap(received.body, self._context.max_object_size)
        records = [text for text in found.records if _RECORD.search(text)]
        unknown = [("not a CloudTrail record", text) for text in found.records if text not in records]
        itself = _Part(received, f"{self._config.queue_url}/{received.identity}")
        received.open = 1  # the message, until all its parts are known
        for wanted in self._worth_reading(found):
            received.open += 1
            self._wanted.append((wanted, _Part(received, f"s3://{wanted.bucket}/{wanted.key}")))
        if records:
            received.open += 1
            self._ready.append((itself, b'{"Records":[' + b",".join(records) + b"]}", ""))
        for reason, text in found.problems + unknown:
            received.open += 1
            self._ready.append((itself, text, reason))
        for _ in range(found.control_messages):
            self._context.skip("control message")
        self._advise(found.advice)
        self._close_part(received)

    def _advise(self, advice: set[str]) -> None:
        for text in advice - self._advised:
            self._context.info(text)
        self._advised |= advice

    def _worth_reading(self, found: EnvelopeContents) -> Iterator[ObjectName]:
        for wanted in found.objects:
            reason = _ALL.reason_to_skip(wanted.key)
            if reason:
                self._context.skip(reason)
            else:
                yield wanted

    def _close_part(self, received: Received) -> None:
        received.open -= 1
        if not received.open:
            self._hand.done(received)

    def _ask(self) -> None:
        while self._wanted and self._fetcher.has_room:
            self._fetcher.ask(*self._wanted.popleft())

    def _message(self, part: _Part, payload: bytes, problem: str) -> Message:
        """A part as the engine takes it; the dead letter of an object that cannot be had is its notice."""
        self._count += 1
        self._yielded[self._count] = part.received
        position = Position(self._config.queue_url, self._count)
        return Message(
            payload or part.received.body if problem else payload, position, part.name, problem=problem
        )


def _region(config: Config) -> str | None:
    """The region that is set, or the one that the queue's URL names."""
    found = _REGION.match(config.queue_url)
    return config.region or (found[1] if found else None)
