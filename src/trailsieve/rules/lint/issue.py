"""An issue that a check found, and its place in a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trailsieve.pattern.nodes import NOWHERE, Span
from trailsieve.rules.lint.codes import Code, codes


@dataclass(frozen=True, slots=True)
class Issue:
    """A mistake in a pattern.

    Attributes:
        message: what is wrong, in one sentence.
        span: the part of the pattern that is wrong.
        proof: how this is known.
        event: an event that demonstrates it, or "".
        fix: what to write instead.
    """

    code: str
    message: str
    span: Span = NOWHERE
    proof: str = ""
    event: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class LocatedIssue:
    """An issue and its place.

    Attributes:
        rule: the rule's id, "" for a single pattern.
        pattern: the text of the pattern.
        file: path of the rule file, "" for a single pattern.
        line: from 1, in the file or pattern.
        column: from 1.
    """

    issue: Issue
    rule: str
    pattern: str
    file: str
    line: int
    column: int

    @property
    def code(self) -> Code:
        """The kind of issue."""
        return codes()[self.issue.code]

    def as_dict(self) -> dict[str, Any]:
        """The issue as plain data for JSON."""
        return {
            "code": self.issue.code,
            "level": self.code.level,
            "message": self.issue.message,
            "rule": self.rule or None,
            "file": self.file or None,
            "line": self.line,
            "column": self.column,
            "pattern": self.pattern,
            "proof": self.issue.proof,
            "event": self.issue.event or None,
            "fix": self.issue.fix,
        }
