"""A rule, and a pack of rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from trailsieve.errors import RuleError
from trailsieve.model import Severity
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.rules.alarm import PLAIN, Alarm, Metric, RuleException
from trailsieve.rules.alarm_checks import mistakes_between
from trailsieve.rules.rule_tests import NO_TESTS, RuleTests

__all__ = ["Override", "Pack", "Rule", "RuleTests", "joined"]


Name = Annotated[str, Meta(min_length=1, description="a string that is not empty")]


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter pattern, when it raises alerts, and what the alerts say.

    Attributes:
        id: unique in its pack; part of every alert's identity.
        severity: informational, low, medium, high or critical.
        tags: such as `cis-aws-5.0:4.1` or `attack.t1078.004`.
        alarm: when its matches raise an alert; if None, each match raises one.
        exceptions: matches that do not count.
        lint_ignore: codes of issues that `trailsieve lint` does not report for this rule.
        file: the rule file; `tests` paths are relative to its folder.
        line: the line of the file where the rule begins.
    """

    id: Name
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
    """What a pack changes in a rule of another pack: None keeps a setting, exceptions are added."""

    rule: Name
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
    """Rules that belong together, and overrides of rules in packs that are loaded with it."""

    name: str
    rules: tuple[Rule, ...]
    version: str = ""
    description: str = ""
    overrides: tuple[Override, ...] = ()

    def rule(self, rule_id: str) -> Rule | None:
        """The rule with that id, or None."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def joined(packs: Iterable[Pack]) -> list[Rule]:
    """The rules of several packs, with their overrides applied in order.

    Raises:
        RuleError: no pack has the rule of an override, or an override does not suit its rule.
    """
    packs = list(packs)
    rules = [rule for pack in packs for rule in pack.rules]
    problems = []
    for override in (override for pack in packs for override in pack.overrides):
        places = [place for place, rule in enumerate(rules) if rule.id == override.rule]
        for place in places:
            rules[place] = override.applied(rules[place])
            now = rules[place]
            if now.alarm and (override.alarm or override.metric):
                mistakes = mistakes_between(now.metric, now.alarm)
                problems += [f"{override.place}: override of {now.id}: {text}" for text in mistakes]
        if not places:
            problems.append(f"{override.place}: no rule {override.rule!r} to override in the packs in use")
    if problems:
        raise RuleError(problems)
    return rules
