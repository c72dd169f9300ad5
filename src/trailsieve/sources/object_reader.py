"""Reads the S3 objects that messages name, in the process that decodes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from msgspec.structs import replace

from trailsieve.errors import SourceError
from trailsieve.model import Message
from trailsieve.ports import RunContext
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.wire.aws import AwsConfig, client, explain, explained, fault
from trailsieve.wire.backoff import Backoff
from trailsieve.wire.s3_get import ObjectGetter, ObjectTooBigError

UNKNOWN_SIZE = 2**20  # bytes assumed for an object whose notification does not give its size
_GIVE_UP_AFTER = 600.0  # seconds for which S3 may be unreachable
_MAX_REFUSED = 10  # objects in a row; more mean that a permission is missing


class _Settings(Protocol):
    """The settings of a source that reads objects."""

    threads: int
    prefetch: int
    bucket_owner: str


class ObjectReader:
    """Reads objects by the names of messages, which are `s3://bucket/key`.

    An object that is missing or refused becomes a message with a `problem`. While S3 is unreachable, the
    threads retry.

    Args:
        client: an S3 client; the threads share it.
        threads: how many may call `read` at once.
        ahead: bytes of objects that may wait in memory.
        limit: bytes that one object may have as it is stored, at most.
        info: receives one line of text when S3 is unreachable.
        owner: the account that must own the buckets; "" for any.
    """

    def __init__(
        self,
        client: Any,
        threads: int,
        ahead: int,
        limit: int,
        info: Callable[[str], None],
        owner: str = "",
    ) -> None:
        self.threads = threads
        self.ahead = ahead
        self._getter = ObjectGetter(client, limit)
        self._info = info
        self._owner = owner
        self._stop = threading.Event()
        self._refused = 0

    def read(self, message: Message) -> Message:
        """Returns the message with the bytes of its object, or with the problem that prevented it.

        Raises:
            SourceError: the credentials are invalid, many objects in a row were refused, or S3 was
                unreachable for ten minutes.
        """
        bucket, _, key = message.name.removeprefix("s3://").partition("/")
        name = ObjectName(bucket, key)
        backoff, began = Backoff(), time.monotonic()
        while True:
            try:
                payload = self._getter.get(name.bucket, name.key, self._owner)
            except ObjectTooBigError as error:
                return _unread(message, f"too big: {error}; raise --max-object-size")
            except Exception as error:  # nothing that a notification names may end the run
                what = fault(error)
                if what in ("gone", "refused", "wrong"):
                    problem = f"{what}: {explain(error)}"
                    self._count_refused(name, problem if what == "refused" else "")
                    return _unread(message, problem)
                if what == "credentials" or time.monotonic() - began > _GIVE_UP_AFTER:
                    raise SourceError(f"{name.url} cannot be read: {explain(error)}") from None
                self._info(f"S3 is unreachable, retrying: {explain(error)}")
                if backoff.wait(self._stop):
                    raise SourceError(f"{name.url}: stopped before it was read") from None
            else:
                self._refused = 0
                return replace(message, payload=payload, unread=None)

    def close(self) -> None:
        """Ends the retries. Returns at once."""
        self._stop.set()

    def _count_refused(self, name: ObjectName, problem: str) -> None:
        self._refused = self._refused + 1 if problem else 0
        if self._refused > _MAX_REFUSED:
            raise SourceError(
                f"{_MAX_REFUSED} objects in a row were refused, the last: {name.url}: {problem}; "
                "s3:GetObject is needed, and kms:Decrypt where objects are encrypted. "
                "Nothing is lost: grant the permission and restart"
            )


def object_reader(s3: AwsConfig, config: _Settings, context: RunContext) -> Callable[[], ObjectReader]:
    """Returns what opens a reader in the process that needs it: connections must not be shared by processes.

    Args:
        s3: how to reach the buckets.
    """

    def open_reader() -> ObjectReader:
        with explained("S3", SourceError):
            made = client("s3", s3, max_pool_connections=config.threads)
        limits = (config.threads, config.prefetch, context.max_object_size)
        return ObjectReader(made, *limits, context.info, config.bucket_owner)

    return open_reader


def _unread(message: Message, problem: str) -> Message:
    return replace(message, unread=None, problem=problem)
