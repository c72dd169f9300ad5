"""The state of the alarms as entries: a snapshot first, then what changed, entry by entry.

An entry counts once the head names it. What no head names was written by a process that died or was replaced.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Mapping, Sequence

import msgspec

from trailsieve.alarms.shared.table import MAX_ITEM, Item, Table

State = dict[str, bytes | None]
_STATE = "state"
MOST_ENTRIES = 50

_decode = msgspec.msgpack.Decoder(State).decode


def write_entry(table: Table, changes: Mapping[str, bytes | None]) -> str:
    """Writes an entry; returns its name."""
    name = uuid.uuid4().hex
    data = zlib.compress(msgspec.msgpack.encode(changes), 1)
    for number, start in enumerate(range(0, len(data), MAX_ITEM)):
        table.put(Item(_STATE, f"{name}/{number:04d}", data[start : start + MAX_ITEM]))
    return name


def read_entries(table: Table, names: Sequence[str]) -> dict[str, bytes]:
    """The state that entries make up; removes all others from the table."""
    parts: dict[str, list[Item]] = {name: [] for name in names}
    for item in list(table.query(_STATE)):
        name = item.sk.partition("/")[0]
        if name in parts:
            parts[name].append(item)
        else:
            table.delete(item.pk, item.sk)
    state: dict[str, bytes] = {}
    for found in parts.values():
        apply(state, _decode(zlib.decompress(b"".join(item.data for item in found))))
    return state


def apply(state: dict[str, bytes], changes: Mapping[str, bytes | None]) -> None:
    """Makes changes to a state."""
    for key, value in changes.items():
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value


def delete_entries(table: Table, names: Sequence[str]) -> None:
    """Removes entries that no head names any more."""
    for name in names:
        for item in list(table.query(_STATE, f"{name}/", f"{name}/~")):
            table.delete(item.pk, item.sk)
