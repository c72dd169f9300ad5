"""The plain way to the answer: every record decoded in full by the standard library, every rule interpreted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from trailsieve.engine.decode import Decoder
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.processor import BatchResult, Processor
from trailsieve.model import Message, Position
from trailsieve.pattern import interpret
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.nodes import JsonPattern
from trailsieve.rules.rule import Rule
from trailsieve.trail.compression import DEFAULT_LIMIT

Found = list[tuple[int, str]]  # numbers of records, and the rules that match them


def rules(**patterns: str) -> list[Rule]:
    """Rules by their ids."""
    return [Rule(name, name, "low", compile(pattern)) for name, pattern in patterns.items()]


def log_file(texts: Iterable[bytes]) -> bytes:
    """The records as CloudTrail writes them, uncompressed."""
    return b'{"Records":[' + b",".join(texts) + b"]}"


def message(payload: bytes, name: str = "trail.json.gz") -> Message:
    """An object with these bytes."""
    return Message(payload, Position(name, 0), name)


def processor(chosen: Sequence[Rule], limit: int = DEFAULT_LIMIT) -> Processor:
    """The fast path, as a replay uses it."""
    return Processor(Decoder(limit), Matcher(chosen))


def examine(payload: bytes, chosen: Sequence[Rule], *, limit: int = DEFAULT_LIMIT) -> BatchResult:
    """What the fast path finds in an object."""
    return processor(chosen, limit).process(message(payload))


def examine_records(texts: Sequence[bytes], chosen: Sequence[Rule]) -> BatchResult:
    """What the fast path finds in a gzipped CloudTrail file with these records."""
    return examine(gzip.compress(log_file(texts), 1), chosen)


def found(findings: BatchResult) -> Found:
    """Which rule matched which record; the texts that alerts carry are bytes of their own."""
    assert all(type(text) is bytes for alert in findings.alerts for text in alert.records)
    return [(int(alert.position.rpartition("#")[2]), alert.rule) for alert in findings.alerts]


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) < 4000 else Decimal(text)


def decode(text: bytes) -> Any:
    """JSON by the standard library, with exact numbers; it takes lone surrogates and bytes that are no UTF-8."""
    return json.loads(text.decode("utf-8", "replace"), parse_float=Decimal, parse_int=_whole)


def plainly(texts: Sequence[bytes], chosen: Sequence[Rule]) -> Found:
    """What the interpreter says of each record, one rule after the other."""
    answers: Found = []
    for index, text in enumerate(texts, 1):
        record = decode(text)
        for rule in chosen:
            assert isinstance(rule.pattern.tree, JsonPattern)
            if interpret.matches_record(rule.pattern.tree, record):
                answers.append((index, rule.id))
    return answers
