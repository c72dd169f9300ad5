"""A Kinesis data stream, polled shard by shard within the limits of the service.

One process reads the whole stream. What it holds is bounded: nothing is asked for before the records of the
last round are delivered, and a round asks `parallel` shards for at most 10 MiB each.

Source: docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from trailsieve import arn
from trailsieve.errors import SourceError
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import RunContext
from trailsieve.sources.kinesis.shard_reader import ShardReader
from trailsieve.sources.kinesis.shards import AT_TIME, SHARD_END, TRIM_HORIZON, Shard, Shards, shard_of
from trailsieve.times import iso_time
from trailsieve.trail.selection import Selection
from trailsieve.wire.aws import AwsConfig, client, explained, fault

_LIST_EVERY = 60.0  # seconds; a list is also asked for whenever a shard ends
_LIST_AGAIN = 5.0  # seconds, after a list could not be had
_LONGEST_WAIT = 1.0  # seconds of one poll without records


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        stream: the stream's name, or its ARN, which a stream of another account needs.
        start: where to begin when the checkpoint knows nothing of the stream: trim_horizon (the oldest
            record), latest (what comes from now on), or a time in ISO 8601.
        parallel: how many shards are asked at once; each answer is up to 10 MiB.
    """

    stream: str
    start: str = "trim_horizon"
    parallel: int = 4

    def __post_init__(self) -> None:
        if self.start not in ("trim_horizon", "latest") and not iso_time(self.start):
            raise ValueError("`start` is trim_horizon, latest or a time such as 2026-03-14T00:00:00Z")
        if self.parallel < 1:
            raise ValueError("`parallel` is at least 1")


def open_source(config: Config, context: RunContext) -> KinesisSource:
    """A stream as a source."""
    return KinesisSource(config, context)


class KinesisSource:
    """Yields the records of a round over the shards whose turn it is.

    A position's offset is the sequence number behind which to go on. Markers keep what else must be known
    after a restart: where a shard begins that has yielded nothing yet, and that a shard has ended.
    """

    whole_objects = False
    ordered = True
    selection = Selection()
    exhausted = False

    def __init__(
        self,
        config: Config,
        context: RunContext,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._context = context
        self._clock = clock
        self._sleep = sleep
        stream = arn.parse(config.stream)
        is_arn = bool(stream.service)
        self.name = config.stream.rpartition("/")[2] if is_arn else config.stream
        self._which = {"StreamARN" if is_arn else "StreamName": config.stream}
        self._region = config.region or stream.region or None
        with explained(f"stream {self.name}", SourceError):
            self._control = self._client(3)
            self._data = self._client(1)  # a shard that refuses is asked again when its turn comes
        self._region = self._control.meta.region_name
        self._pool = ThreadPoolExecutor(config.parallel, "kinesis")
        self._shards = Shards({}, self._first, self._say)
        self._readers: dict[str, ShardReader] = {}
        self._markers: list[Message] = []
        self._list_at = 0.0
        self._now = ""

    def start(self, positions: Mapping[str, Offset]) -> None:
        mark = f"{self.name}/"
        offsets = {
            shard.removeprefix(mark): str(at) for shard, at in positions.items() if shard.startswith(mark)
        }
        self._shards = Shards(offsets, self._first, self._say)
        self._list()

    def poll(self) -> Sequence[Message]:
        if self._clock() >= self._list_at:
            self._list_again()
        messages, self._markers = self._markers, []
        readers = self._due()
        if not readers and not messages:
            self._wait()
            readers = self._due()
        for reader, records in zip(readers, self._pool.map(ShardReader.read, readers), strict=True):
            messages += records
            if reader.ended:
                messages.append(self._marker(reader.shard, SHARD_END))
                self._shards.ended(reader.shard)
                del self._readers[reader.shard]
            if reader.ended or reader.unknown:
                self._list_at = 0.0
        lag = max((reader.behind for reader in self._readers.values()), default=0.0)
        self._context.gauge("kinesis_lag_seconds", lag)
        return messages

    def keep_alive(self) -> None:
        """Nothing slips away: an iterator that expires meanwhile is made anew."""

    def commit(self, positions: Iterable[Position]) -> None:
        """The checkpoint is all that there is: Kinesis keeps no positions."""

    def check(self) -> str:
        shards = self._answered()
        reader = self._reader(shards[0].id, TRIM_HORIZON)
        with self._explained("GetRecords"):
            reader.try_once()
        still_open = sum(not shard.closed for shard in shards)
        return f"stream {self.name} in {self._region}: {still_open} open shards, records can be read"

    def close(self) -> None:
        self._pool.shutdown()

    # --- shards ---

    def _list(self) -> None:
        """Asks which shards there are, and begins to read those that may be read."""
        for shard, offset in self._shards.listed(self._answered()):
            self._markers.append(self._marker(shard, offset))
        readable = self._shards.readable()
        self._readers = {
            shard: self._readers.get(shard) or self._reader(shard, self._shards.offsets[shard])
            for shard in readable
        }
        self._list_at = self._clock() + _LIST_EVERY

    def _list_again(self) -> None:
        """The same while shards are being read: an answer that cannot be had now can wait."""
        try:
            self._list()
        except SourceError as error:
            if error.__context__ is None or fault(error.__context__) != "later":  # type: ignore[arg-type]
                raise
            self._list_at = self._clock() + _LIST_AGAIN

    def _answered(self) -> list[Shard]:
        shards: list[Shard] = []
        asked: dict[str, str] = self._which
        while asked:
            with self._explained("ListShards"):
                answer = self._control.list_shards(**asked)
            shards += map(shard_of, answer["Shards"])
            self._now = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
            asked = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
        return shards

    def _first(self, shard: Shard) -> str:
        """Where a shard begins when nothing is known of the stream.

        "Latest" is a time by AWS's clock, not the iterator LATEST: so what arrives while we are down is read
        after a restart, even in a shard that had no record before.
        """
        if self._config.start == "trim_horizon":
            return TRIM_HORIZON
        if start := iso_time(self._config.start):
            return AT_TIME + start.isoformat()
        if shard.closed:
            return SHARD_END
        now = parsedate_to_datetime(self._now) if self._now else datetime.now(UTC)
        return AT_TIME + now.isoformat()

    def _marker(self, shard: str, offset: Offset) -> Message:
        name = f"{self.name}/{shard}"
        return Message(b"", Position(name, offset), name, marker=True)

    # --- readers ---

    def _reader(self, shard: str, offset: str) -> ShardReader:
        return ShardReader(self._data, self._which, self.name, shard, offset, self._clock, self._say)

    def _due(self) -> list[ShardReader]:
        """The readers whose turn it is, those that wait longest first."""
        now = self._clock()
        due = sorted((r for r in self._readers.values() if r.due <= now), key=lambda reader: reader.due)
        return due[: self._config.parallel]

    def _wait(self) -> None:
        now = self._clock()
        next_due = min((reader.due for reader in self._readers.values()), default=now + _LONGEST_WAIT)
        self._sleep(min(max(next_due - now, 0.0), _LONGEST_WAIT))

    def _client(self, attempts: int) -> Any:
        config = msgspec.structs.replace(self._config, region=self._region)
        retries = {"mode": "standard", "total_max_attempts": attempts}
        return client(
            "kinesis",
            config,
            retries=retries,
            read_timeout=20,
            connect_timeout=10,
            max_pool_connections=self._config.parallel,
        )

    def _explained(self, action: str) -> Any:
        return explained(f"stream {self.name} in {self._region}: {action} failed", SourceError)

    def _say(self, text: str) -> None:
        self._context.info(f"stream {self.name}: {text}")
