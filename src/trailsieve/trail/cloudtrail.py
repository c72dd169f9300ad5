"""CloudTrail files and JSON texts taken apart into records, each with its exact original text."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from trailsieve.errors import UnreadableError
from trailsieve.jsontext import decode_object
from trailsieve.trail import scan

_BOM = b"\xef\xbb\xbf"
_RECORD_FIELDS = (b"eventName", b"eventVersion", b"eventID", b"eventSource")


class _LogFile(msgspec.Struct):
    Records: list[msgspec.Raw]


_log_file = msgspec.json.Decoder(_LogFile)


@dataclass(frozen=True, slots=True)
class Split:
    """The texts of a document's records in order, and what was wrong with the document ("" for nothing)."""

    texts: list[bytes]
    warning: str = ""


def split(data: bytes, *, any_object: bool = False) -> Split:
    """The records of a CloudTrail file `{"Records": […]}`, of an array, or of objects one after another.

    Args:
        any_object: take an object without `Records` as one record even when it is no CloudTrail record.

    Raises:
        UnreadableError: there is nothing in it that could be a record.
    """
    try:
        return Split([bytes(raw) for raw in _log_file.decode(data).Records])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _split_slowly(data.removeprefix(_BOM), any_object)


def _split_slowly(data: bytes, any_object: bool) -> Split:
    if not data.strip():
        raise UnreadableError("empty: no JSON in it")
    texts: list[bytes] = []
    try:
        for span in scan.values(data):
            _take(data, span, any_object, texts)
    except UnreadableError as error:
        if not texts:
            raise
        return Split(texts, f"the rest is left out: {error}")
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
                _take_array(data, records, texts, "`Records` is no list")
            elif any_object or _looks_like_a_record(data, span):
                texts.append(data[span[0] : span[1]])
            else:
                raise UnreadableError("JSON object without `Records`: no CloudTrail file")
        case b"[":
            _take_array(data, span, texts, "")
        case _ if not texts:
            raise UnreadableError(f"not JSON: it starts with {_shown(data[span[0] : span[1]])}")
        case _:
            texts.append(data[span[0] : span[1]])  # refused as a record, with its number


def _take_array(data: bytes, span: scan.Span, texts: list[bytes], otherwise: str) -> None:
    if data[span[0] : span[0] + 1] != b"[":
        raise UnreadableError(otherwise)
    for start, end in scan.children(data, span):
        texts.append(data[start:end])


def _take_truncated(data: bytes, span: scan.Span, any_object: bool, texts: list[bytes]) -> None:
    """The whole records of a document that is cut off."""
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
    """Whether a text whose first line this is holds one event a line: JSON lines, or no JSON at all."""
    start = first.lstrip(_BOM + b" \t\r\n")
    if start[:1] not in b"{[":
        return True
    value = decode_object(start)
    return value is not None and not isinstance(value.get("Records"), list)
