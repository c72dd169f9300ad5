"""Reads a Kinesis data stream, polling its shards within the limits of the service.

One process reads the whole stream. Memory is bounded: nothing is requested before the records of the last
round are delivered, and a round reads `parallel` shards, at most 10 MiB of each.

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
from trailsieve.errors import SourceError, counted
from trailsieve.model import Message, Offset, Position, watermark_message
from trailsieve.ports import RunContext
from trailsieve.sources.identity import verified
from trailsieve.sources.kinesis.shard_reader import ShardReader
from trailsieve.sources.kinesis.shards import AT_TIME, SHARD_END, TRIM_HORIZON, Shard, Shards, shard_of
from trailsieve.times import iso_time
from trailsieve.trail.selection import Selection
from trailsieve.wire.aws import AwsConfig, client, explained, fault
from trailsieve.wire.kinesis_records import read_records_fast

_LIST_EVERY = 60.0  # seconds between two listings of the shards; a shard that ends causes another
_LIST_AGAIN = 5.0  # seconds until the next listing after one that failed
_UNKNOWN_STREAM = (
    "kinesis:DescribeStreamSummary is refused: whether the checkpoint is of this stream cannot be verified"
)
_LONGEST_WAIT = 1.0  # seconds that a poll without records takes


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings of the source.

    Attributes:
        stream: the stream's name, or its ARN, which is needed for a stream of another account.
        start: where to start without a checkpoint: trim_horizon (the oldest record), latest (new records
            only), or a time in ISO 8601.
        parallel: how many shards are read at once; each response has up to 10 MiB.
    """

    stream: str
    start: str = "trim_horizon"
    parallel: int = 4

    def __post_init__(self) -> None:
        if self.start not in ("trim_horizon", "latest") and not iso_time(self.start):
            raise ValueError("`start` must be trim_horizon, latest or a time such as 2026-03-14T00:00:00Z")
        if self.parallel < 1:
            raise ValueError("`parallel` must be at least 1")


def open_source(config: Config, context: RunContext) -> KinesisSource:
    """The source for these settings. Does not connect.

    Raises:
        SourceError: AWS credentials or the region are missing.
    """
    return KinesisSource(config, context)


class KinesisSource:
    """The records of a round over the shards that are due.

    The offset of a position is the sequence number after which to continue. Markers hold what else must be
    known after a restart: where a shard without records starts, and that a shard has ended.
    """

    whole_objects = False
    open_reader = None
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
            self._data = self._client(1)  # the shard readers retry
        self._region = self._control.meta.region_name
        self._pool = ThreadPoolExecutor(config.parallel, "kinesis")
        self._known: Mapping[str, Offset] = {}
        self._verified = False  # whether the stream is that of the checkpoint
        self._shards = Shards({}, self._first_offset, self._info)
        self._readers: dict[str, ShardReader] = {}
        self._markers: list[Message] = []
        self._unfinished: set[str] = set()  # shards that alarms wait for
        self._list_at = 0.0
        self._listed = True  # whether the last listing succeeded
        self._now = ""

    def start(self, positions: Mapping[str, Offset]) -> None:
        mark = f"{self.name}/"
        offsets = {
            shard.removeprefix(mark): str(at) for shard, at in positions.items() if shard.startswith(mark)
        }
        self._shards = Shards(offsets, self._first_offset, self._info)
        self._known = positions
        self._list_again()

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
            if reader.complete_at is not None and not reader.ended:  # its children are to be told first
                messages.append(watermark_message(reader.name, reader.complete_at))
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
        """Does nothing: an iterator that expires meanwhile is replaced."""

    def commit(self, positions: Iterable[Position]) -> None:
        """Does nothing: Kinesis keeps no positions, so the checkpoint has them."""

    def check(self) -> str:
        shards = self._list_shards()
        reader = self._reader(shards[0].id, TRIM_HORIZON)
        with self._explained("GetRecords"):
            reader.try_once()
        still_open = counted(sum(not shard.closed for shard in shards), "open shard")
        unknown = "" if self._identity() else "; kinesis:DescribeStreamSummary is refused"
        return f"stream {self.name} in {self._region}: {still_open}, records can be read{unknown}"

    def close(self) -> None:
        self._pool.shutdown()

    # --- shards ---

    def _list(self) -> None:
        """Lists the shards and starts readers for those that may be read."""
        if not self._verified:
            self._markers += verified(self._known, {"kind": "kinesis", **self._identity()})
            self._verified = True
        for shard, offset in self._shards.listed(self._list_shards()):
            self._markers.append(self._marker(shard, offset))
        self._tell_unfinished()
        readable = self._shards.readable()
        self._readers = {
            shard: self._readers.get(shard) or self._reader(shard, self._shards.offsets[shard])
            for shard in readable
        }
        self._list_at = self._clock() + _LIST_EVERY

    def _tell_unfinished(self) -> None:
        """Tells which shards are still to be read; children are told before their parents end."""
        unfinished = {f"{self.name}/{shard}" for shard in self._shards.unfinished()}
        self._markers += [watermark_message(shard) for shard in sorted(unfinished - self._unfinished)]
        ended = sorted(self._unfinished - unfinished)
        self._markers += [watermark_message(shard, ended=True) for shard in ended]
        self._unfinished = unfinished

    def _identity(self) -> dict[str, str]:
        """The stream's ARN and the time of its creation; nothing if the permission is missing."""
        from botocore.exceptions import ClientError

        try:
            with self._explained("DescribeStreamSummary"):
                answer = self._control.describe_stream_summary(**self._which)["StreamDescriptionSummary"]
        except SourceError as error:
            if not isinstance(error.__context__, ClientError) or fault(error.__context__) != "refused":
                raise
            self._info(_UNKNOWN_STREAM)
            return {}
        return {"stream": answer["StreamARN"], "created": answer["StreamCreationTimestamp"].isoformat()}

    def _list_again(self) -> None:
        """Lists the shards; postpones the listing if Kinesis cannot be reached."""
        try:
            self._list()
            if not self._listed:
                self._context.reachable(True)
            self._listed = True
        except SourceError as error:
            if error.__context__ is None or fault(error.__context__) != "later":  # type: ignore[arg-type]
                raise
            if self._listed:
                self._context.reachable(False)
                self._context.info(f"{error}; retrying")
            self._listed = False
            self._list_at = self._clock() + _LIST_AGAIN

    def _list_shards(self) -> list[Shard]:
        shards: list[Shard] = []
        asked: dict[str, str] = self._which
        while asked:
            with self._explained("ListShards"):
                answer = self._control.list_shards(**asked)
            shards += map(shard_of, answer["Shards"])
            self._now = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
            asked = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
        return shards

    def _first_offset(self, shard: Shard) -> str:
        """Where a shard starts when nothing is known of the stream.

        `latest` is a time of AWS's clock, not the iterator type LATEST. So records that arrive while the
        service is down are read after a restart, even from a shard that had none before.
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
        name = f"{self.name}/{shard}"
        return ShardReader(self._data, self._which, name, shard, offset, self._clock, self._context)

    def _due(self) -> list[ShardReader]:
        """The readers that are due, those that have waited longest first."""
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
        made = client(
            "kinesis",
            config,
            retries=retries,
            read_timeout=20,
            connect_timeout=10,
            max_pool_connections=self._config.parallel,
        )
        read_records_fast(made)
        return made

    def _explained(self, action: str) -> Any:
        return explained(f"stream {self.name} in {self._region}: {action} failed", SourceError)

    def _info(self, text: str) -> None:
        self._context.info(f"stream {self.name}: {text}")
