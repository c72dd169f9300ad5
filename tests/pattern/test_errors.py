"""What a refused pattern is told: golden files of patterns and the whole printed error.

A line that starts with `>>> ` in errors/*.txt is a pattern; what follows it is what a person sees. A pattern
with characters that no editor shows stands as a JSON string after `>>> json `, and a very long one as
`>>> repeat 200 "(" then …`: pieces, each repeated. After a change of messages run

    GOLDEN_UPDATE=1 pytest tests/pattern/test_errors.py

and read the difference as somebody would who sees the language for the first time.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

import trailsieve

FILES = sorted((Path(__file__).parent / "errors").glob("*.txt"))
MARK = ">>> "
PIECE = re.compile(r'(\d+) ("(?:[^"\\]|\\.)*")')


def pattern_of(header: str) -> str:
    """The pattern that a `>>> ` line stands for."""
    if header.startswith("json "):
        return str(json.loads(header.removeprefix("json ")))
    if header.startswith("repeat "):
        return "".join(int(count) * str(json.loads(piece)) for count, piece in PIECE.findall(header))
    return header


def headers(path: Path) -> list[str]:
    lines = path.read_text("utf-8").split("\n")
    return [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]


def error_of(header: str) -> trailsieve.PatternError:
    with pytest.raises(trailsieve.PatternError) as caught:
        trailsieve.compile(pattern_of(header))
    return caught.value


ALL = [header for path in FILES for header in headers(path)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_messages(path: Path) -> None:
    printed = "\n".join(f"{MARK}{header}\n{error_of(header)}\n" for header in headers(path))
    if os.environ.get("GOLDEN_UPDATE"):
        path.write_text(printed, "utf-8")
    assert printed == path.read_text("utf-8")


def test_there_are_many_and_none_twice() -> None:
    assert len(ALL) > 200
    assert len(set(ALL)) == len(ALL)


@pytest.mark.parametrize("header", ALL)
def test_every_error_is_safe_to_print_and_points_into_the_pattern(header: str) -> None:
    error = error_of(header)
    pattern = pattern_of(header)
    assert error.pattern == pattern
    assert 1 <= error.column <= len(pattern) + 1
    assert all(line.isprintable() for line in str(error).split("\n"))
    assert str(error).count("\n") <= 4


@pytest.mark.parametrize("header", ALL)
def test_what_is_suggested_is_a_pattern(header: str) -> None:
    _, found, suggested = error_of(header).hint.partition("did you mean: ")
    if found:
        assert trailsieve.compile(suggested).text == suggested
