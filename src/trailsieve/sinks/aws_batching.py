"""Batches to AWS: what an error means for the alerts of a batch, and for single entries of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from trailsieve.errors import DeliveryError, SinkError
from trailsieve.formats import native
from trailsieve.formats.fit import fitted
from trailsieve.model import Alert
from trailsieve.sinks.batching import Batch, Encoded, RefusedError, deliver
from trailsieve.wire.aws import AwsConfig, answer, client, fault, is_retryable

# SQS and SNS take the characters of XML 1.0:
# docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_UNSENDABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PERSON = re.compile(r"AccessDenied|Authorization|KMS|OptIn")
_COUNT = 10  # messages a request, of SQS and of SNS
_OVERHEAD = 1024  # bytes of attributes and subject at most: they count with the message


def sending_client(service: str, config: AwsConfig) -> Any:
    """A client that tries once: `engine.sink_worker` tries again."""
    once = {"mode": "standard", "total_max_attempts": 1}
    return client(service, config, retries=once, connect_timeout=10, read_timeout=30)


def asked(name: str, ids: Iterable[str], ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The answer to a request that carries the alerts of these ids.

    Raises:
        DeliveryError: the network, or AWS is busy: all of them are to be sent again.
        RefusedError: something in them is wrong.
        SinkError: a person must mend something.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        return ask()
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        said, kind = f"{name}: {answer(error)}", fault(error)
        hinted = answer(error) != str(error)  # what has a hint is mended by a person
        if kind == "later":
            raise DeliveryError(said, frozenset(ids)) from None
        if kind == "wrong" and not hinted:
            raise RefusedError(said) from None
        raise SinkError(said) from None


def judged(name: str, failed: Iterable[tuple[str, str, str, bool]]) -> None:
    """Raises what became of single entries: id of the alert, code, text, and whether we are to blame.

    Raises:
        DeliveryError: which are to be sent again, and which were refused.
        SinkError: we may not send at all.
    """
    again, refused, reason = set[str](), dict[str, str](), ""
    for identity, code, text, ours in failed:
        reason = f"{name}: {code}: {text}"
        if _PERSON.search(code):
            raise SinkError(f"{reason}; mend the permission that it names")
        if ours and not is_retryable(code):
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
    """Alerts as messages of SQS or SNS, in requests of at most `limit` bytes; raises as `judged` does."""
    by_id = {alert.id: alert for alert in alerts}

    def send_batch(batch: Batch) -> None:
        entries = [entry(number, by_id[one.id], one.body) for number, one in enumerate(batch)]
        judged(name, _failures(batch, asked(name, [one.id for one in batch], lambda: send(entries))))

    most = limit - _OVERHEAD
    encoded = (Encoded(alert.id, _message(alert, most)) for alert in by_id.values())
    deliver(encoded, send_batch, most - _COUNT * _OVERHEAD, _COUNT)


def _failures(batch: Batch, answer: dict[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """The entries of a batch that were not taken, as `judged` wants them."""
    for failed in answer.get("Failed", ()):
        number = int(failed["Id"])
        yield batch[number].id, failed.get("Code", ""), failed.get("Message", ""), failed["SenderFault"]


def _message(alert: Alert, limit: int) -> bytes:
    """The native format in at most `limit` bytes; characters that AWS refuses stand as escapes of JSON."""
    text = fitted(alert, native.encode, limit).decode()
    return _UNSENDABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def attributes(alert: Alert) -> Mapping[str, Mapping[str, str]]:
    """What subscriptions filter on: rule, severity, kind, and account where there is one."""
    values = {"rule": alert.rule, "severity": alert.severity, "kind": alert.kind, "account": alert.account}
    return {
        name: {"DataType": "String", "StringValue": _UNSENDABLE.sub("�", value[:256])}
        for name, value in values.items()
        if value
    }
