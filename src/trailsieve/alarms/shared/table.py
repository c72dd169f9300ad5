"""The table that processes share, as far as alarms need one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

MAX_ITEM = 380_000  # bytes of data; DynamoDB takes items of up to 400 KB


class Item(Struct, frozen=True):
    """One item.

    Attributes:
        pk: the partition key.
        sk: the sort key; items of one `pk` are in its order.
        version: what `swap` compares; "" for items that are only put.
        ttl: seconds since 1970 after which the table may drop the item; 0 for never.
    """

    pk: str
    sk: str
    data: bytes
    version: str = ""
    ttl: int = 0


class Table(Protocol):
    """Every read sees every write that returned before it. Calls block until the table answers."""

    def query(self, pk: str, first: str = "", last: str = "~") -> Iterator[Item]:
        """Returns the items of a partition key from one sort key to another, both included."""

    def put(self, item: Item) -> None:
        """Writes an item, in place of one with the same keys."""

    def swap(self, item: Item, version: str) -> bool:
        """Writes an item if the one there has this version ("" for no item); returns whether it did."""

    def delete(self, pk: str, sk: str) -> None:
        """Removes an item, if there is one."""
