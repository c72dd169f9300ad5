"""The replay command in processes of its own: the same bytes for any number of workers, killed ones included."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FILES = 24
RECORDS = 300

Answer = tuple[bytes, bytes, int]  # stdout, stderr, exit code


def command(*arguments: object) -> list[str]:
    return [
        sys.executable,
        "-c",
        "from trailsieve.cli.main import main; main()",
        "replay",
        *map(str, arguments),
    ]


def replay(*arguments: object) -> Answer:
    done = subprocess.run(command(*arguments), capture_output=True, check=False)
    return done.stdout, done.stderr, done.returncode


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of which each is a job of its own, and raises more alerts than a pipe holds."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(FILES):
        records = [
            {"eventVersion": "1.11", "eventID": f"{number}-{n}", "eventName": "StopLogging", "pad": "x" * 500}
            for n in range(RECORDS)
        ]
        (folder / f"{number:02}.json").write_text(json.dumps({"Records": records}, separators=(",", ":")))
    return folder


@contextmanager
def under_way(archive: Path, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """A replay that has begun to print, and stands still because nobody reads on."""
    with subprocess.Popen(
        command(archive, "--workers", workers),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    ) as process:
        assert process.stdout
        os.set_blocking(process.stdout.fileno(), True)
        yield process


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout
    return process.stdout.readline()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def assert_nothing_lives(group: int) -> None:
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


@pytest.mark.parametrize("source", ["samples/archive", "archive"])
def test_any_number_of_workers_prints_the_same_bytes(
    source: str, root: Path, archive: Path, tmp_path: Path
) -> None:
    folder = root / source if "/" in source else archive
    answers = set()
    for workers in (1, 2, 3):
        summary, letters = tmp_path / f"summary-{workers}", tmp_path / f"letters-{workers}"
        options = ["--summary-json", summary, "--dead-letters", letters, "--workers", workers]
        answers.add((*replay(folder, *options), summary.read_bytes(), letters.read_bytes()))
    ((stdout, stderr, code, *_),) = answers
    assert code == 0
    assert stdout.count(b"\n") > 60
    assert b"alerts" in stderr


@pytest.mark.parametrize("victims", [1, 2])
def test_killed_workers_lose_nothing_and_repeat_nothing(archive: Path, victims: int) -> None:
    stdout, stderr, _ = replay(archive, "--workers", 1)
    with under_way(archive, 2) as process:
        begun = first_line(process)
        killed = children(process.pid)[:victims]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        rest, said = process.communicate()
    assert len(killed) == victims
    assert begun + rest == stdout
    assert process.returncode == 0
    reports = [line for line in said.splitlines(keepends=True) if b"died" in line]
    assert len(reports) == victims
    assert all(b"a worker process died (signal SIGKILL) while it was reading" in line for line in reports)
    assert b"".join(line for line in said.splitlines(keepends=True) if line not in reports) == stderr
    assert_nothing_lives(process.pid)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_ctrl_c_ends_quietly_and_leaves_no_process(archive: Path, workers: int) -> None:
    """As a terminal does it: every process of the group gets the signal."""
    with under_way(archive, workers) as process:
        first_line(process)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()
    assert said == b"trailsieve: interrupted\n"
    assert process.returncode == 130
    assert_nothing_lives(process.pid)


def test_when_the_replay_itself_is_killed_its_workers_end(archive: Path) -> None:
    """They hold its pipes, so the end of these is the end of the last worker."""
    with under_way(archive, 3) as process:
        first_line(process)
        assert len(children(process.pid)) == 3
        process.kill()
        _, said = process.communicate()
    assert said == b""
    assert process.returncode == -signal.SIGKILL


def test_a_reader_that_goes_away_ends_the_replay(archive: Path) -> None:
    """As `| head -1` does."""
    with under_way(archive, 2) as process:
        first_line(process)
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
    assert_nothing_lives(process.pid)
