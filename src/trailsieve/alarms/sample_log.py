"""Samples as the checkpoint keeps them: rows of an epoch, counted again after a restart, until they expire.

Writing what came is cheaper than writing each period again that it changed. What expires at about the same
time is in one row, so that a rule that looks back for a week does not keep the samples of all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from trailsieve.alarms.datapoint import Sample
from trailsieve.rules.alarm import Alarm

Misses = tuple[str, int, bytes]  # rule, start of the period, ids of events that did not match


class SampleRow(msgspec.Struct, frozen=True):
    """Samples of one or more epochs.

    Attributes:
        expires: the watermark, in seconds since 1970, from which on no period needs them.
        term: a number that rows share which expire about as long after they were written.
    """

    expires: int
    data: bytes
    term: int = 0


class _Content(msgspec.Struct, array_like=True):
    samples: list[Sample]
    misses: list[Misses]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Content).decode


def sample_row(
    samples: Sequence[Sample], misses: Sequence[Misses], alarms: Mapping[str, Alarm]
) -> SampleRow | None:
    """All samples and events that did not match in one row; None when there are none."""
    times = {(sample.rule, sample.seconds) for sample in samples} | {
        (rule, start) for rule, start, _ in misses
    }
    expires = max((_expiry(seconds, alarms[rule]) for rule, seconds in times), default=None)
    return None if expires is None else SampleRow(expires, _encode(_Content(list(samples), list(misses))))


def sample_rows(
    samples: Mapping[str, list[Sample]],
    misses: Sequence[Misses],
    alarms: Mapping[str, Alarm],
    watermark: int | None,
) -> list[SampleRow]:
    """The rows of an epoch's samples, which are given by rule, and of the events that did not match."""
    expiries = _Expiries(watermark)
    for rule, found in samples.items():
        times = [sample.seconds for sample in found]
        first, last = (expiries.of(seconds, alarms[rule]) for seconds in (min(times), max(times)))
        if first is last:
            first.samples += found
            continue
        for sample in found:
            expiries.of(sample.seconds, alarms[rule]).samples.append(sample)
    for miss in misses:
        expiries.of(miss[1], alarms[miss[0]]).misses.append(miss)
    return expiries.rows()


def samples_of(row: SampleRow) -> tuple[list[Sample], list[Misses]]:
    """The samples of a row, and the events that did not match."""
    content = _decode(row.data)
    return content.samples, content.misses


class _Expiries:
    """The contents of rows by their term: how long after the watermark they expire, within a factor of 16."""

    def __init__(self, watermark: int | None) -> None:
        self._watermark = watermark
        self._contents: dict[int, _Content] = {}
        self._expires: dict[int, int] = {}

    def of(self, seconds: int, alarm: Alarm) -> _Content:
        """The content of the row for an event of that time."""
        expires = _expiry(seconds, alarm)
        since = seconds if self._watermark is None else self._watermark
        term = max(0, expires - since).bit_length() // 4
        self._expires[term] = max(expires, self._expires.get(term, expires))
        return self._contents.setdefault(term, _Content([], []))

    def rows(self) -> list[SampleRow]:
        """The encoded rows."""
        return [
            SampleRow(self._expires[term], _encode(content), term) for term, content in self._contents.items()
        ]


def _expiry(seconds: int, alarm: Alarm) -> int:
    """The watermark at which no evaluation looks back at a sample's period any more."""
    start = seconds - seconds % alarm.period
    looked_back = (alarm.evaluation_periods + 1) * alarm.period + (alarm.within or 0)
    return start + looked_back + alarm.allowed_lateness
