"""Linting a pattern, or the text of a rule file."""

from __future__ import annotations

from pathlib import Path

from trailsieve import compile
from trailsieve.rules.lint import LocatedIssue, lint_pack, lint_pattern
from trailsieve.rules.load import load_pack


def linted(example: str, folder: Path | None = None) -> list[LocatedIssue]:
    """What is found in an example of the table, or any pattern."""
    if not example.startswith("[[rule]]"):
        return lint_pattern(compile(example, limits=False))
    assert folder is not None
    file = folder / "rules.toml"
    file.write_text(example, "utf-8")
    return lint_pack(load_pack(file, limits=False))


def found(example: str, folder: Path | None = None) -> list[str]:
    """The codes of the issues."""
    return [located.issue.code for located in linted(example, folder)]
