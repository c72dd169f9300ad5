"""Gzip, read as it comes in archives: several members, padding, damage and bombs."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import deflate
from isal import isal_zlib

from trailsieve.errors import UnreadableError

DEFAULT_LIMIT = 256 * 2**20  # bytes; the largest CloudTrail files hold some 50 MB of JSON
_MAGIC = b"\x1f\x8b"
_MEMBER = _MAGIC + b"\x08"  # followed by the only method there is, deflate
_MAX_RATIO = 1032  # deflate cannot do better, so a larger size is a lie
_GZIP = 31  # zlib's window bits for a gzip member
_KEPT = 64 * 2**10  # bytes of content that are decompressed at once: what damage costs at most
_PIECE = 32 * 2**10  # bytes of a stream that are read at once; what follows a member is copied


def is_gzip(data: bytes) -> bool:
    """Whether the bytes start like a gzip member (RFC 1952 section 2.3.1)."""
    return data[:2] == _MAGIC


def gunzip(data: bytes, limit: int = DEFAULT_LIMIT) -> tuple[bytes | bytearray, str]:
    """All members' content, and a warning about what stands behind them ("" when all is well).

    Zero padding behind the last member is taken silently, as gzip does.

    Raises:
        UnreadableError: truncated, damaged, empty, or more than `limit` bytes of content.
    """
    content = _single_member(data, limit)
    if content is not None:
        return content, ""
    stream = GunzippedStream(io.BytesIO(data))
    parts: list[bytes] = []
    size = 0
    while part := stream.read(_KEPT):
        size += len(part)
        if size > limit:
            raise UnreadableError(
                f"too big: more than {limit:,} bytes when decompressed; raise --max-object-size"
            )
        parts.append(part)
    if stream.damage:
        raise UnreadableError(f"{stream.damage}, after {size:,} bytes of content")
    if not size:
        raise UnreadableError("empty: the gzip stream holds no bytes")
    return parts[0] if len(parts) == 1 else b"".join(parts), stream.warning


def _single_member(data: bytes, limit: int) -> bytes | bytearray | None:
    """The content of an ordinary file, one member and nothing else, by libdeflate; None for any other.

    libdeflate is twice as fast but reads one member only and trusts the size at the end of the file
    (RFC 1952 section 2.3.1), so both are made sure of; what is odd goes the long way, which tells why.
    """
    size = int.from_bytes(data[-4:], "little")
    if not 0 < size <= min(limit, len(data) * _MAX_RATIO) or data.find(_MEMBER, 1) >= 0:
        return None
    try:
        content = deflate.gzip_decompress(data)
    except (deflate.DeflateError, ValueError):  # ValueError: shorter than a member can be
        return None
    return content if len(content) == size else None


class GunzippedStream(io.RawIOBase):
    """The content of a gzip stream of any length, all that can be had of it.

    Attributes:
        damage: once the end is reached: why there is not more, "" when all was read.
        warning: what stands behind the gzip data, "" for nothing but padding.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._member = isal_zlib.decompressobj(_GZIP)
        self._data = b""
        self._ended = False
        self.damage = ""
        self.warning = ""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part = self._next(len(buffer))
        buffer[: len(part)] = part
        return len(part)

    def _next(self, size: int) -> bytes:
        part = b""
        while not part and not self._ended:
            if self._member.eof:
                self._next_member(self._member.unused_data)
            elif data := self._data or self._stream.read(_PIECE):
                part = self._decompressed(data, size)
            else:
                self._end("truncated: the gzip stream ends early")
        return part

    def _decompressed(self, data: bytes, size: int) -> bytes:
        try:
            part: bytes = self._member.decompress(data, min(size, _KEPT))
        except isal_zlib.error as error:  # type: ignore[misc]
            self._end(f"damaged gzip: {str(error).removeprefix('Error ').lstrip('-0123456789 ')}")
            return b""
        self._data = self._member.unconsumed_tail
        return part

    def _next_member(self, rest: bytes) -> None:
        if len(rest) < len(_MAGIC):
            rest += self._stream.read(_PIECE)
        if is_gzip(rest):
            self._member, self._data = isal_zlib.decompressobj(_GZIP), rest
        else:
            self._end(left_over=self._count(rest.lstrip(b"\0")))

    def _count(self, rest: bytes) -> int:
        """How many bytes there are, zero padding before them aside."""
        count = len(rest)
        while piece := self._stream.read(_PIECE):
            count += len(piece) if count else len(piece.lstrip(b"\0"))
        return count

    def _end(self, damage: str = "", left_over: int = 0) -> None:
        self._ended, self.damage = True, damage
        self.warning = f"{left_over} bytes behind the gzip data, ignored" if left_over else ""
