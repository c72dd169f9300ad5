"""Alerts that were raised before their period was closed, until a final one confirms or replaces each."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Provisional(msgspec.Struct, array_like=True):
    """An alert that was raised before its period was closed.

    Attributes:
        end: where its last period ends; its alarm is raised for good there or earlier.
        delivered: whether every required sink took it; False while that is not known.
        start: a change of state that ends before it leaves the alert as it is.
    """

    end: int
    delivered: bool = False
    start: int = 0


def settle(provisional: dict[str, Provisional], identity: str, end: int) -> tuple[str, bool]:
    """Ends the provisional alert that a change to ALARM confirms or replaces.

    Args:
        identity: the id of the change's alert.
        end: where its last period ends.

    Returns:
        The id of the provisional alert that it replaces, or ""; and whether it confirms one that was
        delivered under the same id.
    """
    known = provisional.pop(identity, None)
    if known:
        return "", known.delivered
    later = [(item.end, name) for name, item in provisional.items() if item.start <= end <= item.end]
    if not later:
        return "", False
    _, replaced = min(later)
    del provisional[replaced]
    return replaced, False


def interrupted(provisional: Mapping[str, Provisional]) -> set[str]:
    """The ids of the alerts of which a crash left unknown whether they were delivered."""
    return {identity for identity, item in provisional.items() if not item.delivered}


def with_announced(provisional: Mapping[str, Provisional], data: bytes) -> dict[str, Provisional]:
    """The alerts together with encoded ones of which it is not known whether they were delivered."""
    announced = _decode(data)
    for item in announced.values():
        item.delivered = False
    return {**announced, **provisional}


_decode = msgspec.msgpack.Decoder(dict[str, Provisional]).decode
