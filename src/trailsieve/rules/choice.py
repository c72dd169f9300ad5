"""Which rules of some packs run: by id, by severity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from trailsieve.did_you_mean import did_you_mean
from trailsieve.errors import UsageError
from trailsieve.model import SEVERITIES, Severity
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.rules.rule import Rule


def chosen(rules: Sequence[Rule], ids: Sequence[str] = (), least: Severity | None = None) -> list[Rule]:
    """The rules, of which only those with one of these ids and at least this severity are enabled.

    The others stay, disabled, because sequences may wait for their matches. An id may have wildcards (`*`);
    one without enables a rule that its pack disables.

    Raises:
        UsageError: no rule has such an id.
    """
    known = [rule.id for rule in rules]
    for given in ids:
        if not any(fnmatchcase(name, given) for name in known):
            hint = did_you_mean(given, known, 3) or "see `trailsieve rules list`"
            raise UsageError(f"--rule {given}: no such rule in the packs in use; {hint}")
    if not ids and not least:
        return list(rules)
    return [replace(rule, enabled=_is_chosen(rule, ids, least)) for rule in rules]


def _is_chosen(rule: Rule, ids: Sequence[str], least: Severity | None) -> bool:
    if least and SEVERITIES.index(rule.severity) < SEVERITIES.index(least):
        return False
    if ids and not any(fnmatchcase(rule.id, given) for given in ids):
        return False
    return rule.enabled or rule.id in ids


def pattern_rules(patterns: Sequence[FilterPattern]) -> Iterator[Rule]:
    """A rule for each pattern of a command line: `pattern`, `pattern-2` and so on, with its text as title."""
    for number, pattern in enumerate(patterns, 1):
        yield Rule(f"pattern-{number}" if number > 1 else "pattern", pattern.text, "medium", pattern)
