"""Splits CloudTrail files and JSON texts into records, each with its exact original text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from trailsieve.errors import UnreadableError
from trailsieve.jsontext import decode_object
from trailsieve.trail import scan

_BOM = b"\xef\xbb\xbf"
_RECORD_FIELDS = (b"eventName", b"eventVersion", b"eventID", b"eventSource")
_HEAD, _TAIL = b'{"Records":[', b"]}"
_SEAM = _TAIL + _HEAD  # between concatenated files, as from zcat; cannot occur inside a JSON string
_CLOSING = re.compile(rb"\s*\]\s*\}\s*")  # the end of a file
_BLOCK = 16 * 2**10  # bytes: blocks that fit the processor's cache decode nearly twice as fast


class _LogFile(msgspec.Struct):
    Records: list[msgspec.Raw]


_log_file = msgspec.json.Decoder(_LogFile)
_raw_array = msgspec.json.Decoder(list[msgspec.Raw])

Decode = Callable[[bytes], list[Any]]


@dataclass(slots=True)
class Batch:
    """Consecutive records of a document.

    Attributes:
        first: the number of the first record, counted from 1.
        events: the records as the caller's decoder returned them; None if it rejected one of them.
        block: the JSON array of exactly these records; empty if their texts are known.
        warning: what is wrong with the document, or "".
    """

    first: int
    events: list[Any] | None
    block: bytes = b""
    _texts: list[bytes] | None = None
    warning: str = ""

    @classmethod
    def of_texts(cls, first: int, texts: list[bytes]) -> Batch:
        """A batch of records that have not been decoded."""
        return cls(first, None, b"", texts)

    @property
    def texts(self) -> list[bytes]:
        """The exact text of each record."""
        if self._texts is None:
            self._texts = [bytes(raw) for raw in _raw_array.decode(self.block)]
        return self._texts

    def __len__(self) -> int:
        return len(self.texts if self.events is None else self.events)


def is_plain_file(data: bytes | bytearray) -> bool:
    """Whether the bytes look like a file that CloudTrail wrote: compact JSON with `Records` alone."""
    return data.startswith(_HEAD) and data.endswith(_TAIL) and len(data) > len(_HEAD) + len(_TAIL)


def batches(data: bytes | bytearray, decode: Decode) -> Iterator[Batch]:
    """Decodes a plain CloudTrail file, or several concatenated ones, block by block.

    A file is cut where one record seems to end and the next to begin. The cut is right if the block before it
    decodes, because all brackets from the start of a record to the cut are then closed. A block that does not
    decode is scanned instead, up to the next certain boundary, so an odd record slows down its block only.

    Raises:
        UnreadableError: the file ends inside its first record.
    """
    place, end, number = len(_HEAD), len(data) - len(_TAIL), 1
    boundary = b"}," + bytes(data[place : data.find(b":", place) + 1])
    while place < end:
        cut = data.find(boundary, place + _BLOCK, end) + 1 or end
        batch = _decoded(number, data[place:cut], decode)
        if batch is None:
            seam = data.find(_SEAM, place, cut)
            if seam >= 0:
                cut = seam
                batch = _decoded(number, data[place:cut], decode)
        if batch is None:
            batch, cut = _scanned(number, data, place, cut)
        yield batch
        number += len(batch)
        place = cut + (len(_SEAM) if data.startswith(_SEAM, cut) else 1)


def blocks_of(batch: Batch, decode_lines: Decode) -> Iterator[Batch]:
    """Splits a batch of texts into smaller ones and decodes each with one call where possible.

    Texts that begin with { and end with } hold at least one value each, and no value can continue on the next
    line, since a comma would be missing. So if there are as many values as texts, each text is one value.
    """
    first = batch.first
    for group in _groups(batch.texts):
        block = Batch.of_texts(first, group)
        if all(text[:1] == b"{" and text[-1:] == b"}" for text in group):
            try:
                events = decode_lines(b"\n".join(group))
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                events = []
            block.events = events if len(events) == len(group) else None
        yield block
        first += len(group)


def _groups(texts: list[bytes]) -> Iterator[list[bytes]]:
    start = size = 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= _BLOCK:
            yield texts[start:end]
            start, size = end, 0
    if start < len(texts):
        yield texts[start:]


def _decoded(number: int, records: bytes | bytearray, decode: Decode) -> Batch | None:
    block = b"".join((b"[", records, b"]"))
    try:
        return Batch(number, decode(block), block)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _scanned(number: int, data: bytes | bytearray, place: int, cut: int) -> tuple[Batch, int]:
    """The records from `place` to the first certain boundary at or after `cut`, and that boundary."""
    texts: list[bytes] = []
    stop = place
    try:
        for start, stop in scan.elements(data, place, len(data)):
            texts.append(bytes(data[start:stop]))
            if stop >= cut:
                break
    except scan.TruncatedError as error:
        before = number - 1 + len(texts)
        if not before:
            raise UnreadableError(f"truncated JSON: it {error}") from None
        return Batch(number, None, b"", texts, f"truncated JSON: it ends inside record {before + 1}"), len(
            data
        )
    batch = Batch.of_texts(number, texts)
    behind = data.find(b",", stop)
    if behind >= 0 and not data[stop:behind].strip():
        return batch, behind
    if data.startswith(_SEAM, stop):
        return batch, stop
    closing = _CLOSING.match(data, stop)
    if closing is None:
        batch.warning = f"the file has more than `Records`: ignored everything after byte {stop}"
    elif closing.end() < len(data):
        batch.warning = _take_next_files(data[closing.end() :], texts)
    return batch, len(data)


def _take_next_files(data: bytes | bytearray, texts: list[bytes]) -> str:
    """Adds the records of the files that follow after white space; returns a warning, or ""."""
    try:
        rest = split(data)
    except UnreadableError as error:
        return f"ignored the rest: {error}"
    texts += rest.texts
    return rest.warning


@dataclass(frozen=True, slots=True)
class Split:
    """The texts of a document's records in order, and a warning about the document, or ""."""

    texts: list[bytes]
    warning: str = ""


def split(data: bytes | bytearray, *, any_object: bool = False) -> Split:
    """Splits a CloudTrail file `{"Records": […]}`, an array, or consecutive objects into records.

    Args:
        any_object: treat an object without `Records` as a record even if it has no field of one.

    Raises:
        UnreadableError: nothing in the document could be a record.
    """
    try:
        return Split([bytes(raw) for raw in _log_file.decode(data).Records])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _split_slowly(bytes(data).removeprefix(_BOM), any_object)


def _split_slowly(data: bytes, any_object: bool) -> Split:
    if not data.strip():
        raise UnreadableError("empty: no JSON")
    texts: list[bytes] = []
    try:
        for span in scan.values(data):
            _take(data, span, any_object, texts)
    except UnreadableError as error:
        if not texts:
            raise
        return Split(texts, f"ignored the rest: {error}")
    except scan.TruncatedError as cut:
        _take_truncated(data, (cut.start, len(data)), any_object, texts)
        if not texts:
            raise UnreadableError(f"truncated JSON: {cut}") from None
        return Split(texts, f"truncated JSON: it ends inside record {len(texts) + 1}")
    return Split(texts)


def _take(data: bytes, span: scan.Span, any_object: bool, texts: list[bytes]) -> None:
    match data[span[0] : span[0] + 1]:
        case b"{":
            records = scan.member(data, span, b"Records")
            if records:
                _take_array(data, records, texts, "`Records` is not a list")
            elif any_object or _looks_like_a_record(data, span):
                texts.append(data[span[0] : span[1]])
            else:
                raise UnreadableError("JSON object without `Records`: not a CloudTrail file")
        case b"[":
            _take_array(data, span, texts, "")
        case _ if not texts:
            raise UnreadableError(f"not JSON: it starts with {_shown(data[span[0] : span[1]])}")
        case _:
            texts.append(data[span[0] : span[1]])  # rejected later as a record, with its number


def _take_array(data: bytes, span: scan.Span, texts: list[bytes], otherwise: str) -> None:
    if data[span[0] : span[0] + 1] != b"[":
        raise UnreadableError(otherwise)
    for start, end in scan.children(data, span):
        texts.append(data[start:end])


def _take_truncated(data: bytes, span: scan.Span, any_object: bool, texts: list[bytes]) -> None:
    """Takes the complete records of a truncated document."""
    records = scan.member(data, span, b"Records") if data[span[0] : span[0] + 1] == b"{" else span
    if records and data[records[0] : records[0] + 1] == b"[":
        try:
            _take_array(data, records, texts, "")
        except scan.TruncatedError:
            return


def _looks_like_a_record(data: bytes, span: scan.Span) -> bool:
    return any(scan.member(data, span, field) for field in _RECORD_FIELDS)


def _shown(token: bytes) -> str:
    return repr(token[:20].decode("utf-8", "replace"))


def looks_like_lines(first: bytes) -> bool:
    """Whether a text that starts with this line has one event per line: JSON lines, or not JSON at all."""
    start = first.lstrip(_BOM + b" \t\r\n")
    if start[:1] not in b"{[":
        return True
    value = decode_object(start)
    return value is not None and not isinstance(value.get("Records"), list)
