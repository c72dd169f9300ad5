"""Alerts in batches that a receiver takes, and what becomes of each alert."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from trailsieve.errors import DeliveryError, SinkError
from trailsieve.wire.http import Answer, UnreachableError


class Encoded(NamedTuple):
    """An alert's id and what is sent of it."""

    id: str
    body: bytes


Batch = Sequence[Encoded]


class RefusedError(Exception):
    """The receiver will never take this request, and kept nothing of it: too large, or something is wrong.

    Attributes:
        only: the id of the alert that is to blame, when the receiver names it.
    """

    def __init__(self, reason: str, only: str | None = None) -> None:
        super().__init__(reason)
        self.only = only


def deliver(
    encoded: Iterator[Encoded], send: Callable[[Batch], None], max_bytes: int, max_count: int
) -> None:
    """Sends all alerts in batches, in their order.

    `send` raises DeliveryError for single alerts of a batch, or RefusedError for all of it; that one is
    halved until what is refused is one alert, unless it names that one. Once some are to be sent again, the
    rest waits with them.

    Raises:
        DeliveryError: which alerts are to be sent again, and which were refused for good.
        SinkError: the receiver will take nothing until a person mends something.
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
            blamed = error.only or (batch[0].id if len(batch) == 1 else None)
            half = len(batch) // 2
            parts = [batch[half:], batch[:half]]
            if blamed:
                reason = refused[blamed] = str(error)
                parts = [[alert for alert in batch if alert.id != blamed]]
            waiting.extendleft(part for part in parts if part)
        except DeliveryError as error:
            refused.update(error.refused)
            reason, wait = error.reason, error.wait
            again |= error.again
            if again:
                again.update(alert.id for batch in waiting for alert in batch)
                break
    if again or refused:
        raise DeliveryError(reason, frozenset(again), refused, wait)


def _batches(encoded: Iterator[Encoded], max_bytes: int, max_count: int) -> Iterator[Batch]:
    """Batches of at most `max_bytes` and `max_count`; an alert that is too large alone is one alone."""
    batch: list[Encoded] = []
    size = 0
    for alert in encoded:
        if batch and (size + len(alert.body) > max_bytes or len(batch) == max_count):
            yield batch
            batch, size = [], 0
        batch.append(alert)
        size += len(alert.body) + 2  # what stands between two
    if batch:
        yield batch


def answered(
    name: str,
    batch: Batch,
    ask: Callable[[], Answer],
    judge: Callable[[Answer], None] = lambda answer: None,
) -> Answer:
    """The answer to a request that carries a batch, when it is good; else what every receiver means by it.

    `judge` sees the answer first, and raises one of these errors where this receiver means something else.

    Raises:
        DeliveryError: unreachable, 408, 429 or 5xx: all of the batch is to be sent again.
        RefusedError: 400, 413, 422: something in it is wrong.
        SinkError: 401, 403, 404 and all else: a person must mend something.
    """
    everything = frozenset(alert.id for alert in batch)
    try:
        answer = ask()
    except UnreachableError as error:
        raise DeliveryError(f"{name}: {error}", everything) from None
    judge(answer)
    if 200 <= answer.status < 300:
        return answer
    reason = f"{name} {answer.shown()}"
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise DeliveryError(reason, everything, wait=answer.wait)
    if answer.status in (400, 413, 422):
        raise RefusedError(reason)
    raise SinkError(f"{reason}; {_HINTS.get(answer.status, 'are the URL and the settings right?')}")


def no_page(name: str, answer: Answer) -> None:
    """Raises SinkError for a good status with a web page: something else answered than was meant."""
    if answer.status < 300 and "html" in answer.headers.get("content-type", ""):
        raise SinkError(f"{name} answered with a web page, nothing was taken: is the URL right?")


_HINTS = {
    401: "the credentials are wrong or have expired",
    403: "the credentials are wrong, or lack a permission",
    404: "is the URL right, and does what it names exist?",
    410: "the receiver asks to be sent nothing more",
}


def checked(name: str, ask: Callable[[], Answer]) -> Answer:
    """A good answer to a request that carries nothing.

    Raises:
        SinkError: it is not good, or there is none.
    """
    try:
        return answered(name, (), ask)
    except (DeliveryError, RefusedError) as error:
        raise SinkError(str(error)) from None
