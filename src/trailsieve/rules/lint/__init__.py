"""What is wrong with patterns and rules, with proof.

`codes.toml` is the table of all findings. A family of checks is one file; a check is a small function
that takes a `Subject`, or the rules of a pack, and yields what it found. `lint` runs them all.
"""

from trailsieve.rules.lint.codes import Code, codes
from trailsieve.rules.lint.issue import Finding, Found
from trailsieve.rules.lint.run import lint_pack, lint_pattern

__all__ = ["Code", "Finding", "Found", "codes", "lint_pack", "lint_pattern"]
