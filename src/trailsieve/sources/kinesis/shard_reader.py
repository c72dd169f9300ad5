"""One shard of a Kinesis stream, read within the limits of the service.

A shard gives 10,000 records or 10 MiB an answer, takes 5 calls and gives 2 MiB a second, shared by all who
read it; an iterator lives 5 minutes.
Source: docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from trailsieve.errors import SourceError
from trailsieve.model import Message, Position
from trailsieve.sources.kinesis.shards import AT_TIME, TRIM_HORIZON
from trailsieve.wire.aws import explained, fault
from trailsieve.wire.backoff import Backoff

_MOST_RECORDS = 10_000
_BETWEEN_CALLS = 0.2  # seconds: 5 calls a second
_BYTES_A_SECOND = 2 * 2**20
_CAUGHT_UP = 1.0  # seconds between calls when there is nothing to catch up with
_LONGEST_PAUSE = 10.0
_WORTH_A_WORD = 3  # refusals in a row
_NOT_THERE = {"ResourceNotFoundException", "InvalidArgumentException"}


class ShardReader:
    """Reads one shard from an offset on; `read` may be called from any one thread at a time.

    Attributes:
        due: the time by the clock from which it may be asked again.
        behind: seconds that the last answer was behind the newest record.
        ended: whether all records of a closed shard were read.
        unknown: whether AWS said that it knows no such shard or place in it: ask which shards there are.
    """

    def __init__(
        self,
        client: Any,
        which: dict[str, str],
        stream: str,
        shard: str,
        offset: str,
        clock: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        self.shard = shard
        self.due = 0.0
        self.behind = 0.0
        self.ended = False
        self.unknown = False
        self._client = client
        self._which = which
        self._name = f"{stream}/{shard}"
        self._offset = offset
        self._clock = clock
        self._say = say
        self._iterator = ""
        self._backoff = Backoff(first=1.0, longest=_LONGEST_PAUSE)

    def read(self) -> list[Message]:
        """The next records; none when there are none yet or when AWS is busy.

        Raises:
            SourceError: AWS refuses us until a person mends something.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self._taken(self.try_once())
        except (BotoCoreError, ClientError) as error:
            self._refused(error)
            return []

    def try_once(self) -> Any:
        """One answer of GetRecords; raises what botocore raises."""
        self._iterator = self._iterator or self._asked_iterator()
        by_arn = {key: value for key, value in self._which.items() if key == "StreamARN"}
        return self._client.get_records(ShardIterator=self._iterator, Limit=_MOST_RECORDS, **by_arn)

    def _asked_iterator(self) -> str:
        place: dict[str, Any]
        if self._offset == TRIM_HORIZON:
            place = {"ShardIteratorType": TRIM_HORIZON}
        elif self._offset.startswith(AT_TIME):
            moment = datetime.fromisoformat(self._offset.removeprefix(AT_TIME))
            place = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": moment}
        else:
            place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": self._offset}
        answer = self._client.get_shard_iterator(ShardId=self.shard, **place, **self._which)
        iterator: str = answer["ShardIterator"]
        return iterator

    def _taken(self, answer: Any) -> list[Message]:
        if self._backoff.failures >= _WORTH_A_WORD:
            self._say(f"{self.shard} answers again, after {self._backoff.failures} refusals")
        self._backoff.reset()
        self.unknown = False
        messages = [self._message(record) for record in answer["Records"]]
        if messages:
            self._offset = str(messages[-1].position.offset)
        self._iterator = answer.get("NextShardIterator") or ""
        self.ended = not self._iterator
        self.behind = answer.get("MillisBehindLatest", 0) / 1000
        size = sum(len(message.payload) for message in messages)
        busy = max(_BETWEEN_CALLS, size / _BYTES_A_SECOND)
        self.due = self._clock() + (busy if self.behind else max(busy, _CAUGHT_UP))
        return messages

    def _message(self, record: Any) -> Message:
        sequence = record["SequenceNumber"]
        return Message(record["Data"], Position(self._name, sequence), f"{self._name}@{sequence}")

    def _refused(self, error: Exception) -> None:
        """Goes on where it stands when the iterator is too old or AWS is busy."""
        if fault(error) == "later":
            self._pause(str(error))
            return
        code = _code(error)
        had_iterator, self._iterator = bool(self._iterator), ""
        if code in _NOT_THERE and self._offset[:1].isdigit() and not had_iterator:
            self._not_there()
        elif code == "ResourceNotFoundException":
            self.unknown = True
            self._pause(str(error))
        elif code == "ExpiredIteratorException":
            self.due = self._clock() + _BETWEEN_CALLS
        else:
            with explained(f"{self._name}: reading failed", SourceError):
                raise error

    def _not_there(self) -> None:
        """The sequence number is unknown: the shard is gone, or the stream was made anew under its name."""
        if self.unknown:
            self._say(f"{self.shard} knows no sequence number {self._offset}; it is read from its beginning")
            self._offset = TRIM_HORIZON
        self.unknown = not self.unknown

    def _pause(self, reason: str) -> None:
        """Waits longer with every refusal; not all shards at the same moment."""
        self.due = self._clock() + self._backoff.next()
        if self._backoff.failures == _WORTH_A_WORD:
            self._say(f"{self.shard} is asked again until it answers: {reason}")


def _code(error: Any) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))
