"""A shared table in memory, whose processes can die at any of their requests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from trailsieve.alarms.shared.table import Item


class DiedError(Exception):
    """A process died."""


@dataclass
class MemoryTable:
    """See `Table`. A request that was made stays made.

    Attributes:
        meanwhile: called before each request, after each write and between the items of a query: other
            processes make requests of their own, or this one dies.
    """

    meanwhile: Callable[[], None] = lambda: None
    items: dict[tuple[str, str], Item] = field(default_factory=dict)

    def query(self, pk: str, first: str = "", last: str = "~") -> Iterator[Item]:
        self.meanwhile()
        for key in sorted(key for key in self.items if key[0] == pk and first <= key[1] <= last):
            if key in self.items:
                yield self.items[key]
            self.meanwhile()

    def put(self, item: Item) -> None:
        self.meanwhile()
        self.items[item.pk, item.sk] = item
        self.meanwhile()

    def swap(self, item: Item, version: str) -> bool:
        self.meanwhile()
        known = self.items.get((item.pk, item.sk))
        if (known.version if known else "") != version:
            return False
        self.items[item.pk, item.sk] = item
        self.meanwhile()
        return True

    def delete(self, pk: str, sk: str) -> None:
        self.meanwhile()
        self.items.pop((pk, sk), None)
