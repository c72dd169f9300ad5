"""How far a lane of a bucket is read: all that is kept of it, however many objects it holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from trailsieve.model import Offset
from trailsieve.sources.s3.listing import Lane
from trailsieve.trail.layout import parse_key


class Place:
    """The last key of a lane, and which keys of the look-back window before it are done.

    An object may be listed after one whose name has a later time. So every listing begins `look_back` before
    the last key; what is done in this window is known by name. Outside of CloudTrail's layout names tell no
    times, and the last key is all.

    The offset is the last key and, behind a line break, the tails of the names in the window.
    """

    def __init__(self, lane: Lane, look_back: timedelta, offset: Offset = "") -> None:
        self._lane = lane
        self._look_back = look_back if lane.kind else timedelta(0)
        self._last, _, tails = str(offset).partition("\n")
        self._done = dict.fromkeys(tails.split())

    @property
    def offset(self) -> str:
        return "\n".join((self._last, " ".join(self._done))) if self._done else self._last

    @property
    def after(self) -> str:
        """The key behind which to list; "" where nothing was read yet."""
        begin = self._window()
        return self._lane.start_of(begin) if begin else self._last

    def is_done(self, key: str) -> bool:
        """Whether an object of this name was read."""
        return _tail(key) in self._done or (key == self._last if self._window() else key <= self._last)

    def add(self, key: str) -> None:
        """Notes an object as read; what leaves the window is forgotten."""
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
    """The time and random part of an object's name; with its lane it is the key."""
    return key.rpartition("/")[2].split("_", 3)[-1].replace(" ", "%20")
