"""Finds mistakes in patterns and rules and proves them.

`codes.toml` lists all kinds of issues. Each family of checks is one module; a check is a function that takes
a `LintTarget`, or the rules of a pack, and yields issues.
"""

from trailsieve.rules.lint.codes import Code, codes
from trailsieve.rules.lint.issue import Issue, LocatedIssue
from trailsieve.rules.lint.run import lint_pack, lint_pattern

__all__ = ["Code", "Issue", "LocatedIssue", "codes", "lint_pack", "lint_pattern"]
