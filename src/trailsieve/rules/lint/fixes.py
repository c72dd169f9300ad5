"""An issue's fix written into its pattern, and proposed patterns with all such fixes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from trailsieve.errors import PatternError
from trailsieve.logic.witness import find
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.nodes import JsonPattern, Selector, TextPattern, terms_of
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render
from trailsieve.pattern.rewrite import replaced
from trailsieve.rules.lint.absent import absent_field
from trailsieve.rules.lint.issue import Issue
from trailsieve.rules.lint.names import unknown_error, unknown_name, unknown_source, unknown_value
from trailsieve.rules.lint.target import LintTarget
from trailsieve.rules.lint.types import address_range, type_mistakes, unknown_field, with_this_end

_QUESTION = re.compile(r"did you mean (.+)\?")
_CHECKS: tuple[Callable[[LintTarget], Iterator[Issue]], ...] = (
    unknown_field,
    type_mistakes,
    address_range,
    unknown_source,
    unknown_name,
    unknown_error,
    unknown_value,
)
# What to say of a fix; the message of the issue for any other code.
_SAID = {
    "TS202": "booleans are tested with IS TRUE and IS FALSE",
    "TS203": "CloudTrail records this value as text",
    "TS205": "no comparison is true of a list or object, only of the values in it",
    "TS207": "fields are named as CloudTrail records them, in the same case",
    "TS208": "",
}
_CAMEL = re.compile(r"[a-z]+[A-Z]\w*")  # a name that is hardly one of another log
_MOST = 20  # fixes of one pattern


def fixed(pattern: FilterPattern, found: Issue) -> str:
    """The pattern with the fix in it; "" where the fix is advice, or leaves the issue where it is."""
    fix, span = found.fix, found.span
    if question := _QUESTION.fullmatch(fix):
        fix = question[1]
    if isinstance(pattern.tree, TextPattern):
        return fix if found.code == "TS404" else ""
    whole = f"{pattern.text[: span.start]}{fix}{pattern.text[span.end :]}" if fix else ""
    try:
        # Not `compile`: its error would propose a pattern, which has fixes in turn.
        other = FilterPattern(whole, parse(whole, limits=pattern.limits), limits=pattern.limits)
    except PatternError:
        return ""
    if type(other.tree) is not type(pattern.tree):
        return ""
    again = ((issue.code, issue.span.start) for issue in _issues(other))
    return "" if (found.code, span.start) in again else whole


def corrected(text: str, *, limits: bool = True) -> tuple[str, list[str]]:
    """A proposed pattern with the fixes of lint, "" if no event can match it; and what it changes."""
    pattern = compile(text, limits=limits)
    if not isinstance(pattern.tree, JsonPattern):
        return text, []
    said: dict[str, None] = {}
    if whole := _with_whole_paths(pattern, pattern.tree):
        pattern = compile(whole, limits=limits)
        said[_SAID["TS207"]] = None
    for _ in range(_MOST):
        fixes = ((issue, whole) for issue in _issues(pattern) if (whole := fixed(pattern, issue)))
        issue, whole = next(fixes, (None, ""))
        if issue is None:
            break
        said[_SAID.get(issue.code, issue.message)] = None
        pattern = compile(whole, limits=limits)
    if find([(pattern, True)]).holds is False:
        return "", ["no event can match all of this"]
    for issue in islice(absent_field(LintTarget(pattern)), 1):
        said[issue.message] = None
    return pattern.text, [sentence for sentence in said if sentence]


def _with_whole_paths(pattern: FilterPattern, tree: JsonPattern) -> str:
    """The pattern with `$.userIdentity.userName` for `$.userName` and so on, "" if it has other fields."""
    if LintTarget(pattern).of_cloudtrail:
        return ""
    expression = tree.expression
    for term in terms_of(tree.expression):
        name = term.target.steps[0] if isinstance(term.target, Selector) else None
        if not isinstance(name, str) or not _CAMEL.fullmatch(name) or not isinstance(term.target, Selector):
            return ""
        if not (path := with_this_end(term.target.steps)):
            return ""
        expression = replaced(expression, term, replace(term, target=Selector(path)))
    return render(JsonPattern(expression))


def _issues(pattern: FilterPattern) -> Iterator[Issue]:
    target = LintTarget(pattern, limits=False)
    return (issue for check in _CHECKS for issue in check(target))
