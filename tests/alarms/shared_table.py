"""A shared table in memory, whose processes can die at any of their requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from trailsieve.alarms.shared.table import Item


class DiedError(Exception):
    """A process died."""


@dataclass
class MemoryTable:
    """See `Table`. `die` is asked before and after each request; a request that was made stays made."""

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    die: Callable[[], bool] = lambda: False
    requests: int = 0

    def query(self, pk: str, first: str = "", last: str = "~") -> Iterator[Item]:
        self._request()
        keys = sorted(key for key in self.items if key[0] == pk and first <= key[1] <= last)
        return iter([self.items[key] for key in keys])

    def put(self, item: Item) -> None:
        self._request()
        self.items[item.pk, item.sk] = item
        self._request()

    def swap(self, item: Item, version: str) -> bool:
        self._request()
        known = self.items.get((item.pk, item.sk))
        if (known.version if known else "") != version:
            return False
        self.put(item)
        return True

    def delete(self, pk: str, sk: str) -> None:
        self._request()
        self.items.pop((pk, sk), None)

    def _request(self) -> None:
        self.requests += 1
        if self.die():
            raise DiedError
