"""Runs the checks over patterns and packs, and finds the place of what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.nodes import NOWHERE, Span
from trailsieve.rules.lint.absent import absent_field
from trailsieve.rules.lint.issue import Finding, Found
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
from trailsieve.rules.lint.target import Subject
from trailsieve.rules.lint.types import one_element, type_mistakes, unknown_field
from trailsieve.rules.rule import Pack, Rule

Check = Callable[[Subject], Iterator[Found]]

# Of a pattern that matches nothing, everything or nearly everything, only that is told.
_DECISIVE: tuple[Check, ...] = (never_true, always_true, nearly_everything)
_MEANING: tuple[Check, ...] = (needless_parts, absent_field, one_element, precedence)
_WORDS: tuple[Check, ...] = (
    type_mistakes,
    unknown_field,
    unknown_source,
    unknown_name,
    name_of_other_source,
    unknown_error,
    unknown_value,
    portability,
)


def check_pattern(pattern: FilterPattern, *, limits: bool = True) -> list[Found]:
    """All that is wrong with one pattern, in the order of the places."""
    subject = Subject(pattern, limits=limits)
    decisive = next((found for check in _DECISIVE for found in check(subject)), None)
    meaning = [decisive] if decisive else [found for check in _MEANING for found in check(subject)]
    words = [found for check in _WORDS for found in check(subject)]
    return sorted([*meaning, *words], key=lambda found: (found.span.start, found.code))


def lint_pattern(pattern: FilterPattern, *, limits: bool = True) -> list[Finding]:
    """What is wrong with a pattern that stands alone.

    Args:
        limits: tell what CloudWatch refuses for its size.
    """
    return [
        Finding(found, "", pattern.text, "", 1, found.span.start + 1)
        for found in check_pattern(pattern, limits=limits)
    ]


def lint_pack(pack: Pack, *, limits: bool = True) -> list[Finding]:
    """What is wrong with the rules of a pack, each by itself and together, in the order of the file.

    Codes of a rule's `lint_ignore` are left out.
    """
    places = _Places()
    findings = [
        places.finding(rule, found)
        for rule in pack.rules
        for found in (*check_pattern(rule.pattern, limits=limits), *_of_exceptions(rule))
    ]
    findings += [places.finding(rule, found) for rule, found in relations(list(pack.rules))]
    ignored = {(str(rule.file), rule.id): rule.lint_ignore for rule in pack.rules}
    kept = [f for f in findings if f.found.code not in ignored[f.file, f.rule]]
    return sorted(kept, key=lambda finding: (finding.file, finding.line, finding.column))


def _of_exceptions(rule: Rule) -> Iterator[Found]:
    yield from exceptions(rule)
    for exception in rule.exceptions:
        for check in _WORDS:
            for found in check(Subject(exception.pattern, limits=False)):
                message = f"in the exception `{exception.pattern.text}`: {found.message}"
                yield Found(found.code, message, NOWHERE, found.proof, found.event, found.mend)


class _Places:
    """Where a part of a rule's pattern stands in its file."""

    def __init__(self) -> None:
        self._texts: dict[Path, str] = {}

    def finding(self, rule: Rule, found: Found) -> Finding:
        line, column = self._place(rule, found.span)
        return Finding(found, rule.id, rule.pattern.text, str(rule.file), line, column)

    def _place(self, rule: Rule, span: Span) -> tuple[int, int]:
        """Of a pattern that is written with escapes, where its rule begins."""
        text = self._texts.setdefault(rule.file, rule.file.read_text("utf-8") if rule.file.is_file() else "")
        start = _start_of_line(text, rule.line)
        at = text.find(rule.pattern.text, start)
        following = text.find("\n[[", start + 1)
        if at < 0 or -1 < following < at:
            return rule.line, 1
        before = text[: at + span.start]
        return before.count("\n") + 1, len(before) - before.rfind("\n")


def _start_of_line(text: str, line: int) -> int:
    place = 0
    for _ in range(line - 1):
        place = text.find("\n", place) + 1
    return place
