"""What a check found, and where that is in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trailsieve.pattern.nodes import NOWHERE, Span
from trailsieve.rules.lint.codes import Code, codes


@dataclass(frozen=True, slots=True)
class Found:
    """What a check says of a pattern.

    Attributes:
        message: what is wrong, in one sentence.
        span: the part of the pattern that it is about.
        proof: how it is known.
        event: the event that shows it, or "".
        mend: what to do instead.
    """

    code: str
    message: str
    span: Span = NOWHERE
    proof: str = ""
    event: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, at its place.

    Attributes:
        rule: the rule's id, "" for a pattern that stands alone.
        pattern: its text.
        file: "" for a pattern that stands alone; `line` and `column` count from 1, in the pattern then.
    """

    found: Found
    rule: str
    pattern: str
    file: str
    line: int
    column: int

    @property
    def code(self) -> Code:
        """The entry of the table."""
        return codes()[self.found.code]

    def as_dict(self) -> dict[str, Any]:
        """The finding as plain data for JSON."""
        return {
            "code": self.found.code,
            "level": self.code.level,
            "message": self.found.message,
            "rule": self.rule or None,
            "file": self.file or None,
            "line": self.line,
            "column": self.column,
            "pattern": self.pattern,
            "proof": self.found.proof,
            "event": self.found.event or None,
            "mend": self.found.mend,
        }
