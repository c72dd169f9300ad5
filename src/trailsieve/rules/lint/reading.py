"""Patterns that people read otherwise than CloudWatch does, or that it does not take. TS401 and TS402."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trailsieve.errors import PatternError
from trailsieve.logic.implication import find
from trailsieve.pattern.limits import check_length, check_limits
from trailsieve.pattern.nodes import And, Expression, JsonPattern, Or, Span
from trailsieve.pattern.render import render
from trailsieve.rules.lint.issue import Found
from trailsieve.rules.lint.target import Subject, groups, joined, of_tree, replaced

_NO_BRACKETS = re.compile(r'"(?:\\.|[^"\\])*"|%(?:\\.|[^%\\])*%')


def precedence(subject: Subject) -> Iterator[Found]:
    """TS401."""
    for group in groups(subject.expression) if subject.expression else ():
        if isinstance(group, Or):
            bare = [
                term for term in group.terms if isinstance(term, And) and not _is_bracketed(subject, term)
            ]
            if bare:
                yield from _told_apart(subject, group, bare)


def _told_apart(subject: Subject, group: Or, bare: list[And]) -> Iterator[Found]:
    assert subject.expression is not None
    other = JsonPattern(replaced(subject.expression, group, _other_reading(group, bare)))
    for pattern_matches in (True, False):
        event = find([(subject.pattern, pattern_matches), (of_tree(other), not pattern_matches)]).witness
        if event:
            says = (
                "matches this event, the other one does not"
                if pattern_matches
                else "does not match this event, the other one does"
            )
            yield Found(
                "TS401",
                f"&& binds tighter than ||: this reads as `{render(subject.pattern.tree).strip('{} ')}`",
                Span(group.span.start, group.span.end),
                f"whoever reads it from left to right expects another pattern; this one {says}",
                event,
                f"write brackets: as it is now, or {render(other)}",
            )
            return


def _other_reading(group: Or, bare: list[And]) -> Expression:
    """The same terms with || binding tighter."""
    chunks: list[list[Expression]] = [[]]
    for term in group.terms:
        first, *rest = term.terms if isinstance(term, And) and term in bare else (term,)
        chunks[-1].append(first)
        chunks.extend([part] for part in rest)
    return joined(And, [joined(Or, chunk, group.span) for chunk in chunks], group.span)


def _is_bracketed(subject: Subject, group: And) -> bool:
    """Whether brackets of its own stand around a group."""
    text = _NO_BRACKETS.sub(lambda match: "x" * len(match[0]), subject.text)
    closing = _matches(text)
    place = group.span.start - 1
    while place >= 0 and text[place] in "( \t\n\r":
        end = closing.get(place, -1)
        if end >= group.span.end and not text[group.span.end : end].strip(") \t\n\r"):
            return True
        place -= 1
    return False


def _matches(text: str) -> dict[int, int]:
    """Each opening bracket's closing one."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for place, character in enumerate(text):
        if character == "(":
            waiting.append(place)
        elif character == ")" and waiting:
            found[waiting.pop()] = place
    return found


def portability(subject: Subject) -> Iterator[Found]:
    """TS402."""
    if not subject.limits:
        return
    try:
        check_length(subject.text)
        check_limits(subject.text, subject.pattern.tree)
    except PatternError as error:
        yield Found(
            "TS402",
            f"CloudWatch refuses this pattern: {error.message}",
            Span(error.column - 1, error.column),
            "docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html",
            mend=error.hint.partition(";")[0],
        )
