"""Lets a checkpoint continue with another source than the one that it belongs to."""

from __future__ import annotations

from pathlib import Path

from trailsieve.app.config import Config
from trailsieve.engine.checkpoint import Epoch, SqliteCheckpoint
from trailsieve.errors import UsageError
from trailsieve.model import GONE, IDENTITY, Position


def accept_source(config: Config, *, keep_positions: bool) -> int:
    """Forgets the identity of the source and, unless they are kept, all positions; returns how many of them.

    Alert ids and the state of alarms stay.

    Raises:
        UsageError: there is no checkpoint.
        CheckpointError: it cannot be written, or a service is using it.
    """
    path = Path(config.checkpoint.path)
    if not path.exists():
        raise UsageError(f"{path}: no such checkpoint; the next run starts a new one")
    checkpoint = SqliteCheckpoint(path, config.checkpoint.ids)
    try:
        identity = [shard for shard in checkpoint.positions() if shard.startswith(IDENTITY)]
        positions = [shard for shard in checkpoint.positions() if not shard.startswith(IDENTITY)]
        forgotten = [] if keep_positions else positions
        checkpoint.save(Epoch([Position(shard, GONE) for shard in identity + forgotten]))
    finally:
        checkpoint.close()
    return len(forgotten)
