"""How far one prefix of a bucket has been read. Its size does not grow with the number of objects."""

from __future__ import annotations

from datetime import datetime, timedelta

from trailsieve.model import Offset
from trailsieve.sources.s3.listing import ListingPrefix
from trailsieve.trail.layout import parse_key


class PrefixProgress:
    """The last key read under a prefix, and which keys in the look-back window before it are done.

    An object may be listed later than one whose name has a later time. So every listing starts `look_back`
    before the last key, and the objects done within this window are remembered by name. Outside CloudTrail's
    layout names do not contain times, and there is only the last key.

    The offset is the last key and, after a line break, the ends of the names in the window.
    """

    def __init__(self, prefix: ListingPrefix, look_back: timedelta, offset: Offset = "") -> None:
        self._prefix_of = prefix
        self._look_back = look_back if prefix.kind else timedelta(0)
        self._last, _, tails = str(offset).partition("\n")
        self._done = dict.fromkeys(tails.split())

    @property
    def offset(self) -> str:
        return "\n".join((self._last, " ".join(self._done))) if self._done else self._last

    @property
    def after(self) -> str:
        """The key after which to list; "" if nothing has been read."""
        begin = self._window()
        return self._prefix_of.start_of(begin) if begin else self._last

    def is_done(self, key: str) -> bool:
        """Whether the object with this key has been read."""
        return _tail(key) in self._done or (key == self._last if self._window() else key <= self._last)

    def add(self, key: str) -> None:
        """Marks an object as read and forgets the names that have left the window."""
        if self._look_back:
            self._done[_tail(key)] = None
        if key <= self._last:
            return
        self._last = key
        if begin := self._window():
            first = f"{begin:%Y%m%dT%H%M}"
            self._done = dict.fromkeys(tail for tail in self._done if tail >= first)

    def _window(self) -> datetime | None:
        key = parse_key(self._last) if self._look_back else None
        return key.delivered - self._look_back if key else None


def _tail(key: str) -> str:
    """The time and the random part of an object's name, which are unique under a prefix."""
    return key.rpartition("/")[2].split("_", 3)[-1].replace(" ", "%20")
