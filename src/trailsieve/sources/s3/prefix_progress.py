"""How far one prefix of a bucket has been read. Its size does not grow with the number of objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from trailsieve.model import Offset
from trailsieve.sources.s3.listing import ListingPrefix
from trailsieve.trail.layout import parse_key

_COUNTED = timedelta(days=1)  # before the look-back window


class PrefixProgress:
    """The last key read under a prefix, and which keys in the look-back window before it are done.

    An object may be listed later than one whose name has a later time. So every listing starts `look_back`
    before the last key, and the objects done within this window are remembered by name. Those done in the
    day before the window are counted by the hour in their names: an hour that lists more objects has late
    ones. Outside CloudTrail's layout names do not contain times, and there is only the last key.

    The offset has three lines: the last key, the ends of the names in the window, and `hour:count` pairs.
    Offsets of earlier versions lack the counts.
    """

    def __init__(self, prefix: ListingPrefix, look_back: timedelta, offset: Offset = "") -> None:
        self._prefix_of = prefix
        self._look_back = look_back if prefix.kind else timedelta(0)
        lines = [*str(offset).split("\n"), ""]
        self._last = lines[0]
        self._done = dict.fromkeys(lines[1].split())
        self.has_counts = not offset or len(lines) > 3
        self._counts = _parse_counts(lines[2]) if len(lines) > 3 else {}

    @property
    def offset(self) -> str:
        if not self._done:
            return self._last
        lines = [self._last, " ".join(self._done)]
        if self.has_counts:
            lines.append(",".join(f"{hour}:{count}" for hour, count in self._counts.items()))
        return "\n".join(lines)

    @property
    def after(self) -> str:
        """The key after which to list; "" if nothing has been read."""
        begin = self._window()
        return self._prefix_of.start_of(begin) if begin else self._last

    @property
    def counted_after(self) -> str:
        """The key after which the objects up to `after` are counted; "" if none are."""
        begin = self._counted_from()
        return self._prefix_of.start_of(begin) if begin else ""

    def is_done(self, key: str) -> bool:
        """Whether the object with this key has been read."""
        return _tail(key) in self._done or (key == self._last if self._window() else key <= self._last)

    def add(self, key: str) -> None:
        """Marks an object as read, and counts the names that have left the window."""
        if self._look_back:
            self._done[_tail(key)] = None
        if key <= self._last:
            return
        self._last = key
        if begin := self._window():
            first = f"{begin:%Y%m%dT%H%M}"
            left = [tail for tail in self._done if tail < first]
            for tail in left:
                del self._done[tail]
            if self.has_counts:
                self._count(left)

    def count_of(self, hour: str) -> int:
        """How many objects of an hour were read that are older than the window."""
        return self._counts.get(hour, 0)

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Replaces the counts of some hours by what is listed."""
        self._counts = dict(sorted({**self._counts, **counts}.items()))
        self.has_counts = True

    def _count(self, tails: Iterable[str]) -> None:
        begin = self._counted_from()
        first = f"{begin:%Y%m%dT%H}" if begin else ""
        counts = Counter(self._counts)
        counts.update(tail[:11] for tail in tails)
        self._counts = {hour: counts[hour] for hour in sorted(counts) if hour >= first}

    def _counted_from(self) -> datetime | None:
        begin = self._window()
        return (begin - _COUNTED).replace(minute=0, second=0) if begin else None

    def _window(self) -> datetime | None:
        key = parse_key(self._last) if self._look_back else None
        return key.delivered - self._look_back if key else None


def hour_of(key: str) -> str:
    """The hour in an object's name, such as `20260314T02`."""
    return _tail(key)[:11]


def _tail(key: str) -> str:
    """The time and the random part of an object's name, which are unique under a prefix."""
    return key.rpartition("/")[2].split("_", 3)[-1].replace(" ", "%20")


def _parse_counts(line: str) -> dict[str, int]:
    pairs = (pair.partition(":") for pair in line.split(",") if pair)
    return {hour: int(count) for hour, _, count in pairs}
