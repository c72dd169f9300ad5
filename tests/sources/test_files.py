"""Files of lines come in blocks: every line once, with its number, whatever long lines stand between."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.model import Message
from trailsieve.ports import RunContext
from trailsieve.sources import files
from trailsieve.sources.files import FilesSource, list_files
from trailsieve.trail.selection import Selection

LIMIT = 20


def read(path: Path, data: bytes, limit: int = LIMIT) -> list[Message]:
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    source = FilesSource(list_files([str(path)]), RunContext(max_object_size=limit), Selection())
    messages: list[Message] = []
    while not source.exhausted:
        messages += source.poll()
    return messages


LINES = st.lists(st.binary(max_size=3 * LIMIT).filter(lambda line: b"\n" not in line), max_size=12)


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=LINES, ended=st.booleans(), block=st.integers(3, 90), suffix=st.sampled_from([".jsonl", ".log.gz"])
)
def test_every_line_comes_once_or_is_named(
    lines: list[bytes], ended: bool, block: int, suffix: str, tmp_path: Path
) -> None:
    lines = [b"#" + line for line in lines]  # so that the file itself never looks like gzip
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK", block)
        messages = read(tmp_path / f"x{suffix}", data)
    found: dict[int, bytes] = {}
    too_long: list[int] = []
    for message in messages:
        if message.problem:
            assert message.problem.startswith(f"too big: line {message.lines} has more than {LIMIT} bytes")
            too_long.append(message.lines)
        else:
            found.update(enumerate(message.payload.removesuffix(b"\n").split(b"\n"), message.lines))
    numbered = dict(enumerate(lines, 1))
    assert found == {number: line for number, line in numbered.items() if len(line) <= LIMIT}
    assert too_long == [number for number, line in numbered.items() if len(line) > LIMIT]
    offsets = [message.position.offset for message in messages]
    assert offsets == sorted(set(offsets))
    assert offsets[-1:] == ([len(data)] if data else [])


def test_a_long_line_never_comes_whole_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK", 10)
    sizes: list[int] = []
    real = files._parts

    def parts(block: bytes, limit: int) -> object:
        sizes.append(len(block))
        return real(block, limit)

    monkeypatch.setattr(files, "_parts", parts)
    messages = read(tmp_path / "x.jsonl", b"x" * 10_000 + b"\nshort\n")
    assert max(sizes) <= LIMIT + 2 * 10
    assert [(message.lines, message.payload) for message in messages] == [(1, b""), (2, b"short\n")]
    assert [message.position.offset for message in messages] == [10_001, 10_007]


@pytest.mark.parametrize(
    ("damaged", "problem"),
    [
        (lambda data: data[:-8], "truncated: the gzip stream ends early"),
        (lambda data: data[:-8] + b"12345678", "damaged gzip: Incorrect checksum found"),
        (lambda data: data + b"tail", "4 bytes after the gzip data were ignored"),
        (lambda data: data + b"\0" * 9, ""),
        (lambda data: data + data, ""),
    ],
)
def test_damage_is_reported_after_the_lines_before_it(
    tmp_path: Path, damaged: Callable[[bytes], bytes], problem: str
) -> None:
    path = tmp_path / "x.jsonl.gz"
    lines = b"".join(b"line %d\n" % number for number in range(20_000))
    path.write_bytes(damaged(gzip.compress(lines)))
    source = FilesSource(list_files([str(path)]), RunContext(max_object_size=LIMIT), Selection())
    messages = [message for _ in range(90) for message in source.poll()]
    kept = b"".join(message.payload for message in messages)
    assert kept.startswith(lines[: 2 * 64 * 2**10]), "damage at the end costs the last 64 KiB at most"
    assert kept.endswith(b"\n")
    assert [message.problem for message in messages if message.problem] == [problem] * bool(problem)
