"""Every part that `make bench-parts` measures gives the right answer; `make test` runs each once."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from tests.bench import parts
from trailsieve import jsontext
from trailsieve.pattern import interpret
from trailsieve.pattern.fused import FusedPatterns
from trailsieve.pattern.nodes import JsonPattern
from trailsieve.trail.cloudtrail import batches
from trailsieve.trail.compression import gunzip

Found = list[tuple[int, list[int]]]


@pytest.fixture(scope="module")
def texts(root: Path) -> list[bytes]:
    """The records of the sample archive, in pairs of copies so that one block does not hold them all."""
    return parts.records_of(root / "samples" / "archive") * 2


@pytest.fixture(scope="module")
def trees() -> list[JsonPattern]:
    return [pattern.tree for pattern in parts.compile_cis() if isinstance(pattern.tree, JsonPattern)]


@pytest.fixture(scope="module")
def answers(texts: list[bytes], trees: list[JsonPattern]) -> Found:
    """What the interpreter says of each record."""
    found = []
    for index, text in enumerate(texts):
        record = jsontext.decode(text)
        numbers = [n for n, tree in enumerate(trees) if interpret.matches_record(tree, record)]
        if numbers:
            found.append((index, numbers))
    assert len(found) > 50
    return found


def log_file(texts: list[bytes]) -> bytes:
    return b'{"Records":[' + b",".join(texts) + b"]}"


def test_gunzip(benchmark: BenchmarkFixture, texts: list[bytes]) -> None:
    plain = log_file(texts)
    assert benchmark(gunzip, gzip.compress(plain)) == (plain, "")


def test_decode(benchmark: BenchmarkFixture, texts: list[bytes], trees: list[JsonPattern]) -> None:
    """A file's records into the projection of the CIS pack, block by block."""
    event: Any = FusedPatterns(trees).decode_as
    decode, data = jsontext.decoder(list[event]).decode, log_file(texts)
    blocks = benchmark(lambda: list(batches(data, decode)))
    assert sum(map(len, blocks)) == len(texts)
    assert all(block.events is not None for block in blocks)


def test_match(
    benchmark: BenchmarkFixture, texts: list[bytes], trees: list[JsonPattern], answers: Found
) -> None:
    """The fifteen CIS rules as one, over records that are decoded already."""
    fused = FusedPatterns(trees)
    decode = jsontext.decoder(fused.decode_as).decode
    records = [decode(text) for text in texts]
    assert benchmark(fused.matches, records) == answers


def test_one_event_a_message(benchmark: BenchmarkFixture, texts: list[bytes], answers: Found) -> None:
    processor, messages = parts.cis_processor(), parts.one_event_messages(texts)
    findings = benchmark(lambda: [next(processor.process_poll([message]))[1] for message in messages])
    assert [len(one.alerts) for one in findings] == alerts_by_record(len(texts), answers)


def test_messages_of_one_event_together(
    benchmark: BenchmarkFixture, texts: list[bytes], answers: Found
) -> None:
    processor, messages = parts.cis_processor(), parts.one_event_messages(texts)
    [(_, findings)] = benchmark(lambda: list(processor.process_poll(messages)))
    assert findings.records == len(texts)
    assert len(findings.alerts) == sum(alerts_by_record(len(texts), answers))


def alerts_by_record(count: int, answers: Found) -> list[int]:
    numbers = dict(answers)
    return [len(numbers.get(index, ())) for index in range(count)]


def test_parse_and_compile(benchmark: BenchmarkFixture, trees: Sequence[JsonPattern]) -> None:
    """All fifteen CIS patterns, with nothing remembered."""
    patterns = benchmark.pedantic(parts.compile_cis, setup=parts.forget, rounds=20)  # type: ignore[no-untyped-call]
    assert [pattern.tree for pattern in patterns] == trees
    assert len(patterns) == 15


def test_predicates(benchmark: BenchmarkFixture, texts: list[bytes], answers: Found) -> None:
    """Each of the fifteen on each record, decoded in full."""
    records = [jsontext.decode(text) for text in texts]
    assert benchmark(parts.verdicts, parts.compile_cis(), records) == sum(
        alerts_by_record(len(texts), answers)
    )


@pytest.mark.parametrize("pattern", parts.LINEAR)
def test_a_regex_that_would_backtrack_for_ever(benchmark: BenchmarkFixture, pattern: str) -> None:
    assert benchmark(parts.slow_case(pattern)) is False
