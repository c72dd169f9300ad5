"""Notes on stderr about a pattern that is valid and probably does not mean what its author thinks."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from itertools import dropwhile

from trailsieve.cli.options import screen
from trailsieve.errors import PatternError
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.nodes import JsonPattern, Selector, TextPattern, terms_of
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render
from trailsieve.pattern.repair import meant_as_conditions
from trailsieve.pattern.rewrite import replaced
from trailsieve.rules.lint import LocatedIssue, lint_pattern
from trailsieve.trail.catalogue.fields import top_level

_SHOWN = 3
_QUESTION = re.compile(r"did you mean (.+)\?")


def print_notes(pattern: FilterPattern, *, lint: bool = True) -> None:
    """Prints what the pattern looks like in another language, or else what lint finds in it."""
    for text in notes(pattern, lint=lint):
        screen().info(f"note: {text}")


def notes(pattern: FilterPattern, *, lint: bool = True) -> list[str]:
    """One sentence per finding; [] for a pattern without any."""
    if isinstance(pattern.tree, TextPattern):
        meant = meant_as_conditions(pattern.text, partial(parse, limits=pattern.limits))
        if meant:
            return [
                "these are words to find in the text; conditions on fields stand in braces, "
                f"did you mean: {meant}"
            ]
        if meant := _as_regex(pattern.tree):
            return [f"text in quotes is found as it stands, `.*` too; did you mean: {meant}"]
    if meant := _without_envelope(pattern):
        return [f"each CloudTrail record is one event, without what it was wrapped in; did you mean: {meant}"]
    if not lint:
        return []
    issues = [found for found in lint_pattern(pattern, limits=False) if found.code.level != "note"]
    return [_note(pattern, found) for found in issues[:_SHOWN]]


def _as_regex(tree: TextPattern) -> str:
    """The regex for a single term with `.*` in it, or ""."""
    text = tree.terms[0].text
    return f"%{text}%" if len(tree.terms) == 1 and re.fullmatch(r"\w+\.\*\w*", text) else ""


def _without_envelope(pattern: FilterPattern) -> str:
    """The pattern with `$.eventName` for `$.Records[*].eventName` and `$.detail.eventName`, or ""."""
    if not isinstance(pattern.tree, JsonPattern):
        return ""
    expression = pattern.tree.expression
    for term in terms_of(expression):
        steps = getattr(term.target, "steps", ())
        inner = tuple(dropwhile(lambda step: not isinstance(step, str), steps[1:]))
        if steps and steps[0] in ("Records", "detail") and inner and inner[0] in top_level():
            expression = replaced(expression, term, replace(term, target=Selector(inner)))
    return "" if expression is pattern.tree.expression else render(JsonPattern(expression))


def _note(pattern: FilterPattern, found: LocatedIssue) -> str:
    issue = found.issue
    meant = _whole(pattern, found)
    instead = f"did you mean: {meant}" if meant else issue.fix
    return f"{issue.message} ({issue.code}){'; ' if instead else ''}{instead}"


def _whole(pattern: FilterPattern, found: LocatedIssue) -> str:
    """The pattern with the fix in it, or "" where the fix is advice."""
    fix, span = found.issue.fix, found.issue.span
    if question := _QUESTION.fullmatch(fix):
        fix = question[1]
    if found.issue.code == "TS302":
        fix = _with_stars(pattern.text[span.start : span.end]) or fix
    if isinstance(pattern.tree, TextPattern):
        return fix if found.issue.code == "TS404" else ""
    whole = f"{pattern.text[: span.start]}{fix}{pattern.text[span.end :]}" if fix else ""
    try:
        other = compile(whole, limits=pattern.limits)
    except PatternError:
        return ""
    if type(other.tree) is not type(pattern.tree):
        return ""
    return "" if any(again.issue.code == found.issue.code for again in lint_pattern(other)) else whole


def _with_stars(term: str) -> str:
    """The term with stars for the wildcards of SQL and of regexes, "" for one without any."""
    if term.endswith("%"):
        return ""  # a regex
    changed = re.sub(r"\.\*|(?<=[\w\"])%(?=[\w\"])", "*", term)
    return "" if changed == term else changed
