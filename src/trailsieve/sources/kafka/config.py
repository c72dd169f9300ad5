"""Settings of the Kafka source."""

from __future__ import annotations

from typing import Literal

from trailsieve.wire.kafka import KafkaConfig


class Config(KafkaConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings of the source.

    Attributes:
        topics: the names of the topics.
        group: the consumer group. Its members share the partitions; each needs its own checkpoint.
        group_instance_id: a name for this member that stays the same across restarts. A restart within
            `session_timeout` then moves no partition, and one after a crash need not wait for it.
        start: where a group without committed offsets starts: earliest, or latest (new records only).
            Otherwise reading continues from the group or the checkpoint, whichever is further.
        max_poll_records: the most records in one epoch.
        session_timeout: seconds after which the group reassigns the partitions of a silent member.
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
            raise ValueError("`topics` is empty")
        if not self.group:
            raise ValueError("`group` is empty")
        if self.max_poll_records < 1:
            raise ValueError("`max_poll_records` must be at least 1")
