"""From a message to the texts of its records: decompression and envelopes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from trailsieve.errors import UnreadableError
from trailsieve.model import Message, Problem
from trailsieve.trail.cloudtrail import Batch, Decode, batches, is_plain_file, looks_like_lines, split
from trailsieve.trail.compression import DEFAULT_LIMIT, NOT_GZIP, gunzip, is_gzip
from trailsieve.trail.envelope_contents import letters
from trailsieve.trail.envelopes import STREAM_LIMIT, is_one_value, is_plain_record, unwrap

_raw_array: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
EPOCH_BYTES = 32 * 2**20  # unwrapped bytes after which an epoch ends in the middle of a poll
_RECORD_SIZE = 100  # bytes that a record takes beside its text
_NOWHERE = ("", 0)
_FIRST_LINE = 65536  # bytes to search for the first line of a file of lines


class Decoded:
    """One message, decompressed but not yet split into records.

    Attributes:
        origin: the message's name.
        data: its bytes: a document, or lines.
        lines: the number of the first line; 0 for a document.
        problems: what could not be read, or was read with a warning.
    """

    def __init__(
        self, origin: str, data: bytes | bytearray = b"", lines: int = 0, *, any_object: bool = False
    ) -> None:
        self.origin = origin
        self.data = data
        self.lines = lines
        self._payload = bytes(data)
        self.problems: list[Problem] = []
        self._any_object = any_object

    def batches(self, decode: Decode) -> Iterator[Batch]:
        """Yields the records, decoded in blocks where the document is a plain CloudTrail file.

        What cannot be read is added to `problems`.
        """
        try:
            for batch in self._batches(decode):
                yield batch
                if batch.warning:
                    self.warn(batch.warning)
        except UnreadableError as error:
            self.problems.append(Problem(self.origin, error.reason, text=bytes(self.data)))

    def locate(self, number: int) -> tuple[str, int]:
        """Returns the name of the message that holds a record, and the record's number in it."""
        return self.origin, number

    def texts(self) -> Iterator[tuple[int, bytes]]:
        """Yields the number and exact text of every record or line."""
        for batch in self.batches(_raw_array.decode):
            yield from enumerate(batch.texts, batch.first)

    def _batches(self, decode: Decode) -> Iterator[Batch]:
        if self.lines:
            yield Batch.of_texts(self.lines, _lines(self.data))
        elif is_plain_file(self.data):
            yield from batches(self.data, decode)
        elif self.data:
            document = split(self.data, any_object=self._any_object)
            yield Batch.of_texts(1, document.texts)
            if document.warning:
                self.warn(document.warning)

    def separated(self, block: Batch) -> Iterator[Batch]:
        """Yields a batch whose texts could not be decoded together, as one or several."""
        yield block

    def held(self, seen: int) -> Mapping[str, int]:
        """Returns the number of records of each message by name, given the number of all that were seen."""
        return {self.origin: seen}

    def payloads(self) -> Mapping[str, bytes]:
        """Returns the messages by name, as they arrived."""
        return {self.origin: self._payload}

    def warn(self, reason: str) -> None:
        """Adds a problem with something that could be read nevertheless."""
        self.problems.append(Problem(self.origin, reason, warning=True))


class DecodedBatch(Decoded):
    """The first of some messages of a stream, unwrapped from their envelopes, as one run of records.

    Attributes:
        messages: those that were taken: all, or as many as fit the memory.
        unwrapped: bytes that their unwrapped records take.
    """

    def __init__(self, messages: Sequence[Message], limit: int) -> None:
        super().__init__("")
        self.messages = messages
        self.control_messages = 0
        self.advice: set[str] = set()
        self.size = 0
        self.unwrapped = 0
        self._limit = limit
        self._texts: list[bytes] = []
        self._places: list[
            Message | tuple[str, int]
        ] = []  # a message that is a plain record stands for itself
        for number, message in enumerate(messages, 1):
            payload = message.payload
            self.size += len(payload)
            if message.problem:
                self.problems.append(Problem(message.name, message.problem, text=payload))
            elif message.marker:
                continue
            elif is_plain_record(payload):
                self._texts.append(payload)
                self._places.append(message)
            else:
                self._texts += self._unwrap(message)
                if self.unwrapped >= EPOCH_BYTES:
                    self.messages = messages[:number]
                    break

    def _unwrap(self, message: Message) -> list[bytes]:
        """The records of a message, whose places are noted."""
        found = unwrap(message.payload, self._limit)
        self.unwrapped += found.size + _RECORD_SIZE * len(found.records)
        self._places += [(message.name, number) for number in range(1, len(found.records) + 1)]
        self.control_messages += found.control_messages
        self.advice |= found.advice
        for name in found.objects:
            reason = f"a notification about {name.url}, not its records; the `sqs` source reads such objects"
            found.add_problem(reason, message.payload)
        if found.unreadable:
            kept = letters(message.payload, found.problems, found.unreadable)
            self.problems += [Problem(message.name, reason, text=text) for reason, text in kept]
        return found.records

    def locate(self, number: int) -> tuple[str, int]:
        place = self._places[number - 1]
        return (place.name, 1) if isinstance(place, Message) else place

    def separated(self, block: Batch) -> Iterator[Batch]:
        """Yields the same with messages unwrapped that begin and end like a record, but hold several."""
        texts: list[bytes] = []
        for number, text in enumerate(block.texts, block.first):
            place = self._places[number - 1]
            if not isinstance(place, Message) or is_one_value(text):
                texts.append(text)
                continue
            yield Batch.of_texts(number - len(texts), texts)
            texts = []
            self._places[number - 1] = _NOWHERE
            first = len(self._places) + 1
            yield Batch.of_texts(first, self._unwrap(place))
        yield Batch.of_texts(block.first + len(block.texts) - len(texts), texts)

    def held(self, seen: int) -> Mapping[str, int]:
        return Counter(self.locate(number)[0] for number in range(1, len(self._places) + 1))

    def payloads(self) -> Mapping[str, bytes]:
        return {message.name: message.payload for message in self.messages}

    def _batches(self, decode: Decode) -> Iterator[Batch]:
        yield Batch.of_texts(1, self._texts)


class Decoder:
    """Turns messages into records; never raises for what a message holds.

    Args:
        limit: bytes of one object at most, after decompression.
        any_object: a JSON object without `Records` is a record even when CloudTrail does not write such.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT, *, any_object: bool = False) -> None:
        self.limit = limit
        self.any_object = any_object

    def decode(self, message: Message) -> Decoded:
        """Returns one message, decompressed."""
        decoded = Decoded(message.name, message.payload, message.lines, any_object=self.any_object)
        if message.problem:
            decoded.data = b""
            found = Problem(message.name, message.problem, text=message.payload, warning=message.warning)
            decoded.problems.append(found)
        elif not message.lines:
            try:
                self._open(decoded)
            except UnreadableError as error:
                decoded.data = b""
                decoded.problems.append(Problem(message.name, error.reason, text=message.payload))
        return decoded

    def decode_batch(self, messages: Sequence[Message]) -> DecodedBatch:
        """Returns the records of the first of many small messages, unwrapped from any known envelope."""
        return DecodedBatch(messages, min(self.limit, STREAM_LIMIT))

    def _open(self, decoded: Decoded) -> None:
        decoded.data = data = self._plain(decoded)
        if data[:1] == b"{":
            end = data.find(b"\n", 0, _FIRST_LINE)
            if 0 < end < len(data.rstrip()) and looks_like_lines(bytes(data[:end])):
                decoded.lines = 1
        if not data.isascii():
            _check_utf8(decoded)

    def _plain(self, decoded: Decoded) -> bytes | bytearray:
        payload = bytes(decoded.data)
        if not payload:
            raise UnreadableError("empty: the file has no bytes")
        if is_gzip(payload):
            data, warning = gunzip(payload, self.limit)
            if warning:
                decoded.warn(warning)
            return data
        if decoded.origin.endswith(".gz"):
            if payload.lstrip()[:1] not in (b"{", b"["):
                raise UnreadableError(NOT_GZIP)
            decoded.warn(f"{NOT_GZIP}: read as it is")
        if len(payload) > self.limit:
            raise UnreadableError(f"too big: more than {self.limit:,} bytes; raise --max-object-size")
        return payload


def _check_utf8(decoded: Decoded) -> None:
    try:
        decoded.data.decode()
    except UnicodeDecodeError as error:
        decoded.warn(f"invalid UTF-8 at byte {error.start}: read as U+FFFD")


def _lines(data: bytes | bytearray) -> list[bytes]:
    lines = bytes(data).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]
