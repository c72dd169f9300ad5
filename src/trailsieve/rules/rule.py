"""A rule, and a pack of rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailsieve.model import Severity
from trailsieve.pattern.compiler import FilterPattern


@dataclass(frozen=True, slots=True)
class RuleTests:
    """Events that a rule must and must not match: paths beside the rule file, or inline records."""

    match: tuple[str | dict[str, Any], ...] = ()
    ignore: tuple[str | dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter pattern with what a person needs to know when it matches.

    Attributes:
        id: unique in its pack; part of every alert's identity.
        severity: informational, low, medium, high or critical.
        tags: such as `cis-aws-5.0:4.1` or `attack.t1078.004`.
        file: the rule file; `tests` paths are relative to its folder.
        line: the line of the file where the rule begins.
    """

    id: str
    title: str
    severity: Severity
    pattern: FilterPattern
    description: str = ""
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    enabled: bool = True
    tests: RuleTests = RuleTests()
    file: Path = Path()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules that belong together."""

    name: str
    rules: tuple[Rule, ...]
    version: str = ""
    description: str = ""

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)
