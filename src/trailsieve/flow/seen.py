"""Ids seen lately, in bounded memory: what is delivered twice is raised once."""

from __future__ import annotations

DEFAULT_CAPACITY = 200_000  # ids, some 25 MB


class RecentIds:
    """Remembers the last `capacity` ids."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._ids: dict[str, None] = {}

    def add(self, identity: str) -> bool:
        """Remembers an id; True when it is new."""
        if identity in self._ids:
            return False
        if len(self._ids) >= self._capacity:
            del self._ids[next(iter(self._ids))]
        self._ids[identity] = None
        return True
