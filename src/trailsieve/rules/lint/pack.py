"""Rules that say the same, contradict each other, or silence themselves. TS501 to TS505."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from trailsieve.logic.implication import find, implies, satisfiable
from trailsieve.model import SEVERITIES
from trailsieve.rules.lint.issue import Found
from trailsieve.rules.rule import Rule

Examples = dict[str, str | None]  # an event that matches, by rule id


def exceptions(rule: Rule) -> Iterator[Found]:
    """TS504 and TS505."""
    for exception in rule.exceptions:
        text = exception.pattern.text
        if implies(rule.pattern, exception.pattern):
            yield Found(
                "TS504",
                f"the exception `{text}` covers all that the rule matches, so it never raises an alert",
                proof="every event that the rule matches, the exception matches too",
                event=satisfiable(rule.pattern).witness or "",
                mend="disable the rule with enabled = false, or narrow the exception",
            )
        elif find([(rule.pattern, True), (exception.pattern, True)]).holds is False:
            yield Found(
                "TS505",
                f"the exception `{text}` never applies",
                proof="no event matches both the rule and the exception",
                event=satisfiable(exception.pattern).witness or "",
                mend="leave it out, or correct what it names",
            )


def relations(rules: list[Rule]) -> Iterator[tuple[Rule, Found]]:
    """TS501 to TS503, each with the rule that it is told of."""
    rules = [rule for rule in rules if rule.enabled]
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
    """Rules that count their matches differently may well look at the same events."""
    return (first.alarm, first.metric, first.exceptions) == (second.alarm, second.metric, second.exceptions)


def _is_lower(narrow: Rule, wide: Rule) -> bool:
    """A narrow rule beside a wide one is worth having when it is more severe."""
    return SEVERITIES.index(narrow.severity) <= SEVERITIES.index(wide.severity)


def _covers(wide: Rule, narrow: Rule, examples: Examples) -> bool:
    """Whether all that one rule matches is matched by the other; an example often says no at once."""
    example = examples[narrow.id]
    if example is None or not wide.pattern.matches(example):
        return False
    return bool(implies(narrow.pattern, wide.pattern))


def _same(first: Rule, second: Rule) -> Found:
    if first.severity != second.severity:
        return Found(
            "TS502",
            f"contradicts rule {first.id}: the same events are {first.severity} there",
            proof="both match exactly the same events",
            event=satisfiable(second.pattern).witness or "",
            mend="keep one of the two",
        )
    return Found(
        "TS501",
        f"the same as rule {first.id}: every event raises two alerts",
        proof="both match exactly the same events",
        event=satisfiable(second.pattern).witness or "",
        mend="keep one of the two",
    )


def _implied(narrow: Rule, wide: Rule, examples: Examples) -> Found:
    return Found(
        "TS503",
        f"all that this rule matches, rule {wide.id} matches too, and it is as severe",
        proof="this event raises both",
        event=examples[narrow.id] or "",
        mend=f"leave it out, raise its severity, or exclude it from {wide.id}",
    )
