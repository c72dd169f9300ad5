"""The progress bar: it moves, never mixes with rows and messages, and leaves nothing behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve
from tests.cli.terminal import Terminal
from trailsieve.cli.options import Screen
from trailsieve.cli.progress import Progress
from trailsieve.engine.stats import RunStats
from trailsieve.errors import cells

HOSTILE = {"userAgent": "\x1b[2Jx", "eventName": "\x1b]0;owned\x07", "sourceIPAddress": "\x9b31m\r\n"}


def lines(*numbers: int, **fields: str) -> bytes:
    return b"".join(json.dumps(denied(number, **fields)).encode() + b"\n" for number in numbers)


def feed(pipe: Path, data: bytes) -> None:
    with pipe.open("wb") as file:
        file.write(data)


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    """Files, and between them pipes that wait for what the test writes."""
    paths = [tmp_path / f"{name}.jsonl" for name in "abcd"]
    paths[0].write_bytes(lines(9, 8))
    paths[2].write_bytes(lines(5, 4) + b"{ damaged\n")
    os.mkfifo(paths[1])
    os.mkfifo(paths[3])
    return paths


@pytest.mark.parametrize("order", ["time", "file"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_bar_moves_and_mixes_with_nothing(
    order: str, workers: str, inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("replay", "--order", order, "--workers", workers, "--color", "never")
    with Terminal(*arguments, *inputs) as terminal:
        terminal.wait_for(r"\r[^\n]*\b1/4 files  [^\n]*events/s")
        feed(inputs[1], lines(7, 6, **HOSTILE))
        terminal.wait_for(r"\r[^\n]*\b3/4 files  [^\n]*events/s")
        feed(inputs[3], lines(3, 2))
        shown = terminal.end()
    for pipe, numbers in ((inputs[1], (7, 6)), (inputs[3], (3, 2))):
        pipe.unlink()
        pipe.write_bytes(lines(*numbers, **(HOSTILE if 7 in numbers else {})))
    monkeypatch.setenv("COLUMNS", "120")
    expected = trailsieve(*arguments, *inputs, terminal=True)
    assert sorted(shown[:-1]) == sorted(expected.lines + expected.err.splitlines())
    rows = [line for line in shown if "cis-aws-4.1" in line and line.startswith("2026")]
    assert rows == expected.lines[1:]
    assert len(rows) == 8


def test_a_single_long_file_moves_too(tmp_path: Path) -> None:
    pipe = tmp_path / "long.jsonl"
    os.mkfifo(pipe)
    with Terminal("replay", "--workers", "1", pipe) as terminal, pipe.open("wb", buffering=0) as file:
        file.write(lines(1) * 3000)
        seen = terminal.wait_for(r"0/1 files  ([0-9.]+) MB  [^\n]*events/s")
        file.write(lines(2) * 9000)
        terminal.wait_for(rf"0/1 files  (?!{seen[1]} )[0-9.]+ MB  [^\n]*events/s")
        file.close()
        assert "events/s" not in "".join(terminal.end())


def test_nothing_is_drawn_without_a_terminal(tmp_path: Path) -> None:
    file = log_file(tmp_path / "a.json", [denied(1)])
    with Terminal("replay", "--log-format", "json", file) as terminal:
        assert "events/s" not in "".join(terminal.end())
    assert "\r" not in trailsieve("replay", file).err


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize(("files", "size"), [(3, 10), (200_000, 10_000_000_000)])
@pytest.mark.parametrize("listed", [True, False])
def test_the_line_fits(width: int, files: int, size: int, listed: bool) -> None:
    stats = RunStats(records=12_345_678)
    progress = Progress(stats, Screen(), listed=listed)
    for _ in range(files):
        progress.found(size // files)
    progress.done(size // files)
    line = progress.line(100, width, "utf-8")
    assert cells(line) < width
    assert line.isprintable()


def test_what_the_line_tells() -> None:
    progress = Progress(RunStats(records=50_000), Screen())
    for _ in range(4):
        progress.found(1_000_000)
    assert progress.line(3, 80, "utf-8") == "0/4 files  0.0 MB  16,667 events/s  0:03"
    progress.reading(500_000)
    progress.done(500_000)
    shown = " 25%  1/4 files  1.0/4.0 MB  12,500 events/s  0:12 left"
    assert progress.line(4, 80, "utf-8") == "━━━━━─────────────────  " + shown
    assert progress.line(4, 80, "latin-1") == "#####.................  " + shown
    assert progress.line(4, 60, "utf-8") == shown
    assert progress.line(4000, 80, "utf-8").endswith("3:20:00 left")


def test_a_bucket_that_is_still_being_listed_has_no_end() -> None:
    progress = Progress(RunStats(records=50_000), Screen(), "objects", listed=False)
    progress.found(1_000_000)
    progress.found(1_000_000)
    progress.done(1_000_000)
    assert progress.line(4, 80, "utf-8") == "1/2 objects  1.0 MB  12,500 events/s  0:04"
