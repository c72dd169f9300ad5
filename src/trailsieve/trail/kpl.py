"""Kinesis records that the Kinesis Producer Library (KPL) aggregated into one.

An aggregated record is four magic bytes, a protobuf message and its MD5. Only the message's field 3, the user
records, and their field 3, the data, are needed, so the protobuf is read without a library.
Source: github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from trailsieve.errors import UnreadableError

_MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST = 16  # bytes of MD5 at the end
_RECORDS, _DATA = 3, 3  # field numbers


def is_aggregated(payload: bytes) -> bool:
    """Whether a payload starts with the magic bytes of an aggregated record."""
    return payload.startswith(_MAGIC)


def deaggregate(payload: bytes) -> list[bytes]:
    """The data of each user record in an aggregated record.

    Raises:
        UnreadableError: the checksum is wrong or the protobuf message is damaged.
    """
    message, digest = payload[len(_MAGIC) : -_DIGEST], payload[-_DIGEST:]
    if hashlib.md5(message, usedforsecurity=False).digest() != digest:
        raise UnreadableError("KPL record: wrong checksum")
    return [data for record in _fields(message, _RECORDS) for data in _fields(record, _DATA)]


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """The values of one length-delimited field, in order; other fields are skipped."""
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        match kind:
            case 0:  # wire types of protobuf: a varint,
                _, place = _varint(message, place)
            case 1:  # 64 bits,
                place += 8
            case 2:  # bytes,
                size, place = _varint(message, place)
                if place + size > len(message):
                    raise UnreadableError("KPL record: a field is longer than the message")
                if number == wanted:
                    yield message[place : place + size]
                place += size
            case 5:  # 32 bits
                place += 4
            case _:
                raise UnreadableError(f"KPL record: unknown wire type {kind}")


def _varint(message: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(message) and shift < 64:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise UnreadableError("KPL record: truncated number")
