"""Recent alert ids in bounded memory, so an event that is delivered twice raises one alert."""

from __future__ import annotations

DEFAULT_CAPACITY = 200_000  # ids, some 16 MB


class RecentIds:
    """Remembers between half of `capacity` and `capacity` of the latest ids.

    When the young set holds half of the capacity, it becomes the old set, and the ids of the previous old set
    are forgotten. An id that is seen again becomes young.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._half = max(1, capacity // 2)
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()

    def add(self, identity: str) -> bool:
        """Remembers an id; returns whether it is new."""
        key = _packed(identity)
        if key in self._young:
            return False
        is_new = key not in self._old
        if len(self._young) >= self._half:
            self._old, self._young = self._young, set()
        self._young.add(key)
        return is_new


def _packed(identity: str) -> bytes:
    """Alert ids are hexadecimal; as bytes they take half the memory."""
    try:
        return bytes.fromhex(identity)
    except ValueError:
        return b"\0" + identity.encode()
