"""What the README and the pages print is what the commands print: `...` stands for lines that are left out."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "docs/alarms.md",
    "docs/import.md",
    "docs/investigate.md",
    "docs/rules.md",
    "docs/sinks.md",
    "docs/streams.md",
)  # docs/lint.md has tests of its own


def blocks(language: str, page: str = "README.md") -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def sessions() -> list[tuple[str, str]]:
    """Each command of a console block that shows its output, and that output."""
    found = []
    for block in (block for page in PAGES for block in blocks("console", page)):
        for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
            if command.startswith("trailsieve") and output.strip():
                found.append((command, output))
    return found


def same(shown: str, printed: str) -> bool:
    """Whether the lines are equal, blanks at their ends aside, where `...` may be any number of lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line.rstrip()) + r"[ ]*\n"
        for line in shown.strip("\n").split("\n")
    )
    return re.fullmatch(pattern, printed.strip("\n") + "\n") is not None


def printed_by(command: str, root: Path) -> str:
    """Both outputs of a command line of trailsieve, as a person sees them."""
    arguments = shlex.split(command)[1:]
    done = subprocess.run(
        [sys.executable, "-c", "from trailsieve.cli.main import main; main()", *arguments],
        cwd=root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    lines = done.stdout.split("\n")
    return "\n".join(line for line in lines if not line.startswith("trailsieve: samples/"))  # damaged files


@pytest.mark.parametrize(("command", "shown"), sessions(), ids=[command for command, _ in sessions()])
def test_console_sessions(command: str, shown: str, root: Path) -> None:
    printed = printed_by(command, root)
    assert same(shown, printed), printed


def test_there_are_sessions() -> None:
    assert len(sessions()) >= 3


def test_the_demo(root: Path) -> None:
    shown = next(block for block in blocks("text") if block.startswith("TIME"))
    alerts, summary = shown.split("\nrule ", 1)
    command = ["trailsieve", "replay", "samples/archive", "--format", "table"]
    printed = printed_by(shlex.join(command), root)
    reported, table = printed.split("\nrule ", 1)
    assert same(alerts, reported), printed
    assert same(summary, table), printed


def test_the_answer_of_aws(root: Path) -> None:
    script = next(block for block in blocks("sh") if "trailsieve match --json" in block)
    event, arguments = script.replace("\\\n", " ").split("|", 1)
    done = subprocess.run(
        [sys.executable, "-c", "from trailsieve.cli.main import main; main()", *shlex.split(arguments)[1:]],
        cwd=root,
        input=shlex.split(event)[1] + "\n",
        text=True,
        capture_output=True,
        check=True,
    )
    assert same(blocks("json")[0], done.stdout)
