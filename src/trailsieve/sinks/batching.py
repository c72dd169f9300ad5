"""Batches of alerts within a receiver's limits, and the outcome for each alert."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from trailsieve.errors import DeliveryError, SinkError
from trailsieve.model import Alert
from trailsieve.sinks.acknowledgement import NotAcknowledgedError, reject_web_page, succeeded
from trailsieve.wire.http import HttpResponse, UnreachableError


class Encoded(NamedTuple):
    """An alert's id and its body, as it is sent, with the id of the message where there is one."""

    id: str
    body: bytes
    message_id: str = ""


Batch = Sequence[Encoded]


class RefusedError(Exception):
    """The receiver rejected a whole request for good and stored nothing of it: it is too large or invalid.

    Attributes:
        alert_id: the alert that caused it, if the receiver names one.
    """

    def __init__(self, reason: str, alert_id: str | None = None) -> None:
        super().__init__(reason)
        self.alert_id = alert_id


def send_batches(
    encoded: Iterator[Encoded], send: Callable[[Batch], None], max_bytes: int, max_count: int
) -> None:
    """Sends all alerts in batches, in order.

    `send` raises DeliveryError for some alerts of a batch, or RefusedError for the whole batch. A refused
    batch is split in halves until the bad alert is alone, unless the error names it. Once an alert has to be
    retried, the batches behind it are retried too.

    Raises:
        DeliveryError: some alerts have to be retried, or were refused for good.
        SinkError: the receiver accepts nothing until somebody fixes the cause.
    """
    waiting = deque(_batches(encoded, max_bytes, max_count))
    again: set[str] = set()
    refused: dict[str, str] = {}
    reason, wait = "", None
    while waiting:
        batch = waiting.popleft()
        try:
            send(batch)
        except RefusedError as error:
            blamed = error.alert_id or (batch[0].id if len(batch) == 1 else None)
            half = len(batch) // 2
            parts = [batch[half:], batch[:half]]
            if blamed:
                reason = refused[blamed] = str(error)
                parts = [[alert for alert in batch if alert.id != blamed]]
            waiting.extendleft(part for part in parts if part)
        except DeliveryError as error:
            refused.update(error.refused)
            reason, wait = error.reason, error.retry_after
            again |= error.again
            if again:
                again.update(alert.id for batch in waiting for alert in batch)
                break
    if again or refused:
        raise DeliveryError(reason, frozenset(again), refused, wait)


def latest(alerts: Sequence[Alert]) -> list[Alert]:
    """The alerts without those that a later one with the same id takes the place of."""
    return list({alert.id: alert for alert in alerts}.values())


def message_id(alert: Alert) -> str:
    """The id by which a receiver drops a repeated message.

    A final alert does not repeat the provisional one with the same id.
    """
    return f"{alert.id}-provisional" if alert.provisional else alert.id


def _batches(encoded: Iterator[Encoded], max_bytes: int, max_count: int) -> Iterator[Batch]:
    """Batches of at most `max_bytes` and `max_count`; an alert larger than `max_bytes` gets its own."""
    batch: list[Encoded] = []
    size = 0
    for alert in encoded:
        if batch and (size + len(alert.body) > max_bytes or len(batch) == max_count):
            yield batch
            batch, size = [], 0
        batch.append(alert)
        size += len(alert.body) + 2  # the separator
    if batch:
        yield batch


def send_request(
    name: str,
    batch: Batch,
    request: Callable[[], HttpResponse],
    check_response: Callable[[HttpResponse], None] = reject_web_page,
) -> HttpResponse:
    """The response that acknowledges a request that carries a batch.

    `check_response` sees the response first. It may raise NotAcknowledgedError, or any of these errors itself
    for a receiver whose status codes mean something else.

    Raises:
        DeliveryError: unreachable, not acknowledged, 408, 425, 429 or 5xx: the whole batch has to be retried.
        RefusedError: 400, 413 or 422: something in the batch is invalid.
        SinkError: 401, 403, 404 and every other status: somebody has to fix the cause.
    """
    everything = frozenset(alert.id for alert in batch)
    try:
        response = request()
    except UnreachableError as error:
        raise DeliveryError(f"{name}: {error}", everything) from None
    reason = f"{name} {response.describe()}"
    try:
        check_response(response)
    except NotAcknowledgedError as error:
        raise DeliveryError(f"{reason}; {error}. {_ELSEWHERE}", everything) from None
    if succeeded(response):
        return response
    if response.status in (408, 425, 429) or response.status >= 500:
        raise DeliveryError(reason, everything, retry_after=response.retry_after)
    if response.status in (400, 413, 422):
        raise RefusedError(reason)
    raise SinkError(f"{reason}; {_HINTS.get(response.status, 'are the URL and the settings right?')}")


_ELSEWHERE = "Is the URL right, and is there a proxy or login page before the receiver?"
_HINTS = {
    401: "the credentials are wrong or have expired",
    403: "the credentials are wrong, or lack a permission",
    404: "is the URL right, and does what it names exist?",
    410: "the receiver wants no more requests",
}


def probe(name: str, request: Callable[[], HttpResponse]) -> HttpResponse:
    """The successful response to a request without alerts.

    Raises:
        SinkError: the request failed, or there was no response.
    """
    try:
        return send_request(name, (), request)
    except (DeliveryError, RefusedError) as error:
        raise SinkError(str(error)) from None
