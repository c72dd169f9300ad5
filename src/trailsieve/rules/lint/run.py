"""Runs the checks on patterns and packs and finds the lines of the issues."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import NOWHERE, Span
from trailsieve.rules.lint.absent import absent_field
from trailsieve.rules.lint.issue import Issue, LocatedIssue
from trailsieve.rules.lint.look_alikes import operator_as_a_term, star_in_the_middle
from trailsieve.rules.lint.meaning import always_true, nearly_everything, needless_parts, never_true
from trailsieve.rules.lint.names import (
    name_of_other_source,
    unknown_error,
    unknown_name,
    unknown_source,
    unknown_value,
)
from trailsieve.rules.lint.pack import exceptions, relations
from trailsieve.rules.lint.reading import portability, precedence
from trailsieve.rules.lint.target import LintTarget
from trailsieve.rules.lint.types import address_range, one_element, type_mistakes, unknown_field
from trailsieve.rules.rule import Pack, Rule

Check = Callable[[LintTarget], Iterator[Issue]]

# If a pattern matches nothing, (nearly) everything or something else, other issues of meaning are only noise.
_DECISIVE: tuple[Check, ...] = (never_true, always_true, operator_as_a_term, nearly_everything)
_MEANING: tuple[Check, ...] = (
    needless_parts,
    absent_field,
    one_element,
    precedence,
    star_in_the_middle,
)
_WORDS: tuple[Check, ...] = (
    type_mistakes,
    address_range,
    unknown_field,
    unknown_source,
    unknown_name,
    name_of_other_source,
    unknown_error,
    unknown_value,
    portability,
)


def check_pattern(pattern: FilterPattern, *, limits: bool = True) -> list[Issue]:
    """The issues of one pattern, in the order of their columns."""
    target = LintTarget(pattern, limits=limits)
    decisive = next((found for check in _DECISIVE for found in check(target)), None)
    meaning = [decisive] if decisive else [found for check in _MEANING for found in check(target)]
    words = [found for check in _WORDS for found in check(target)]
    return sorted([*meaning, *words], key=lambda found: (found.span.start, found.code))


def lint_pattern(pattern: FilterPattern, *, limits: bool = True) -> list[LocatedIssue]:
    """The issues of a single pattern.

    Args:
        limits: report what CloudWatch refuses for its size.
    """
    return [
        LocatedIssue(found, "", pattern.text, "", 1, found.span.start + 1)
        for found in check_pattern(pattern, limits=limits)
    ]


def lint_pack(pack: Pack, *, limits: bool = True) -> list[LocatedIssue]:
    """The issues of all rules of a pack, alone and together, in the order of the file.

    Codes in a rule's `lint_ignore` are not reported.
    """
    places = _Places()
    issues = [
        places.locate(rule, found)
        for rule in pack.rules
        for found in (*_of_rule(rule, limits=limits), *_of_exceptions(rule))
    ]
    issues += [places.locate(rule, found) for rule, found in relations(list(pack.rules))]
    ignored = {(str(rule.file), rule.id): rule.lint_ignore for rule in pack.rules}
    kept = [f for f in issues if f.issue.code not in ignored[f.file, f.rule]]
    return sorted(kept, key=lambda located: (located.file, located.line, located.column))


def _of_rule(rule: Rule, *, limits: bool) -> list[Issue]:
    return [] if rule.sequence else check_pattern(rule.pattern, limits=limits)


def _of_exceptions(rule: Rule) -> Iterator[Issue]:
    if not rule.sequence:
        yield from exceptions(rule)
    for exception in rule.exceptions:
        for check in _WORDS:
            for found in check(LintTarget(exception.pattern, limits=False)):
                message = f"in the exception `{exception.pattern.text}`: {found.message}"
                yield Issue(found.code, message, NOWHERE, found.proof, found.event, found.fix)


class _Places:
    """Finds the line and column of a part of a pattern in its rule file."""

    def __init__(self) -> None:
        self._texts: dict[Path, str] = {}

    def locate(self, rule: Rule, found: Issue) -> LocatedIssue:
        line, column = self._place(rule, found.span)
        return LocatedIssue(found, rule.id, rule.pattern.text, str(rule.file), line, column)

    def _place(self, rule: Rule, span: Span) -> tuple[int, int]:
        """The beginning of the rule if the pattern is written with escapes."""
        text = self._texts.setdefault(rule.file, rule.file.read_text("utf-8") if rule.file.is_file() else "")
        start = len("\n".join(text.split("\n")[: rule.line - 1]))
        at = text.find(rule.pattern.text, start)
        following = text.find("\n[[", start + 1)
        if at < 0 or -1 < following < at:
            return rule.line, 1
        before = text[: at + span.start]
        return before.count("\n") + 1, len(before) - before.rfind("\n")
