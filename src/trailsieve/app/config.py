"""What a configuration file says; what sources and sinks take stands in their own files, as `Config`."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from trailsieve.engine.routing import Routing


class RulesConfig(Struct, forbid_unknown_fields=True, kw_only=True):
    """One `[[rules]]` table: a built-in pack, or a file or folder of rules."""

    pack: str = ""
    path: str = ""


class CheckpointConfig(Struct, forbid_unknown_fields=True, kw_only=True):
    """`[checkpoint]`: where the state lives. `ids` alerts are remembered so as not to be raised again."""

    path: str = "trailsieve.db"
    ids: int = 200_000


class DeadLettersConfig(Struct, forbid_unknown_fields=True, kw_only=True):
    """`[dead_letters]`: where goes what cannot be read, and how much of it ends the run.

    Attributes:
        max_ratio: share of unreadable records above which the run ends, from `after` records on.
        alerts: where go alerts that a sink never took; beside `path` when not given.
    """

    path: str = "dead-letters.jsonl"
    alerts: str = ""
    max_ratio: float = 0.5
    after: int = 1000


class Part(Struct):
    """A source or sink: its kind, its own typed settings, and of a sink how it is treated."""

    kind: str
    settings: Any
    name: str = ""
    routing: Routing = field(default_factory=Routing)


class Config(Struct):
    """A whole configuration."""

    source: Part
    sinks: list[Part]
    rules: list[RulesConfig]
    checkpoint: CheckpointConfig
    dead_letters: DeadLettersConfig
    workers: int = 0
    max_object_size: str = "256MiB"
    limits: bool = True
    heartbeat: float = 0
