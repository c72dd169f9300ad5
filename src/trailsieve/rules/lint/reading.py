"""Patterns that are easily misread, or that CloudWatch refuses. TS401 and TS402."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trailsieve.errors import PatternError
from trailsieve.logic.witness import find
from trailsieve.pattern.limits import check_length, check_limits
from trailsieve.pattern.nodes import And, Expression, JsonPattern, Or, Span
from trailsieve.pattern.render import render
from trailsieve.pattern.rewrite import joined, of_tree, replaced
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.lint.target import LintTarget, groups

_LITERALS = re.compile(r'"(?:\\.|[^"\\])*"|%(?:\\.|[^%\\])*%')


def precedence(target: LintTarget) -> Iterator[Issue]:
    """TS401."""
    for group in groups(target.expression) if target.expression else ():
        if isinstance(group, Or):
            bare = [
                term for term in group.terms if isinstance(term, And) and not _has_parentheses(target, term)
            ]
            if bare:
                yield from _ambiguous(target, group, bare)


def _ambiguous(target: LintTarget, group: Or, bare: list[And]) -> Iterator[Issue]:
    assert target.expression is not None
    other = JsonPattern(replaced(target.expression, group, _other_reading(group, bare)))
    for pattern_matches in (True, False):
        event = find([(target.pattern, pattern_matches), (of_tree(other), not pattern_matches)]).witness
        if event:
            says = (
                "matches this event, and the other reading does not"
                if pattern_matches
                else "does not match this event, and the other reading does"
            )
            yield Issue(
                "TS401",
                f"&& binds tighter than ||: this means `{render(target.pattern.tree).strip('{} ')}`",
                Span(group.span.start, group.span.end),
                f"read from left to right it would be another pattern; this one {says}",
                event,
                f"add parentheses: as it means now, or {render(other)}",
            )
            return


def _other_reading(group: Or, bare: list[And]) -> Expression:
    """The same terms if || bound tighter."""
    chunks: list[list[Expression]] = [[]]
    for term in group.terms:
        first, *rest = term.terms if isinstance(term, And) and term in bare else (term,)
        chunks[-1].append(first)
        chunks.extend([part] for part in rest)
    return joined(And, [joined(Or, chunk, group.span) for chunk in chunks], group.span)


def _has_parentheses(target: LintTarget, group: And) -> bool:
    """Whether a group is in parentheses of its own."""
    text = _LITERALS.sub(lambda match: "x" * len(match[0]), target.text)
    closing = _matches(text)
    place = group.span.start - 1
    while place >= 0 and text[place] in "( \t\n\r":
        end = closing.get(place, -1)
        if end >= group.span.end and not text[group.span.end : end].strip(") \t\n\r"):
            return True
        place -= 1
    return False


def _matches(text: str) -> dict[int, int]:
    """The closing parenthesis of each opening one, by position."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for place, character in enumerate(text):
        if character == "(":
            waiting.append(place)
        elif character == ")" and waiting:
            found[waiting.pop()] = place
    return found


def portability(target: LintTarget) -> Iterator[Issue]:
    """TS402."""
    if not target.limits:
        return
    try:
        check_length(target.text)
        check_limits(target.text, target.pattern.tree)
    except PatternError as error:
        yield Issue(
            "TS402",
            f"CloudWatch refuses this pattern: {error.message}",
            Span(error.column - 1, error.column),
            "docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
            fix=error.hint.partition(";")[0],
        )
