"""From a message to the texts of its records: decompression and envelopes."""

from __future__ import annotations

from dataclasses import dataclass, field

from trailsieve.errors import UnreadableError
from trailsieve.model import Message, Problem
from trailsieve.trail.cloudtrail import looks_like_lines, split
from trailsieve.trail.compression import DEFAULT_LIMIT, gunzip, is_gzip


@dataclass(slots=True)
class Decoded:
    """A message's records: `texts[i]` is the record, or line, number `first + i`.

    Attributes:
        size: bytes after decompression.
        problems: what could not be read, or was read with a warning.
    """

    origin: str
    texts: list[bytes] = field(default_factory=list)
    first: int = 1
    size: int = 0
    problems: list[Problem] = field(default_factory=list)


class Decoder:
    """Turns messages into record texts; never raises for what a message holds.

    Args:
        limit: bytes of one object at most, after decompression.
        any_object: a JSON object without `Records` is a record even when it is none of CloudTrail's.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT, *, any_object: bool = False) -> None:
        self.limit = limit
        self.any_object = any_object

    def decode(self, message: Message) -> Decoded:
        """The records of one message."""
        decoded = Decoded(message.name)
        if message.problem:
            decoded.problems.append(Problem(message.name, message.problem))
        elif message.lines:
            decoded.first = message.lines
            decoded.size = len(message.payload)
            decoded.texts = _lines(message.payload)
        else:
            try:
                self._open(message.payload, decoded)
            except UnreadableError as error:
                decoded.problems.append(Problem(message.name, error.reason, text=message.payload))
        return decoded

    def _open(self, payload: bytes, decoded: Decoded) -> None:
        data = self._plain(payload, decoded)
        decoded.size = len(data)
        if data[:1] == b"{" and b"\n" in data[:65536] and looks_like_lines(data[: data.index(b"\n") + 1]):
            decoded.texts = _lines(data)
            return
        document = split(data, any_object=self.any_object)
        decoded.texts = document.texts
        if document.warning:
            self._warn(decoded, document.warning)
        self._check_text(data, decoded)

    def _plain(self, payload: bytes, decoded: Decoded) -> bytes:
        if not payload:
            raise UnreadableError("empty: the file has no bytes")
        if is_gzip(payload):
            data, warning = gunzip(payload, self.limit)
            if warning:
                self._warn(decoded, warning)
            return data
        if decoded.origin.endswith(".gz"):
            if payload.lstrip()[:1] not in (b"{", b"["):
                raise UnreadableError("not gzip, although its name ends in .gz")
            self._warn(decoded, "not gzip, although its name ends in .gz: read as it is")
        if len(payload) > self.limit:
            raise UnreadableError(f"more than {self.limit:,} bytes: raise the cap with --max-object-size")
        return payload

    def _check_text(self, data: bytes, decoded: Decoded) -> None:
        """Invalid UTF-8 is read as U+FFFD, and said."""
        if data.isascii():
            return
        try:
            data.decode()
        except UnicodeDecodeError as error:
            self._warn(decoded, f"invalid UTF-8 at byte {error.start}: read as U+FFFD")

    def _warn(self, decoded: Decoded, reason: str) -> None:
        decoded.problems.append(Problem(decoded.origin, reason, warning=True))


def _lines(data: bytes) -> list[bytes]:
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]
