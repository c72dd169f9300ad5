"""`--order` of `replay` and `match --rules`: by event time or as the files come."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve
from trailsieve.cli import alert_output
from trailsieve.engine.time_order import TimeOrder
from trailsieve.errors import SourceError
from trailsieve.sources.files import FilesSource

MINUTES = [5, 1, 9, 3, 7, 2]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Files whose names are not in the order of their events; two events of the same time, one without."""
    top = tmp_path / "archive"
    for name, minute in zip("abcdef", MINUTES, strict=True):
        log_file(top / f"{name}.json", [denied(minute)])
    log_file(top / "g.json", [denied(11, eventTime="soon"), denied(10, eventTime=denied(3)["eventTime"])])
    return top


def numbers(lines: list[dict[str, object]]) -> list[int]:
    """The numbers in the ids of the events."""
    return [int(str(line["records"][0]["eventID"])[-12:]) for line in lines]  # type: ignore[index]


IN_FILES = [5, 1, 9, 3, 7, 2, 11, 10]
IN_TIME = [1, 2, 3, 10, 5, 7, 9, 11]


@pytest.mark.parametrize("workers", ["1", "3"])
@pytest.mark.parametrize(
    ("options", "expected"),
    [((), IN_FILES), (("--order", "file"), IN_FILES), (("--order", "time"), IN_TIME)],
)
def test_json_lines(options: tuple[str, ...], expected: list[int], workers: str, archive: Path) -> None:
    result = trailsieve("replay", archive, "--workers", workers, *options)
    assert numbers(result.objects) == expected


@pytest.mark.parametrize("terminal", [True, False])
def test_a_table_is_in_the_order_of_time(terminal: bool, archive: Path) -> None:
    table = trailsieve("replay", "--format", "table", archive, terminal=terminal).lines[1:]
    assert [line[14:16] for line in table] == ["01", "02", "03", "03", "05", "07", "09", "  "]
    by_file = trailsieve("replay", "--format", "table", "--order", "file", archive, terminal=terminal).lines
    assert sorted(by_file[1:]) == sorted(table)
    assert by_file[1].startswith("2026-03-14T02:05")


@pytest.mark.parametrize("form", ["jsonl", "ecs", "ocsf", "cef", "leef", "asff", "table"])
def test_every_format_and_output_has_both_orders(form: str, archive: Path, tmp_path: Path) -> None:
    (archive / "g.json").unlink()  # formats that need a time give its event the current one
    written = {}
    for order in ("time", "file"):
        file = tmp_path / order
        arguments = ("--format", form, "--order", order, archive)
        assert trailsieve("replay", "--output", file, *arguments).out == b""
        written[order] = file.read_bytes()
        assert trailsieve("replay", *arguments).out == written[order]
    assert written["time"] != written["file"]
    assert sorted(written["time"].splitlines()) == sorted(written["file"].splitlines())


def test_what_does_not_fit_into_memory_is_printed_the_same(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trailsieve("replay", archive, "--order", "time").out
    monkeypatch.setattr(alert_output, "TimeOrder", lambda: TimeOrder(1))
    assert trailsieve("replay", archive, "--order", "time").out == expected


def test_a_stream_is_shown_in_the_order_of_delivery(archive: Path) -> None:
    table = trailsieve("replay", "--format", "table", "--as-streamed", archive).lines
    assert [line[14:16] for line in table[1:7]] == [f"0{minute}" for minute in MINUTES]


def test_a_source_that_fails_keeps_what_was_found(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(self: FilesSource) -> list[object]:
        messages = poll(self)
        if messages[0].name.endswith("c.json"):
            raise SourceError("the bucket is gone")
        return list(messages)

    poll = FilesSource.poll
    monkeypatch.setattr(FilesSource, "poll", failing)
    result = trailsieve("replay", archive, "--order", "time")
    assert (result.code, numbers(result.objects)) == (3, [1, 5])
    assert "the bucket is gone" in result.err


def test_an_interrupt_prints_nothing(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: FilesSource) -> list[object]:
        messages = poll(self)
        if messages[0].name.endswith("c.json"):
            raise KeyboardInterrupt
        return list(messages)

    poll = FilesSource.poll
    monkeypatch.setattr(FilesSource, "poll", interrupted)
    result = trailsieve("replay", archive, "--order", "time")
    assert (result.code, result.out) == (130, b"")


@pytest.mark.parametrize(
    ("options", "terminal", "expected"),
    [
        ((), False, IN_FILES),
        ((), True, IN_TIME),
        (("--order", "time"), False, IN_TIME),
        (("--order", "file"), True, IN_FILES),
    ],
)
def test_match_with_rules(
    options: tuple[str, ...], terminal: bool, expected: list[int], archive: Path
) -> None:
    result = trailsieve("match", "--rules", "cis-aws", *options, archive, terminal=terminal)
    assert [int(json.loads(line)["eventID"][-12:]) for line in result.lines] == expected
    assert result.code == 0


def test_match_with_rules_counts_in_any_order(archive: Path) -> None:
    result = trailsieve("match", "-c", "--rules", "cis-aws", "--order", "time", archive)
    assert (result.code, result.out) == (0, b"8\n")


def test_match_with_a_pattern_has_no_order(archive: Path) -> None:
    result = trailsieve("match", "--order", "time", "ListUsers", archive)
    assert (result.code, result.out) == (2, b"")
    assert "--order needs --rules" in result.err
