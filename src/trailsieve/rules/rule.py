"""A rule, and a pack of rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from trailsieve.toml_file import nearest

__all__ = ["Override", "Pack", "Rule", "RuleTests", "joined"]


Name = Annotated[str, Meta(min_length=1, description="a string that is not empty")]


@dataclass(frozen=True, slots=True)
class Rule:
    """A filter pattern, when it raises alerts, and what the alerts say.

    Attributes:
        id: unique in its pack; part of every alert's identity.
        title: what alerts are called; default: the id.
        pattern: the filter pattern; of a rule with a sequence, one that matches nothing.
        severity: one of informational, low, medium, high and critical; default: medium.
        description: what the rule is for, in Markdown.
        references: URLs that alerts link to.
        enabled: whether it raises alerts; a sequence may use it all the same.
        metric: what a match adds to the alarm's metric; default: 1.
        tests: events that must match or must not, and alerts that must be raised.
        tags: such as `cis-aws-5.0:4.1` or `attack.t1078.004`.
        alarm: when its matches raise an alert; without an alarm, each match raises one.
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

    @property
    def sequence(self) -> tuple[str, ...]:
        """The ids of the rules whose matches it waits for, empty unless its alarm has a sequence."""
        return self.alarm.sequence if self.alarm else ()


@dataclass(frozen=True, slots=True)
class Override:
    """What a pack changes in a rule of another pack. A setting that is left out stays as it is.

    Attributes:
        rule: the id of the rule.
        severity: its new severity.
        enabled: whether it raises alerts.
        metric: replaces its metric.
        alarm: replaces its alarm.
        exceptions: are added to its own.
    """

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
        RuleError: no pack has the rule of an override or sequence, or an override does not suit its rule.
    """
    packs = list(packs)
    rules = [rule for pack in packs for rule in pack.rules]
    problems = []
    for override in (override for pack in packs for override in pack.overrides):
        places = [place for place, rule in enumerate(rules) if rule.id == override.rule]
        for place in places:
            problems += [
                f"{override.place}: override of {override.rule}: {text}"
                for text in _misfits(override, rules[place])
            ]
            rules[place] = override.applied(rules[place])
        if not places:
            problems.append(f"{override.place}: no rule {override.rule!r} to override in the packs in use")
    problems += _mistakes_in_sequences(rules)
    if problems:
        raise RuleError(problems)
    return rules


def _misfits(override: Override, rule: Rule) -> Iterator[str]:
    """What of an override does not suit its rule."""
    changed = override.applied(rule)
    if bool(changed.sequence) != bool(rule.sequence):
        yield "an alarm with a sequence cannot replace one of a pattern, or the reverse"
    elif changed.alarm and (override.alarm or override.metric):
        yield from mistakes_between(changed.metric, changed.alarm)


def _mistakes_in_sequences(rules: Sequence[Rule]) -> Iterator[str]:
    known = {rule.id: rule for rule in rules}
    for rule in rules:
        for part in dict.fromkeys(rule.sequence):
            where = f"{rule.file}:{rule.line}: rule {rule.id}: `alarm.sequence`"
            if part not in known:
                yield f"{where}: no rule {part!r} in the packs in use{nearest(part, known)}"
            elif known[part].sequence:
                yield f"{where}: rule {part!r} has a sequence itself; name rules with a pattern"
