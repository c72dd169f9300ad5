"""Packs records as the Kinesis Producer Library does.

Source: github.com/awslabs/amazon-kinesis-producer/blob/master/aggregation-format.md
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

MAGIC = b"\xf3\x89\x9a\xc2"


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def message(records: Sequence[bytes], *, keys: int = 1, tags: bool = False) -> bytes:
    """The protobuf message: tables of keys, then the records, which name their keys by number."""
    out = b"".join(field(1, f"key-{number}".encode()) for number in range(keys))
    out += field(2, b"170141183460469231731687303715884105728")
    for number, data in enumerate(records):
        record = varint(1 << 3) + varint(number % keys) + varint(2 << 3) + varint(0) + field(3, data)
        if tags:
            record += field(4, field(1, b"name") + field(2, b"value"))
        out += field(3, record)
    return out


def sealed(content: bytes) -> bytes:
    """A message between the magic bytes and its checksum."""
    return MAGIC + content + hashlib.md5(content, usedforsecurity=False).digest()


def aggregated(records: Sequence[bytes], *, keys: int = 1, tags: bool = False) -> bytes:
    """A packed record."""
    return sealed(message(records, keys=keys, tags=tags))
