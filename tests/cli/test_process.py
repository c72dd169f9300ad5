"""The command as a process of its own: what it imports, and how it takes pipes and terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import trailsieve
from tests.cli.console import denied, log_file
from tests.cli.terminal import MAIN, Terminal

SOURCES = {**os.environ, "PYTHONPATH": str(Path(trailsieve.__file__).parents[1])}
IMPORTS = """
import json, sys
from trailsieve.cli.main import run
code = run(json.loads(sys.argv[1]))
sys.stdout.flush()
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (["--version"], ["boto3", "botocore", "kafka", "rich", "pyparsing", "msgspec", "re2"]),
        (["--help"], ["boto3", "botocore", "kafka", "rich", "pyparsing", "msgspec", "re2"]),
        (["match", "ERROR"], ["boto3", "botocore", "kafka", "rich", "asyncio", "multiprocessing"]),
        (["match", "ERROR"], ["trailsieve.rules.lint", "trailsieve.trail.catalogue", "trailsieve.logic"]),
        (
            ["match", "--rules", "cis-aws"],
            ["boto3", "botocore", "kafka", "rich", "asyncio", "multiprocessing"],
        ),
        (["replay", "--help"], ["boto3", "botocore", "kafka", "rich", "asyncio"]),
        (["replay", "--summary-json", "/dev/null", "."], ["boto3", "botocore", "kafka", "asyncio"]),
        (
            ["replay", "--workers", "1", "--rules", "aws-threats", "."],
            [
                "pyparsing",
                "importlib.metadata",
                "importlib.resources",
                "multiprocessing",
                "concurrent.futures",
                "socket",
            ],
        ),
        (["replay", "."], ["trailsieve.pattern.slips", "trailsieve.alarms.shared", "trailsieve.report"]),
        (["test", "cis-aws"], ["boto3", "botocore", "kafka", "rich", "asyncio"]),
    ],
    ids=str,
)
def test_a_command_imports_only_what_it_needs(
    arguments: list[str], forbidden: list[str], tmp_path: Path
) -> None:
    script = [sys.executable, "-c", IMPORTS, json.dumps(arguments)]
    done = subprocess.run(script, input=b"ERROR\n", capture_output=True, cwd=tmp_path, check=True)
    imported = json.loads(done.stderr.splitlines()[-1])
    assert "trailsieve.cli.main" in imported
    assert not set(imported) & set(forbidden)


def test_importing_the_package_imports_the_standard_library_at_most() -> None:
    script = "import sys, trailsieve; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-Sc", script], capture_output=True, text=True, check=True, env=SOURCES
    )
    assert set(done.stdout.split()) - sys.stdlib_module_names == {"trailsieve", "__main__"}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """More than a pipe holds."""
    log_file(tmp_path / "trail.json.gz", [denied(n, padding="x" * 5000) for n in range(60)])
    return tmp_path


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["match", "ListUsers"],
        ["match", "--json", "ListUsers"],
        ["match", "--explain", "--json", "{ $.padding = y }"],
        ["replay"],
        ["replay", "--workers", "2"],
    ],
    ids=lambda value: " ".join(value[:2]),
)
def test_a_reader_that_goes_away_is_no_error(arguments: list[str], unbuffered: str, archive: Path) -> None:
    command = [*MAIN, *arguments, *[str(archive)] * 2]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout
    assert process.stdout.read(1)
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate()
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_explanations_are_printed_in_any_locale(encoding: str, archive: Path) -> None:
    arguments = ["match", "--explain", '{ $.eventName = "日本" }', str(archive)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([*MAIN, *arguments], capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (1, b"")
    assert "event 1: ✗ no match".encode(encoding, "replace") in done.stdout


def test_a_terminal_gets_tables_and_no_escape_sequence_of_an_attacker(tmp_path: Path) -> None:
    hostile = denied(1, userAgent="\x1b[2Jx", eventName="\x1b]0;owned\x07", sourceIPAddress="\x9b31m")
    file = str(log_file(tmp_path / "trail.json", [hostile]))
    for arguments, start in ((("replay",), "TIME "), (("match", "AccessDenied"), '{"eventID"')):
        with Terminal(*arguments, file) as terminal:
            assert terminal.end()[0].startswith(start)
            assert b"\x1b" not in terminal.written
            assert "\x9b" not in terminal.written.decode()


@pytest.mark.parametrize(
    ("words", "completed"), [("trailsieve re", ["replay"]), ("trailsieve replay --su", ["--summary-json"])]
)
def test_shells_complete_commands_and_options(words: str, completed: list[str]) -> None:
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    environment = {**SOURCES, **asked, "_TRAILSIEVE_COMPLETE": "bash_complete"}
    done = subprocess.run(MAIN, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"plain,{word}" for word in completed]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_scripts_call_the_command(shell: str) -> None:
    environment = {**SOURCES, "_TRAILSIEVE_COMPLETE": f"{shell}_source"}
    done = subprocess.run(MAIN, env=environment, capture_output=True, text=True, check=True)
    assert f"_TRAILSIEVE_COMPLETE={shell}_complete" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["match", "ERROR"], ["explain", "ERROR"], ["replay", "trail"]], ids=str
)
def test_output_to_a_full_disk_is_named(arguments: list[str], tmp_path: Path) -> None:
    log_file(tmp_path / "trail" / "a.json", [denied(1)])
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*MAIN, *arguments],
            input=b"ERROR\n",
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=SOURCES,
            check=False,
        )
    assert done.returncode == 3
    expected = "trailsieve: standard output cannot be written: No space left on device"
    assert expected in done.stderr.decode().splitlines()
