"""Alerts as messages in an SQS queue, in the native format.

At most ten messages and 1 MiB per request. In a FIFO queue the alert's id is the deduplication id, so a
duplicate within five minutes is dropped. Source:
docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trailsieve.errors import SinkError
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.sinks.aws_batching import deliver_messages, message_attributes, sending_client
from trailsieve.sinks.batching import message_id
from trailsieve.wire.aws import AwsConfig, QueueUrl, explained, in_region_of

_BYTES = 2**20


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        queue_url: the queue's URL; a name that ends in .fifo is a FIFO queue.
        group: the message group in a FIFO queue: alerts of one group keep their order.
    """

    queue_url: QueueUrl
    group: str = "trailsieve"


class SqsSink:
    """Sends batches and checks the result of each message."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._fifo = config.queue_url.endswith(".fifo")
        with explained("sqs", SinkError):
            self._client = sending_client("sqs", in_region_of(config, config.queue_url))
        self._name = f"sqs {config.queue_url.rsplit('/', 1)[-1]}"

    def deliver(self, alerts: Sequence[Alert]) -> None:
        def send(entries: list[dict[str, Any]]) -> dict[str, Any]:
            response: dict[str, Any] = self._client.send_message_batch(
                QueueUrl=self._config.queue_url, Entries=entries
            )
            return response

        deliver_messages(self._name, alerts, self._entry, send, _BYTES)

    def check(self) -> str:
        with explained(self._name, SinkError):
            self._client.get_queue_attributes(QueueUrl=self._config.queue_url, AttributeNames=["QueueArn"])
        return f"{self._name} exists"

    def close(self) -> None:
        self._client.close()

    def _entry(self, number: int, alert: Alert, body: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "Id": str(number),
            "MessageBody": body.decode(),
            "MessageAttributes": message_attributes(alert),
        }
        if self._fifo:
            entry |= {"MessageGroupId": self._config.group, "MessageDeduplicationId": message_id(alert)}
        return entry


def open_sink(config: Config, context: RunContext) -> SqsSink:
    """An SQS queue as a sink."""
    return SqsSink(config)
