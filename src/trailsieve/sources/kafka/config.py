"""Settings of the Kafka source."""

from __future__ import annotations

from typing import Literal

from trailsieve.wire.kafka import KafkaConfig


class Config(KafkaConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        topics: their names.
        group: the consumer group. Its members share the partitions; each needs a checkpoint of its own.
        group_instance_id: a name for this member that stays the same over restarts: then a restart within
            `session_timeout` moves no partition, and one after a crash need not wait for it.
        start: where a group begins that has committed nothing yet: earliest, or latest (what comes from now
            on). Otherwise it goes on where the group or the checkpoint stands, whichever is further.
        max_poll_records: records of one epoch at most.
        session_timeout: seconds after which the group gives a silent member's partitions to others.
    """

    topics: list[str]
    group: str = "trailsieve"
    group_instance_id: str | None = None
    start: Literal["earliest", "latest"] = "earliest"
    max_poll_records: int = 10_000
    session_timeout: float = 45.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.topics:
            raise ValueError("`topics` names no topic")
        if not self.group:
            raise ValueError("`group` is empty")
        if self.max_poll_records < 1:
            raise ValueError("`max_poll_records` is at least 1")
