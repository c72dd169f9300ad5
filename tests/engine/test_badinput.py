"""Whatever lies in an archive: it is named once, counted and kept, and everything readable still matches."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.badinput import CORPUS, LIMIT, Bad, hit, packed
from tests.cli.console import trailsieve
from trailsieve.jsontext import decode


@dataclass(frozen=True)
class Replay:
    """What a replay of a folder answered."""

    code: int
    alerts: list[Any]
    said: list[str]
    summary: dict[str, Any]
    letters: list[Any]


def replay(folder: Path, *inputs: Path) -> Replay:
    summary, letters = folder.parent / "summary.json", folder.parent / "letters.jsonl"
    result = trailsieve(
        "replay",
        *(inputs or (folder,)),
        *("--workers", "1", "--max-object-size", str(LIMIT)),
        *("--summary-json", summary, "--dead-letters", letters),
    )
    said = [
        line.removeprefix("trailsieve: ") for line in result.err.splitlines() if line[:12] == "trailsieve: "
    ]
    return Replay(
        result.code,
        [decode(line) for line in result.out.splitlines()],  # which takes any depth
        said,
        json.loads(summary.read_text()),
        [json.loads(line) for line in letters.read_text().splitlines()],
    )


def original(letter: dict[str, Any]) -> bytes:
    if "base64" in letter:
        return base64.b64decode(letter["base64"])
    return str(letter["text"]).encode()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A good file before and one after what the test adds."""
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a.json.gz").write_bytes(packed(hit()))
    (folder / "z.json.gz").write_bytes(packed(hit()))
    return folder


def counted(bad: Bad) -> dict[str, int]:
    return {bad.category: 1} if bad.category else {}


@pytest.mark.parametrize("bad", CORPUS.values(), ids=CORPUS)
def test_a_bad_file_costs_itself_only(bad: Bad, archive: Path) -> None:
    file = archive / bad.file
    file.write_bytes(bad.data())
    result = replay(archive)
    assert result.code == 0
    positions = [alert["position"].partition("#")[0] for alert in result.alerts]
    assert positions == [f"{archive}/a.json.gz", *[str(file)] * bad.matches, f"{archive}/z.json.gz"]
    assert len(result.said) == len(bad.says)
    assert all(line.startswith(f"{file}{says}") for line, says in zip(result.said, bad.says, strict=True))
    assert result.summary["skipped"] == counted(bad)
    assert (result.summary["files"], result.summary["unreadable_records"]) == (3, bad.unread)
    assert [original(letter) for letter in result.letters] == list(bad.letters)
    assert [line.partition(": ")[2] for line in result.said if bad.letters] == [
        letter["reason"] for letter in result.letters
    ]


def test_the_whole_corpus_in_one_run(archive: Path) -> None:
    for number, bad in enumerate(CORPUS.values()):
        (archive / f"{number:02}-{bad.file}").write_bytes(bad.data())
    result = replay(archive)
    assert result.code == 0
    raised = len(result.alerts) + result.summary["duplicates"]  # some files hold the same records
    assert raised == 2 + sum(bad.matches for bad in CORPUS.values())
    assert len({alert["id"] for alert in result.alerts}) == len(result.alerts)
    assert sum(result.summary["skipped"].values()) == sum(bool(bad.category) for bad in CORPUS.values())
    assert result.summary["files"] == 2 + len(CORPUS)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


def folder_link(path: Path) -> None:
    path.symlink_to(path.parent)


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("x.json", dangling, "No such file or directory"),
        ("x.json", circle, "Too many levels of symbolic links"),
        ("x.json", folder_link, "not a regular file"),
        ("x.jsonl", folder_link, "not a regular file"),
        ("x.json", os.mkfifo, "not a regular file"),
        ("x.jsonl", os.mkfifo, "not a regular file"),
    ],
)
def test_what_is_no_file_is_named_and_never_waited_for(
    name: str, make: Callable[[Path], None], reason: str, archive: Path
) -> None:
    make(archive / name)
    result = replay(archive)
    assert (result.code, len(result.alerts)) == (0, 2)
    assert result.said == [f"{archive}/{name}: {reason}"]
    assert result.summary["skipped"] == {reason: 1}


def test_a_file_that_may_not_be_read(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, who may read everything; so the refusal is played."""
    (archive / "secret.json").write_bytes(packed(hit()))
    read = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "secret.json":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    result = replay(archive)
    assert (result.code, len(result.alerts)) == (0, 2)
    assert result.said == [f"{archive}/secret.json: Permission denied"]


def lines(count: int) -> bytes:
    return b"".join(hit() + b"\n" for _ in range(count))


DAMAGED_LINES = {
    "truncated": (lambda data: data[:-20], "truncated: the gzip stream ends early"),
    "wrong checksum": (lambda data: data[:-8] + bytes(8), "damaged gzip: Incorrect checksum found"),
    "damaged": (lambda data: data[:10] + b"\xff" * 40 + data[50:], "damaged gzip: "),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGED_LINES.values(), ids=DAMAGED_LINES)
def test_damaged_gzip_of_lines_is_one_file_with_one_reason(
    damage: Callable[[bytes], bytes], reason: str, archive: Path
) -> None:
    (archive / "x.jsonl.gz").write_bytes(damage(gzip.compress(lines(20))))
    result = replay(archive)
    assert result.code == 0
    (said,) = result.said
    assert said.startswith(f"{archive}/x.jsonl.gz: {reason}")
    assert result.summary["files"] == 3


def test_a_name_that_is_no_utf8(archive: Path) -> None:
    with open(os.fsencode(archive) + b"/\xff.json.gz", "wb") as file:
        file.write(packed(hit()))
    result = replay(archive)
    assert (result.code, len(result.alerts)) == (0, 3)
