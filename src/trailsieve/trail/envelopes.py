"""Envelopes that records travel in, recognised by their shape and peeled in any nesting.

gzip, base64, KPL aggregation, JSON lines, arrays, CloudTrail files, CloudWatch Logs subscriptions,
EventBridge, SNS, SQS, Firehose, Lambda events of those, and the notices that tell of new S3 objects. What AWS
documents of each shape stands beside its handler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from msgspec import Raw

from trailsieve.errors import UnreadableError
from trailsieve.jsontext import REFUSALS, decode_object, encode
from trailsieve.trail import kpl, scan
from trailsieve.trail.cloudtrail import split
from trailsieve.trail.compression import DEFAULT_LIMIT, gunzip, is_gzip
from trailsieve.trail.envelope_contents import Layer, Peeled
from trailsieve.trail.envelope_shapes import ABSENT, ENVELOPES, KEYS, Part, decode_shape, from_base64

_MAX_DEPTH = 12  # layers; nothing that AWS sends has more than six
_MAX_PARTS = 500_000  # of one payload; what AWS sends holds some thousands
_MAX_LAYERS = 10_000  # that are told of
_LEAST_PART = 16  # bytes of a value on the average, where there are many
_PLAIN = b'{"eventVersion"'  # how CloudTrail begins every record
_array = msgspec.json.Decoder(list[Raw]).decode


_RECORD_FIELDS = ("eventVersion", "eventName", "eventSource", "eventID", "eventTime")


def peel(payload: bytes, limit: int = DEFAULT_LIMIT) -> Peeled:
    """Takes the records out of all envelopes; never raises for what the payload holds.

    Args:
        limit: bytes of everything that is unpacked, at most.
    """
    peeler = Peeler(limit)
    peeler.attempt(payload, 0)
    return peeler.found


def peel_lines(payload: bytes, limit: int = DEFAULT_LIMIT) -> Peeled:
    """The same for a file, which may also hold one payload a line, such as base64."""
    found = peel(payload, limit)
    lines = [line for line in payload.splitlines() if line.strip()]
    if len(lines) < 2 or not found.problems or found.records or found.objects or found.notices:
        return found
    peeler = Peeler(limit)
    peeler.layer(0, "lines", f"{len(lines):,}")
    peeler.each(lines, 1)
    return peeler.found


def is_plain_record(payload: bytes) -> bool:
    """Whether a payload is surely one record in no envelope, by its first and last bytes."""
    return payload.startswith(_PLAIN) and payload.endswith(b"}")


@dataclass(slots=True)
class Peeler:
    """Peels one payload, part by part. `budget` is how many bytes may still be unpacked."""

    budget: int
    parts: int = 0
    found: Peeled = field(default_factory=Peeled)

    def attempt(self, part: Part, depth: int, content: Callable[[Part], bytes] = bytes) -> None:
        """Peels the content of one part; what is wrong with it costs this part only."""
        self.count(1)
        payload = bytes(part)
        try:
            payload = content(part)
            self.peel(payload, depth)
        except UnreadableError as error:
            self.found.problems.append((error.reason, payload))

    def peel(self, payload: bytes, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise UnreadableError(f"more than {_MAX_DEPTH} envelopes in one another")
        if is_gzip(payload):
            self.gzip(payload, depth)
        elif kpl.is_aggregated(payload):
            self.aggregated(payload, depth)
        else:
            self.text(payload, depth)

    def count(self, parts: int) -> None:
        """A payload of a few bytes may unpack to so many parts that they fill the memory."""
        self.parts += parts
        if self.parts > _MAX_PARTS:
            raise UnreadableError(f"too much: more than {_MAX_PARTS:,} parts in one message")

    def layer(self, depth: int, name: str, detail: str = "") -> None:
        layers = self.found.layers
        if layers and (layers[-1].depth, layers[-1].name, layers[-1].detail) == (depth, name, detail):
            layers[-1].times += 1
        elif len(layers) < _MAX_LAYERS:
            layers.append(Layer(depth, name, detail))

    def gzip(self, payload: bytes, depth: int) -> None:
        data, warning = gunzip(payload, self.budget)
        self.budget -= len(data)
        self.layer(depth, "gzip", warning or f"{len(payload):,} → {len(data):,} bytes")
        self.peel(bytes(data), depth + 1)

    def aggregated(self, payload: bytes, depth: int) -> None:
        parts = kpl.deaggregate(payload)
        self.layer(depth, "KPL aggregation", f"{len(parts)} user records")
        self.each(parts, depth + 1)

    def text(self, payload: bytes, depth: int) -> None:
        match payload.lstrip()[:1]:
            case b"{":
                self.objects(payload, depth)
            case b"[":
                parts = self.array(Raw(payload))
                self.layer(depth, "JSON array", f"{len(parts)} elements")
                self.each(parts, depth + 1)
            case b"":
                raise UnreadableError("empty: no bytes in it")
            case b'"':
                self.layer(depth, "JSON string")
                self.peel(self.string(Raw(payload)), depth + 1)
            case _:
                self.layer(depth, "base64")
                self.peel(from_base64(payload), depth + 1)

    def objects(self, payload: bytes, depth: int) -> None:
        """One object, or several one after another: JSON lines, or what Firehose joins without a break."""
        texts = _objects_in(payload)
        if len(texts) > 1:
            self.layer(depth, "JSON lines", f"{len(texts)} objects")
            self.each(texts, depth + 1)
        else:
            self.object(texts[0], depth)

    def object(self, text: bytes, depth: int) -> None:
        try:
            shape = decode_shape(text)
        except REFUSALS:
            self.odd_object(text, depth)
            return
        there = {key for key in KEYS if getattr(shape, key) is not ABSENT}
        handler = next((handler for keys, handler in ENVELOPES if there.issuperset(keys)), None)
        if handler:
            handler(self, shape, depth)
        elif not there.isdisjoint(_RECORD_FIELDS):
            self.record(text, depth)
        else:
            raise UnreadableError(f"unknown envelope: a JSON object with the keys {_keys(text)}")

    def odd_object(self, text: bytes, depth: int) -> None:
        """JSON with a lone surrogate or very deep nesting in it: one odd record must not hide the others."""
        content = decode_object(text) or {}
        if isinstance(content.get("Records"), list):
            texts = split(text).texts
            self.layer(depth, "CloudTrail file", f"{len(texts)} records")
            self.count(len(texts))
            self.found.records += texts
        elif "detail-type" in content and isinstance(content.get("detail"), dict):
            self.layer(depth, "EventBridge event")
            self.record(encode(content["detail"]).encode(), depth + 1)
        else:
            self.record(text, depth)

    def record(self, text: bytes, depth: int) -> None:
        self.layer(depth, "CloudTrail record")
        self.found.records.append(text)

    def array(self, raw: Raw) -> list[Raw]:
        commas = bytes(raw).count(b",")
        if commas > max(_MAX_PARTS, len(bytes(raw)) // _LEAST_PART):
            raise UnreadableError(f"too much: a JSON array of {commas:,} small values")
        try:
            return _array(raw)
        except REFUSALS as error:
            raise UnreadableError(f"a JSON array that cannot be read: {error}") from None

    def string(self, raw: Raw) -> bytes:
        try:
            return msgspec.json.decode(raw, type=str).encode("utf-8", "surrogatepass")
        except REFUSALS:
            raise UnreadableError("an envelope whose content is no string") from None

    def each(self, parts: Iterable[Part], depth: int, content: Callable[[Part], bytes] = bytes) -> None:
        for part in parts:
            self.attempt(part, depth, content)


def _objects_in(payload: bytes) -> list[bytes]:
    try:
        msgspec.json.decode(payload, type=Raw)
        return [payload.strip()]
    except REFUSALS:
        pass
    try:
        return [payload[start:end] for start, end in islice(scan.values(payload), _MAX_PARTS + 1)]
    except (scan.TruncatedError, UnreadableError) as error:
        raise UnreadableError(f"truncated JSON: it {error}") from None


def _keys(text: bytes) -> str:
    try:
        keys: Any = list(msgspec.json.decode(text, type=dict[str, Raw]))
    except REFUSALS:
        return "(unreadable)"
    return ", ".join(keys[:8]) + (", …" if len(keys) > 8 else "")
