"""Alerts published to an SNS topic, in the native format.

At most ten messages and 256 KiB per request. Subscriptions can filter on the message attributes rule,
severity, kind and account. Source: docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trailsieve import arn
from trailsieve.errors import SinkError
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.sinks.aws_batching import deliver_messages, message_attributes, sending_client
from trailsieve.sinks.batching import message_id
from trailsieve.wire.aws import AwsConfig, explained, in_region_of

_BYTES = 262_144


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        topic_arn: the topic; a name that ends in .fifo is a FIFO topic.
        group: the message group in a FIFO topic: alerts of one group keep their order.
    """

    topic_arn: str
    group: str = "trailsieve"


class SnsSink:
    """Publishes batches and checks the result of each message."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._fifo = config.topic_arn.endswith(".fifo")
        with explained("sns", SinkError):
            self._client = sending_client("sns", in_region_of(config, config.topic_arn))
        self._name = f"sns {arn.parse(config.topic_arn).resource or config.topic_arn}"

    def deliver(self, alerts: Sequence[Alert]) -> None:
        def send(entries: list[dict[str, Any]]) -> dict[str, Any]:
            response: dict[str, Any] = self._client.publish_batch(
                TopicArn=self._config.topic_arn, PublishBatchRequestEntries=entries
            )
            return response

        deliver_messages(self._name, alerts, self._entry, send, _BYTES)

    def check(self) -> str:
        with explained(self._name, SinkError):
            self._client.get_topic_attributes(TopicArn=self._config.topic_arn)
        return f"{self._name} exists"

    def close(self) -> None:
        self._client.close()

    def _entry(self, number: int, alert: Alert, body: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "Id": str(number),
            "Message": body.decode(),
            "MessageAttributes": message_attributes(alert),
            "Subject": _subject(alert),
        }
        if self._fifo:
            entry |= {"MessageGroupId": self._config.group, "MessageDeduplicationId": message_id(alert)}
        return entry


def _subject(alert: Alert) -> str:
    """The subject of an e-mail: printable ASCII, fewer than 100 characters."""
    text = f"{alert.severity}: {alert.title or alert.rule}"[:99]
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text).strip()


def open_sink(config: Config, context: RunContext) -> SnsSink:
    """An SNS topic as a sink."""
    return SnsSink(config)
