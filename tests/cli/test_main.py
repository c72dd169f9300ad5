"""What all commands share: help, version, colours, messages."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli.console import denied, log_file, trailsieve
from trailsieve import __version__
from trailsieve.cli.main import trailsieve as top

ESCAPE = "\x1b["
EXAMPLE = re.compile(r"(?:^|\| )trailsieve (.+?)(?: > \S+|   +[a-z ]+)?$", re.MULTILINE)


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of a command and of all below it."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, (*path, name))


COMMANDS = list(commands(top))
TITLES = [" ".join(("trailsieve", *path)) for path in COMMANDS]


def examples(path: tuple[str, ...]) -> list[list[str]]:
    """The arguments of each example in a command's help."""
    text = trailsieve(*path, "--help").out.decode().partition("Examples:\n")[2]
    lines = (line.strip() for line in text.splitlines())
    return [shlex.split(match[1]) for line in lines if (match := EXAMPLE.search(line))]


def test_the_commands_of_the_contract_are_there() -> None:
    assert {("match",), ("replay",), ("rules", "list"), ("rules", "show"), ("test",)} <= set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS, ids=TITLES)
def test_help_shows_an_example(path: tuple[str, ...]) -> None:
    result = trailsieve(*path, "--help")
    assert (result.code, result.err) == (0, "")
    assert result.out == trailsieve(*path, "-h").out
    assert examples(path)


@pytest.mark.parametrize("path", COMMANDS, ids=TITLES)
def test_examples_name_only_commands_and_options_that_exist(path: tuple[str, ...]) -> None:
    for arguments in examples(path):
        command: click.Command = top
        rest = arguments
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), rest[0])
            assert found is not None, rest[0]
            command, rest = found, rest[1:]
        command.make_context("example", rest)


def test_version() -> None:
    assert trailsieve("--version").lines == [f"trailsieve, version {__version__}"]


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("rules", "nonsense"), ("--nonsense",)])
def test_wrong_commands_are_exit_code_2_and_show_the_usage(arguments: tuple[str, ...]) -> None:
    result = trailsieve(*arguments)
    assert (result.code, result.out) == (2, b"")
    assert "Usage: trailsieve" in result.err


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    log_file(tmp_path / "trail.json", [denied(1)])
    (tmp_path / "empty.json").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    "arguments", [("--log-format", "json", "replay"), ("replay", "--log-format", "json")]
)
def test_global_options_stand_before_or_after_the_command(arguments: tuple[str, ...], archive: Path) -> None:
    assert trailsieve(*arguments, archive).err.startswith('{"message":')


@pytest.mark.parametrize("no_color", ["", "1"])
@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("option", [None, "auto", "always", "never"])
def test_colour(
    option: str | None, terminal: bool, no_color: str, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", no_color)
    options = ("--color", option) if option else ()
    colored = option == "always" or (option != "never" and terminal and not no_color)
    replay = trailsieve(*options, "replay", "--format", "jsonl", archive, terminal=terminal)
    listed = trailsieve("rules", *options, "list", "cis-aws", terminal=terminal)
    assert (ESCAPE in replay.err, ESCAPE in listed.out.decode()) == (colored, colored)
    assert ESCAPE not in replay.out.decode()


def test_verbose_says_which_files_were_left_aside(archive: Path) -> None:
    (archive / "notes.md").write_text("x")
    quiet = trailsieve("match", "-c", "{ $.eventName = * }", archive)
    wordy = trailsieve("match", "--verbose", "-c", "{ $.eventName = * }", archive)
    assert quiet.out == wordy.out
    assert f"trailsieve: skipped: {archive}/notes.md: not a log file\n" in wordy.err
    assert "notes.md" not in quiet.err
