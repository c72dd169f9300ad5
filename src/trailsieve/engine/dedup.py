"""Ids seen lately, in bounded memory: what is delivered twice is raised once."""

from __future__ import annotations

DEFAULT_CAPACITY = 200_000  # ids, some 16 MB


class RecentIds:
    """Remembers the last ids: at least half of `capacity`, never more than all of it.

    Two sets take turns: when the young one holds half of the capacity it becomes the old one, and the ids of
    the old one are forgotten at once. An id that is met again stays young.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._half = max(1, capacity // 2)
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def add(self, identity: str) -> bool:
        """Remembers an id; True when it is new."""
        key = _packed(identity)
        if key in self._young:
            return False
        is_new = key not in self._old
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()
        self._young.add(key)
        return is_new


def _packed(identity: str) -> bytes:
    """The ids of alerts are hexadecimal, which takes half the room in bytes."""
    try:
        return bytes.fromhex(identity)
    except ValueError:
        return b"\0" + identity.encode()
