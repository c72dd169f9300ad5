"""What a source or sink may use of the run that it is opened for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trailsieve.trail.compression import DEFAULT_LIMIT


@dataclass(frozen=True, slots=True)
class Context:
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
