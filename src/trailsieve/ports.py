"""The contracts between the engine and its sources and sinks. The engine knows nothing else about them.

The engine calls a source from one thread and each sink from a thread of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailsieve.model import Alert, Message, Offset, Position
from trailsieve.trail.compression import DEFAULT_LIMIT
from trailsieve.trail.selection import Selection


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a run offers its sources and sinks. The callbacks return at once; any thread may call them.

    Attributes:
        info: shows one line of text to the operator.
        max_object_size: the most bytes that one object may have after decompression.
        gauge: sets a named figure of the source or sink, such as its lag; reported periodically.
        skip: counts an object that was skipped on purpose, by reason.
        object_found: adds the bytes of an object that will be read to the progress display.
        now: returns the time of day in seconds since 1970; None while the clock cannot be trusted.
        object_read: adds an object that was read to the progress display, with its bytes.
        bytes_read: adds bytes of an object that is still being read; `object_read` then adds the others.
        reachable: tells whether the source can be reached now; while it cannot, there are no heartbeats.
    """

    info: Callable[[str], None] = lambda text: None
    max_object_size: int = DEFAULT_LIMIT
    gauge: Callable[[str, float], None] = lambda name, value: None
    skip: Callable[[str], None] = lambda reason: None
    object_found: Callable[[int], None] = lambda size: None
    object_read: Callable[[int], None] = lambda size: None
    bytes_read: Callable[[int], None] = lambda size: None
    now: Callable[[], float | None] = time.time
    reachable: Callable[[bool], None] = lambda reachable: None


class Reader(Protocol):
    """Reads the payloads that a source leaves unread, in the process that decodes them.

    Attributes:
        threads: how many may call `read` at once.
        ahead: bytes that may wait in memory until they are decoded.
    """

    @property
    def threads(self) -> int: ...

    @property
    def ahead(self) -> int: ...

    def read(self, message: Message) -> Message:
        """Returns the message with its payload, or with the problem that prevented it. Blocks.

        Raises:
            SourceError: the service refuses requests, and retrying will not help.
        """

    def close(self) -> None:
        """Makes calls of `read` return soon. Returns at once."""


class Source(Protocol):
    """Where messages come from."""

    @property
    def open_reader(self) -> Callable[[], Reader] | None:
        """Opens what reads the messages that `poll` returns unread; None when it returns none such."""

    @property
    def whole_objects(self) -> bool:
        """True when a message is a file or an object: each is an epoch and may go to a worker process.

        False for streams of small messages, which are matched together, one poll an epoch.
        """

    @property
    def ordered(self) -> bool:
        """True when the events of a shard come in the order of time, but for their lateness.

        Alarms of an unordered source wait until it says that a shard is read to its end (`Watermark`).
        """

    @property
    def selection(self) -> Selection:
        """The records that count, by time, account and region; an empty selection counts all of them."""

    @property
    def exhausted(self) -> bool:
        """True when `poll` will never return a message again."""

    def start(self, positions: Mapping[str, Offset]) -> None:
        """Sets the next offset of each known shard. Called once, before the first `poll`."""

    def poll(self) -> Sequence[Message]:
        """Returns the next messages, or none when none arrived in time. May block for about a second.

        A message that could not be fetched, such as a deleted object, has a `problem` and no payload.

        Raises:
            SourceError: the service refuses requests, and retrying will not help.
        """

    def keep_alive(self) -> None:
        """Renews leases and group membership. Called twice a second while a sink is slow; must not block."""

    def commit(self, positions: Iterable[Position]) -> None:
        """Marks everything before these positions as delivered. May block for one request.

        Positions that the service does not take now are kept and sent with the next commit.

        Raises:
            SourceError: the service refuses requests, and retrying will not help.
        """

    def check(self) -> str:
        """Returns a short description of what the service answered to a test request. May block.

        Raises:
            SourceError: the service would refuse to serve; the text has its answer and the remedy.
        """

    def close(self) -> None:
        """Releases connections, threads and files. May block for a few seconds; called once, last."""


class Sink(Protocol):
    """Where alerts go."""

    @property
    def overwrites(self) -> bool:
        """True when an alert takes the place of an earlier one with the same id.

        Such a sink gets the confirmation of a provisional alert; others only if their routing asks for it.
        """

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns once the receiver has accepted every alert. Blocks until then.

        Raises:
            DeliveryError: some alerts were not accepted; it lists those to send again and those refused.
            SinkError: the receiver will accept nothing until its configuration is fixed.
        """

    def check(self) -> str:
        """Returns a short description of what the receiver answered to a test request. May block.

        Raises:
            SinkError: the receiver would refuse alerts; the text has its answer and the remedy.
        """

    def close(self) -> None:
        """Releases connections and files. May block for a few seconds; called once, last."""
