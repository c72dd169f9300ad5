"""Reads one shard of a Kinesis stream within the limits of the service.

A shard returns up to 10,000 records or 10 MiB per call and allows 5 calls and 2 MiB per second, shared by all
readers; an iterator is valid for 5 minutes.
Source: docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from trailsieve.errors import SourceError
from trailsieve.model import Message, Position
from trailsieve.ports import RunContext
from trailsieve.sources.kinesis.shards import AT_TIME, TRIM_HORIZON
from trailsieve.wire.aws import explained, fault
from trailsieve.wire.backoff import Backoff

_MOST_RECORDS = 10_000
_BETWEEN_CALLS = 0.2  # seconds: 5 calls a second
_BYTES_A_SECOND = 2 * 2**20
_CAUGHT_UP = 1.0  # seconds between calls once the newest record has been read
_LONGEST_PAUSE = 10.0
_REPORT_AFTER = 3  # failures in a row
_NO_SUCH_POSITION = {"ResourceNotFoundException", "InvalidArgumentException"}


class ShardReader:
    """Reads one shard from an offset on. `read` may be called from any one thread at a time.

    Attributes:
        due: the time of `clock` from which the shard may be read again.
        behind: how many seconds the last response was behind the newest record.
        ended: whether all records of a closed shard have been read.
        name: the stream and the shard.
        complete_at: a time at which the last response had everything in the shard; None if it had not.
        unknown: whether Kinesis does not know the shard or the offset: the shards must be listed again.
    """

    def __init__(
        self,
        client: Any,
        which: dict[str, str],
        name: str,
        shard: str,
        offset: str,
        clock: Callable[[], float],
        context: RunContext,
    ) -> None:
        self.shard = shard
        self.due = 0.0
        self.behind = 0.0
        self.ended = False
        self.unknown = False
        self._client = client
        self._which = which
        self.name = name
        self.complete_at: float | None = None
        self._now = context.now
        self._offset = offset
        self._clock = clock
        self._context = context
        self._iterator = ""
        self._backoff = Backoff(first=1.0, longest=_LONGEST_PAUSE)

    def read(self) -> list[Message]:
        """Returns the next records; none if there are none yet or Kinesis is busy. May block.

        Raises:
            SourceError: Kinesis refuses requests, and retrying will not help.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        asked_at, self.complete_at = self._now(), None
        try:
            messages = self._accept(self.try_once())
            self.complete_at = None if self.behind else asked_at
            return messages
        except (BotoCoreError, ClientError) as error:
            self._handle(error)
            return []

    def try_once(self) -> Any:
        """Returns one response of GetRecords. Raises what botocore raises."""
        self._iterator = self._iterator or self._new_iterator()
        by_arn = {key: value for key, value in self._which.items() if key == "StreamARN"}
        return self._client.get_records(ShardIterator=self._iterator, Limit=_MOST_RECORDS, **by_arn)

    def _new_iterator(self) -> str:
        position: dict[str, Any]
        if self._offset == TRIM_HORIZON:
            position = {"ShardIteratorType": TRIM_HORIZON}
        elif self._offset.startswith(AT_TIME):
            moment = datetime.fromisoformat(self._offset.removeprefix(AT_TIME))
            position = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": moment}
        else:
            position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": self._offset}
        response = self._client.get_shard_iterator(ShardId=self.shard, **position, **self._which)
        iterator: str = response["ShardIterator"]
        return iterator

    def _accept(self, response: Any) -> list[Message]:
        if self._backoff.failures >= _REPORT_AFTER:
            self._context.reachable(True)
            self._info(f"{self.shard} responds again, after {self._backoff.failures} failures")
        self._backoff.reset()
        self.unknown = False
        messages = [self._message(record) for record in response["Records"]]
        if messages:
            self._offset = str(messages[-1].position.offset)
        self._iterator = response.get("NextShardIterator") or ""
        self.ended = not self._iterator
        self.behind = response.get("MillisBehindLatest", 0) / 1000
        size = sum(len(message.payload) for message in messages)
        busy = max(_BETWEEN_CALLS, size / _BYTES_A_SECOND)
        self.due = self._clock() + (busy if self.behind else max(busy, _CAUGHT_UP))
        return messages

    def _message(self, record: Any) -> Message:
        sequence = record["SequenceNumber"]
        time = record.get("ApproximateArrivalTimestamp")
        arrived = time.timestamp() if time else None
        return Message(
            record["Data"], Position(self.name, sequence), f"{self.name}@{sequence}", arrived=arrived
        )

    def _handle(self, error: Exception) -> None:
        """Retries from the same offset if the iterator has expired or Kinesis is busy; raises otherwise."""
        if fault(error) == "later":
            self._pause(str(error))
            return
        code = _code(error)
        had_iterator, self._iterator = bool(self._iterator), ""
        if code in _NO_SUCH_POSITION and self._offset[:1].isdigit() and not had_iterator:
            self._restart_unless_listed()
        elif code == "ResourceNotFoundException":
            self.unknown = True
            self._pause(str(error))
        elif code == "ExpiredIteratorException":
            self.due = self._clock() + _BETWEEN_CALLS
        else:
            with explained(f"{self.name}: reading failed", SourceError):
                raise error

    def _restart_unless_listed(self) -> None:
        """The sequence number is unknown: the shard is gone, or the stream was recreated."""
        if self.unknown:
            self._info(
                f"{self.shard} does not know sequence number {self._offset}; reading from its beginning"
            )
            self._offset = TRIM_HORIZON
        self.unknown = not self.unknown

    def _info(self, text: str) -> None:
        self._context.info(f"stream {self.name.rpartition('/')[0]}: {text}")

    def _pause(self, reason: str) -> None:
        """Postpones the next call, longer with every failure."""
        self.due = self._clock() + self._backoff.next()
        if self._backoff.failures == _REPORT_AFTER:
            self._context.reachable(False)
            self._info(f"{self.shard} keeps failing, retrying: {reason}")


def _code(error: Any) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
