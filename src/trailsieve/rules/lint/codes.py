"""The kinds of issues: what each code means, with a bad and a good example."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of issue.

    Attributes:
        level: error (always a mistake), warning (usually a mistake) or note.
        title: what is wrong, in a few words.
        explanation: why it is wrong, and its effect.
        bad: a pattern, or the text of a rule file, with this issue and no other.
        good: the same without the issue.
    """

    code: str
    level: Level
    title: str
    explanation: str
    bad: str
    good: str


@lru_cache(maxsize=1)
def codes() -> dict[str, Code]:
    """All kinds of issues by code, in order."""
    table = tomllib.loads(Path(__file__).with_name("codes.toml").read_text("utf-8"))
    return {
        code: Code(code, **{key: value.strip() for key, value in row.items()}) for code, row in table.items()
    }
