"""Samples as the checkpoint keeps them: one row an epoch, counted again after a restart, until they expire.

Writing what came is cheaper than writing each period again that it changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trailsieve.alarms.datapoint import Sample
from trailsieve.rules.alarm import Alarm

Misses = tuple[str, int, int]  # rule, start of the period, events that did not match


class SampleRow(msgspec.Struct, frozen=True):
    """Samples of one or more epochs.

    Attributes:
        expires: the watermark, in seconds since 1970, from which on no period needs them.
    """

    expires: int
    data: bytes


class _Content(msgspec.Struct, array_like=True):
    samples: list[Sample]
    misses: list[Misses]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Content).decode


def sample_row(
    samples: Sequence[Sample], misses: Sequence[Misses], alarms: Mapping[str, Alarm]
) -> SampleRow | None:
    """The row of an epoch's samples; None when there are none."""
    newest: dict[str, int] = {}
    for sample in samples:
        if sample.seconds > newest.get(sample.rule, 0):
            newest[sample.rule] = sample.seconds
    for rule, start, _ in misses:
        newest[rule] = max(start, newest.get(rule, 0))
    if not newest:
        return None
    expires = max(_expiry(seconds, alarms[rule]) for rule, seconds in newest.items())
    return SampleRow(expires, _encode(_Content(list(samples), list(misses))))


def samples_of(row: SampleRow) -> tuple[list[Sample], list[Misses]]:
    """The samples of a row, and the events that did not match."""
    content = _decode(row.data)
    return content.samples, content.misses


def _expiry(seconds: int, alarm: Alarm) -> int:
    """The watermark at which no evaluation looks back at a sample's period any more."""
    start = seconds - seconds % alarm.period
    looked_back = (alarm.evaluation_periods + 1) * alarm.period + (alarm.within or 0)
    return start + looked_back + alarm.allowed_lateness
