"""A rule, and a pack of rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from trailsieve.errors import RuleError
from trailsieve.model import Severity
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.rules.alarm import PLAIN, Alarm, Metric, RuleException
from trailsieve.rules.tests_table import NO_TESTS, RuleTests

__all__ = ["Override", "Pack", "Rule", "RuleTests", "joined"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter pattern with what a person needs to know when it matches.

    Attributes:
        id: unique in its pack; part of every alert's identity.
        severity: informational, low, medium, high or critical.
        tags: such as `cis-aws-5.0:4.1` or `attack.t1078.004`.
        alarm: when its matches are worth an alert; None raises one alert a match.
        exceptions: matches that do not count.
        lint_ignore: codes of findings that are not told of this rule.
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
    metric: Metric = PLAIN
    alarm: Alarm | None = None
    exceptions: tuple[RuleException, ...] = ()
    tests: RuleTests = NO_TESTS
    lint_ignore: tuple[str, ...] = ()
    file: Path = Path()
    line: int = 0


@dataclass(frozen=True, slots=True)
class Override:
    """What a pack changes in a rule of another pack. None leaves a setting as it is; exceptions are added."""

    rule: str
    severity: Severity | None = None
    enabled: bool | None = None
    metric: Metric | None = None
    alarm: Alarm | None = None
    exceptions: tuple[RuleException, ...] = ()
    place: str = ""

    def applied(self, rule: Rule) -> Rule:
        """The rule with the changes."""
        changes = {
            name: value
            for name in ("severity", "enabled", "metric", "alarm")
            if (value := getattr(self, name)) is not None
        }
        return replace(rule, **changes, exceptions=(*rule.exceptions, *self.exceptions))


@dataclass(frozen=True, slots=True)
class Pack:
    """Rules that belong together, and changes to rules of the packs that it is used with."""

    name: str
    rules: tuple[Rule, ...]
    version: str = ""
    description: str = ""
    overrides: tuple[Override, ...] = ()

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def joined(packs: Iterable[Pack]) -> list[Rule]:
    """The rules of packs that are used together, with their overrides applied in order.

    Raises:
        RuleError: an override is of a rule that no pack has.
    """
    packs = list(packs)
    rules = [rule for pack in packs for rule in pack.rules]
    problems = []
    for override in (override for pack in packs for override in pack.overrides):
        places = [place for place, rule in enumerate(rules) if rule.id == override.rule]
        for place in places:
            rules[place] = override.applied(rules[place])
        if not places:
            problems.append(f"{override.place}: no rule {override.rule!r} to override in the packs in use")
    if problems:
        raise RuleError(problems)
    return rules
