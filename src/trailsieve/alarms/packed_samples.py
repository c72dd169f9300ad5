"""What open periods keep of their samples, compressed in blocks: most periods never need it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct

import msgspec
from isal import isal_zlib

from trailsieve.alarms.context import Facts

BLOCK_SAMPLES = 64
BLOCK_BYTES = 64 * 2**10  # of original records, from which on a block is full too

KeptSample = tuple[int, str, str | None, Facts, bytes | None]  # seconds, id, time as written, facts, record
PLACE_BYTES = 5  # of an encoded place
Place = tuple[int, int]  # number of a block, and of a sample in it


class PackedSamples:
    """Samples in the order in which they came; a block is kept until its newest sample may be forgotten."""

    def __init__(self) -> None:
        self._open: list[KeptSample] = []
        self._number = 0  # of the open block
        self._size = 0  # bytes of its records
        self._packed: dict[int, tuple[int, bytes]] = {}  # by number, newest second and compressed samples

    def put(self, sample: KeptSample) -> bytes:
        """Keeps a sample; returns its place, encoded."""
        place = _place(self._number, len(self._open))
        self._open.append(sample)
        if sample[4] is not None:
            self._size += len(sample[4])
        if len(self._open) == BLOCK_SAMPLES or self._size >= BLOCK_BYTES:
            self._pack()
        return place

    def read(self, places: Iterable[Place]) -> Iterator[KeptSample]:
        """The samples at these places; each block is decompressed once if the places are sorted."""
        known, samples = -1, []
        for number, index in places:
            if number == self._number:
                yield self._open[index]
                continue
            if number != known:
                known, samples = number, _raw(isal_zlib.decompress(self._packed[number][1]))
            yield _sample(samples[index])

    def forget(self, before: int) -> None:
        """Drops the blocks whose samples are all older than a time in seconds."""
        for number in [number for number, (newest, _) in self._packed.items() if newest < before]:
            del self._packed[number]

    def _pack(self) -> None:
        newest = max(sample[0] for sample in self._open)
        self._packed[self._number] = newest, isal_zlib.compress(_encode(self._open), 1)
        self._open.clear()
        self._number += 1
        self._size = 0


def places(encoded: bytes) -> Iterator[Place]:
    """The places that are encoded one after the other."""
    return _layout.iter_unpack(encoded)


_layout = Struct("<IB")
_place = _layout.pack
_encode = msgspec.msgpack.Encoder().encode
_raw = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode
_sample = msgspec.msgpack.Decoder(KeptSample).decode
