"""Batches for AWS services: what an error means for a whole batch and for single entries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from trailsieve.errors import DeliveryError, SinkError
from trailsieve.formats import native
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.sinks.batching import Batch, Encoded, RefusedError, send_batches
from trailsieve.wire.aws import AwsConfig, client, explain, fault, is_retryable

# SQS and SNS accept the characters of XML 1.0:
# docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEEDS_PERMISSION = re.compile(r"AccessDenied|Authorization|KMS|OptIn")
_WITHIN = 60.0  # seconds for a request
_COUNT = 10  # messages per request, for SQS and SNS
_OVERHEAD = 1024  # bytes: upper bound of attributes and subject, which count towards the limit


def sending_client(service: str, config: AwsConfig) -> Any:
    """A client that does not retry: `engine.sink_worker` does."""
    once = {"mode": "standard", "total_max_attempts": 1}
    return client(service, config, _WITHIN, retries=once, connect_timeout=10, read_timeout=30)


def call_aws(name: str, ids: Iterable[str], request: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The response to a request that carries the alerts with these ids.

    Raises:
        DeliveryError: network trouble or throttling: all alerts have to be retried.
        RefusedError: something in the request is invalid.
        SinkError: somebody has to fix the cause, such as a missing permission.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        return request()
    except KeyError:  # botocore's, for XML of something else
        raise DeliveryError(f"{name}: the response is not one of AWS", frozenset(ids)) from None
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        message, kind = f"{name}: {explain(error)}", fault(error)
        hinted = explain(error) != str(error)  # a hint tells a person what to fix
        if kind == "later":
            raise DeliveryError(message, frozenset(ids)) from None
        if kind == "wrong" and not hinted:
            raise RefusedError(message) from None
        raise SinkError(message) from None


def raise_failed_entries(name: str, failed: Iterable[tuple[str, str, str, bool]]) -> None:
    """Raises an error if there are failed entries: (alert id, code, message, whether the sender is at fault).

    Raises:
        DeliveryError: entries have to be retried, or were refused for good.
        SinkError: a permission is missing.
    """
    again, refused, reason = set[str](), dict[str, str](), ""
    for identity, code, text, sender_fault in failed:
        reason = f"{name}: {code}: {text}"
        if _NEEDS_PERMISSION.search(code):
            raise SinkError(f"{reason}; grant the permission that it names")
        if sender_fault and not is_retryable(code):
            refused[identity] = reason
        else:
            again.add(identity)
    if again or refused:
        raise DeliveryError(reason, frozenset(again), refused)


def deliver_messages(
    name: str,
    alerts: Sequence[Alert],
    entry: Callable[[int, Alert, bytes], dict[str, Any]],
    send: Callable[[list[dict[str, Any]]], dict[str, Any]],
    limit: int,
) -> None:
    """Sends alerts as SQS or SNS messages, in requests of at most `limit` bytes.

    Raises:
        DeliveryError: alerts have to be retried, or were refused for good.
        SinkError: somebody has to fix the cause.
    """
    by_id = {alert.id: alert for alert in alerts}

    def send_batch(batch: Batch) -> None:
        entries = [entry(number, by_id[one.id], one.body) for number, one in enumerate(batch)]
        raise_failed_entries(
            name, _failures(batch, call_aws(name, [one.id for one in batch], lambda: send(entries)))
        )

    most = limit - _OVERHEAD
    encoded = (Encoded(alert.id, _message(alert, most)) for alert in by_id.values())
    send_batches(encoded, send_batch, most - _COUNT * _OVERHEAD, _COUNT)


def _failures(batch: Batch, response: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """The entries of a batch that are not acknowledged, as `raise_failed_entries` takes them."""
    answered = {one["Id"] for name in ("Successful", "Failed") for one in response.get(name, ())}
    for number, one in enumerate(batch):
        if str(number) not in answered:
            yield one.id, "no acknowledgement", "the response has no result for the message", False
    for failed in response.get("Failed", ()):
        number = int(failed["Id"])
        yield batch[number].id, failed.get("Code", ""), failed.get("Message", ""), failed["SenderFault"]


def _message(alert: Alert, limit: int) -> bytes:
    """The native format in at most `limit` bytes; characters that AWS refuses become JSON escapes."""
    text = encode_within(alert, native.encode, limit).decode()
    return _UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def message_attributes(alert: Alert) -> Mapping[str, Mapping[str, str]]:
    """Message attributes for subscription filters: rule, severity, kind, and account if known."""
    values = {"rule": alert.rule, "severity": alert.severity, "kind": alert.kind, "account": alert.account}
    return {
        name: {"DataType": "String", "StringValue": _UNSENDABLE.sub("�", value[:256])}
        for name, value in values.items()
        if value
    }
