"""What the engine asks of sources and sinks, and what it offers them. It knows nothing else of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from trailsieve.model import Alert, Message, Offset, Position
from trailsieve.trail.compression import DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class RunContext:
    """The run's own means.

    Attributes:
        say: one line for the person who runs it.
        gauge: a figure that tells how the source or sink fares, by name: shown now and then.
        skip: told why something was left aside on purpose; it is counted.
        max_object_size: bytes of one object at most, after decompression.
    """

    say: Callable[[str], None] = lambda text: None
    max_object_size: int = DEFAULT_LIMIT
    gauge: Callable[[str, float], None] = lambda name, value: None
    skip: Callable[[str], None] = lambda reason: None


class Source(Protocol):
    """Where messages come from."""

    def start(self, positions: Mapping[str, Offset]) -> None:
        """Called once before the first `poll`, with the next offset of each shard that is known."""

    def poll(self) -> Sequence[Message]:
        """The next messages: one epoch's worth. Waits a second or so for one; empty when none came.

        What cannot be had (an object that is gone) is a message with a `problem`.

        Raises:
            SourceError: the other side refuses us until a person mends something.
        """

    @property
    def exhausted(self) -> bool:
        """True when `poll` will never again return a message."""

    def keep_alive(self) -> None:
        """Called every second or so while an epoch takes long: keeps what was polled in our hands."""

    def commit(self, positions: Iterable[Position]) -> None:
        """Everything before these positions is delivered and will never be asked for again."""

    def check(self) -> str:
        """Asks the other side whether it would serve us; returns what it answered, in a few words.

        Raises:
            SourceError: it would not; the text says what it answered and what to do.
        """

    def close(self) -> None:
        """Gives back what the source holds."""


class Sink(Protocol):
    """Where alerts go."""

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every alert is accepted for good.

        Raises:
            DeliveryError: some were not accepted: it tells which to send again and which were refused.
            SinkError: no alert will ever be accepted until a person mends something.
        """

    def check(self) -> str:
        """Asks the receiver whether it would take alerts; returns what it answered, in a few words.

        Raises:
            SinkError: it would not; the text says what it answered and what to do.
        """

    def close(self) -> None:
        """Gives back what the sink holds."""
