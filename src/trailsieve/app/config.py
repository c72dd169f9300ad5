"""The settings of a configuration file. Those of a source or sink are the `Config` of its module."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

from trailsieve.engine.routing import Routing
from trailsieve.times import duration_seconds, fraction_seconds
from trailsieve.toml_file import AtLeastOne, Duration, NotNegative
from trailsieve.wire.aws import AwsConfig


class RulesConfig(Struct, forbid_unknown_fields=True, kw_only=True):
    """One `[[rules]]` table: a built-in pack, or a file or folder of rules.

    Attributes:
        pack: the name of a built-in pack.
        path: a rule file, or a folder of them.
    """

    pack: str = ""
    path: str = ""

    def __post_init__(self) -> None:
        if bool(self.pack) == bool(self.path):
            raise ValueError("give either `pack` or `path`")

    @property
    def name(self) -> str:
        """Returns the name or the path."""
        return self.pack or self.path


class CheckpointConfig(Struct, forbid_unknown_fields=True, kw_only=True):
    """`[checkpoint]`: the file with positions, alert ids and the state of alarms.

    Attributes:
        path: the state file.
        ids: how many alert ids it keeps to recognize repeated alerts.
        every: how long delivered alerts and positions may wait to be saved together, such as 200ms.
    """

    path: str = "trailsieve.db"
    ids: AtLeastOne = 200_000
    every: Duration = "200ms"

    def __post_init__(self) -> None:
        fraction_seconds(self.every, "every")


class AlarmsConfig(AwsConfig, forbid_unknown_fields=True, kw_only=True):
    """`[alarms]`: how alarms on a stream are evaluated, with the AWS settings of the table of a shared state.

    Attributes:
        max_wait: how long alarms wait for a shard that is behind before they continue without it, such as
            1h; by default they wait for as long as it takes.
        state: `local` counts what this process reads, `dynamodb` what all processes with the same table read.
        table: name or ARN of the table.
    """

    max_wait: Duration = ""
    state: Literal["local", "dynamodb"] = "local"
    table: str = ""

    def __post_init__(self) -> None:
        if self.max_wait:
            duration_seconds(self.max_wait, "max_wait")
        if self.state == "dynamodb" and not self.table:
            raise ValueError('`state = "dynamodb"` needs the name of a `table`')
        if self.state == "local" and self.table:
            raise ValueError('`table` needs `state = "dynamodb"`')


class DeadLettersConfig(Struct, forbid_unknown_fields=True, kw_only=True):
    """`[dead_letters]`: the file for what cannot be read, and how much of it stops the run.

    Attributes:
        path: the file for messages and records that cannot be read.
        alerts: the file for alerts that a sink never accepted; next to `path` by default.
        max_ratio: share of unreadable messages above which the run stops; 1 never stops it.
        after: how many messages the share is taken of.
    """

    path: str = "dead-letters.jsonl"
    alerts: str = ""
    max_ratio: float = 1.0
    after: AtLeastOne = 1000


class RunConfig(Struct, forbid_unknown_fields=True, kw_only=True):
    """`[run]`: settings of the process.

    Attributes:
        workers: processes that read whole objects; 0 for one per processor.
        max_object_size: limit for one object after decompression, such as 256MiB.
        limits: whether to refuse patterns that CloudWatch refuses for their size.
        heartbeat: how often a heartbeat is sent to the sinks, such as 5m; never by default.
    """

    workers: NotNegative = 0
    max_object_size: str = "256MiB"
    limits: bool = True
    heartbeat: Duration = ""

    def __post_init__(self) -> None:
        if self.heartbeat:
            duration_seconds(self.heartbeat, "heartbeat")


class Part(Struct):
    """A source or sink: its kind, its settings, and the routing of a sink."""

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
    alarms: AlarmsConfig
    workers: int = 0
    max_object_size: str = "256MiB"
    limits: bool = True
    heartbeat: float = 0
