"""Whose positions a checkpoint holds. A topic or stream of the same name may be another one.

The parts of a source's identity are saved as positions, so they are part of the same transactions.
"""

from __future__ import annotations

from collections.abc import Mapping

from trailsieve.errors import OtherSourceError
from trailsieve.model import IDENTITY, Message, Offset, Position


def verified(known: Mapping[str, Offset], parts: Mapping[str, str]) -> list[Message]:
    """Markers that save the parts of a source's identity that its checkpoint does not have yet.

    Args:
        known: the positions of the checkpoint.
        parts: the source's identity: by the name of each part, its value.

    Raises:
        OtherSourceError: the checkpoint is that of another source.
    """
    changed = [
        f"{part} was {known[IDENTITY + part]} and is {value}"
        for part, value in parts.items()
        if known.get(IDENTITY + part, value) != value
    ]
    if changed:
        raise OtherSourceError(changed)
    new = {IDENTITY + part: value for part, value in parts.items() if IDENTITY + part not in known}
    return [Message(b"", Position(shard, value), shard, marker=True) for shard, value in new.items()]
