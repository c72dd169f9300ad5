"""Gzip as archives contain it: several members, padding, damage and decompression bombs."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

import deflate
from isal import isal_zlib

from trailsieve.errors import UnreadableError

DEFAULT_LIMIT = 256 * 2**20  # bytes; the largest CloudTrail files hold some 50 MB of JSON
NOT_GZIP = "not gzip, although its name ends in .gz"
_MAGIC = b"\x1f\x8b"
_MEMBER = _MAGIC + b"\x08"  # followed by the only compression method, deflate
_MAX_RATIO = 1032  # the most that deflate can achieve: a larger size is false
_GZIP = 31  # zlib's window bits for a gzip member
_KEPT = 64 * 2**10  # bytes decompressed at once: the most content that damage can cost
_PIECE = 32 * 2**10  # bytes of a stream read at once; what follows a member is copied


def is_gzip(data: bytes) -> bool:
    """Whether the bytes start with the gzip magic number (RFC 1952 section 2.3.1)."""
    return data[:2] == _MAGIC


def gunzip(data: bytes, limit: int = DEFAULT_LIMIT) -> tuple[bytes | bytearray, str]:
    """The content of all members, and a warning if other bytes follow them ("" if not).

    Zero padding after the last member is ignored, as gzip does.

    Raises:
        UnreadableError: the data is truncated, damaged, empty, or decompresses to more than `limit` bytes.
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
        raise UnreadableError("empty: the gzip stream has no content")
    return parts[0] if len(parts) == 1 else b"".join(parts), stream.warning


def _single_member(data: bytes, limit: int) -> bytes | bytearray | None:
    """The content of a file that is exactly one member, decompressed by libdeflate; None for any other.

    libdeflate is twice as fast, but it reads one member only and trusts the size at the end of the file
    (RFC 1952 section 2.3.1), so both are checked first. Other files go to the decoder that reports problems.
    """
    size = int.from_bytes(data[-4:], "little")
    if not 0 < size <= min(limit, len(data) * _MAX_RATIO) or data.find(_MEMBER, 1) >= 0:
        return None
    try:
        content = deflate.gzip_decompress(data)
    except (deflate.DeflateError, ValueError):  # ValueError: shorter than any member
        return None
    return content if len(content) == size else None


class GunzippedStream(io.RawIOBase):
    """The content of a gzip stream of any length, as far as it can be read.

    Attributes:
        damage: after the end is reached: why the rest could not be read, "" if everything was.
        warning: after the end is reached: what follows the gzip data, "" for nothing but padding.
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
        """The number of bytes left in the stream, without leading zero padding."""
        count = len(rest)
        while piece := self._stream.read(_PIECE):
            count += len(piece) if count else len(piece.lstrip(b"\0"))
        return count

    def _end(self, damage: str = "", left_over: int = 0) -> None:
        self._ended, self.damage = True, damage
        self.warning = f"{left_over} bytes after the gzip data were ignored" if left_over else ""
