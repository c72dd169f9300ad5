"""When which series is to be looked at, so that closing costs what closes and not what is open."""

from __future__ import annotations

from heapq import heappop, heappush

from trailsieve.alarms.datapoint import Dimensions

ShortKey = Dimensions | str  # of a single dimension the value is enough, which takes half of the memory


class Agenda:
    """The dimensions of series by event time, in seconds since 1970."""

    def __init__(self) -> None:
        self._times: list[int] = []  # a heap
        self._keys: dict[int, dict[ShortKey, None]] = {}

    def add(self, time: int, key: ShortKey) -> None:
        """Notes that a series is to be looked at once everything up to a time is complete."""
        keys = self._keys.get(time)
        if keys is None:
            keys = self._keys[time] = {}
            heappush(self._times, time)
        keys[key] = None

    def take(self, upto: int) -> dict[ShortKey, None]:
        """Returns what is noted for times until `upto`, each once, and forgets it."""
        taken: dict[ShortKey, None] = {}
        while self._times and self._times[0] <= upto:
            keys = self._keys.pop(heappop(self._times))
            if taken:
                taken |= keys
            else:
                taken = keys  # without a copy: in a replay these are all
        return taken
