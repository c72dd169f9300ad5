"""What the engine asks of a source and of a sink; `flow` knows nothing else of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from trailsieve.model import Alert, Message, Position


class Source(Protocol):
    """Where messages come from."""

    def poll(self) -> Sequence[Message]:
        """The next messages: one epoch's worth; empty when none are there (now, or ever: see `exhausted`)."""

    @property
    def exhausted(self) -> bool:
        """True when `poll` will never again return a message."""

    def commit(self, positions: Iterable[Position]) -> None:
        """Everything before these positions is delivered and will never be asked for again."""

    def close(self) -> None:
        """Gives back what the source holds."""


class Sink(Protocol):
    """Where alerts go."""

    def deliver(self, alerts: Sequence[Alert]) -> None:
        """Returns when every alert is accepted for good; raises otherwise."""

    def close(self) -> None:
        """Gives back what the sink holds."""
