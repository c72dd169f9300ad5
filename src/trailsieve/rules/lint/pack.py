"""Rules that duplicate or contradict each other or never raise an alert. TS501 to TS505."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from trailsieve.logic.implication import implies, satisfiable
from trailsieve.logic.witness import find
from trailsieve.model import SEVERITIES
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.rule import Rule

Examples = dict[str, str | None]  # an event that matches, by rule id


def exceptions(rule: Rule) -> Iterator[Issue]:
    """TS504 and TS505."""
    for exception in rule.exceptions:
        text = exception.pattern.text
        if implies(rule.pattern, exception.pattern):
            yield Issue(
                "TS504",
                f"the exception `{text}` covers all that the rule matches, so it never raises an alert",
                proof="every event that matches the rule also matches the exception",
                event=satisfiable(rule.pattern).witness or "",
                fix="disable the rule with enabled = false, or narrow the exception",
            )
        elif find([(rule.pattern, True), (exception.pattern, True)]).holds is False:
            yield Issue(
                "TS505",
                f"the exception `{text}` never applies",
                proof="no event matches both the rule and the exception",
                event=satisfiable(exception.pattern).witness or "",
                fix="remove it, or correct its pattern",
            )


def relations(rules: list[Rule]) -> Iterator[tuple[Rule, Issue]]:
    """TS501 to TS503, each with the rule that it is reported for."""
    rules = [rule for rule in rules if rule.enabled and not rule.sequence]
    examples: Examples = {rule.id: satisfiable(rule.pattern).witness for rule in rules}
    for first, second in combinations(rules, 2):
        if not _counts_alike(first, second):
            continue
        forth, back = _covers(second, first, examples), _covers(first, second, examples)
        if forth and back:
            yield second, _same(first, second)
        elif forth and _is_lower(first, second):
            yield first, _implied(first, second, examples)
        elif back and _is_lower(second, first):
            yield second, _implied(second, first, examples)


def _counts_alike(first: Rule, second: Rule) -> bool:
    """Whether both have the same metric, alarm and exceptions; else they may match the same events."""
    return (first.alarm, first.metric, first.exceptions) == (second.alarm, second.metric, second.exceptions)


def _is_lower(narrow: Rule, wide: Rule) -> bool:
    """Whether the narrow rule is not more severe, and so adds nothing to the wide one."""
    return SEVERITIES.index(narrow.severity) <= SEVERITIES.index(wide.severity)


def _covers(wide: Rule, narrow: Rule, examples: Examples) -> bool:
    """Whether the wide rule matches everything that the narrow one does (an example is quicker to try)."""
    example = examples[narrow.id]
    if example is None or not wide.pattern.matches(example):
        return False
    return bool(implies(narrow.pattern, wide.pattern))


def _same(first: Rule, second: Rule) -> Issue:
    if first.severity != second.severity:
        return Issue(
            "TS502",
            f"contradicts rule {first.id}, where the same events have severity {first.severity}",
            proof="both match exactly the same events",
            event=satisfiable(second.pattern).witness or "",
            fix="keep one of the two",
        )
    return Issue(
        "TS501",
        f"duplicate of rule {first.id}: every event raises two alerts",
        proof="both match exactly the same events",
        event=satisfiable(second.pattern).witness or "",
        fix="keep one of the two",
    )


def _implied(narrow: Rule, wide: Rule, examples: Examples) -> Issue:
    return Issue(
        "TS503",
        f"rule {wide.id} matches everything that this rule matches, and is at least as severe",
        proof="this event matches both",
        event=examples[narrow.id] or "",
        fix=f"remove it, raise its severity, or exclude its events from {wide.id}",
    )
