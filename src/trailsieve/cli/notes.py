"""Notes on stderr about a pattern that is valid and probably does not mean what its author thinks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import dropwhile

from trailsieve.cli.notes_on_events import notes_on_events
from trailsieve.cli.notes_on_fields import notes_on_absent
from trailsieve.cli.options import screen
from trailsieve.errors import PatternError, UnclearError, visible
from trailsieve.jsontext import decode_object
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.lenient_text import one_column
from trailsieve.pattern.lenient_tokens import unfilled
from trailsieve.pattern.nodes import (
    Comparison,
    JsonPattern,
    Pattern,
    Selector,
    String,
    TextPattern,
    expressions_of,
    terms_of,
)
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render
from trailsieve.pattern.repair import meant_as_conditions, suggest, unescaped
from trailsieve.pattern.rewrite import replaced
from trailsieve.rules.lint import LocatedIssue, lint_pattern
from trailsieve.rules.lint.fixes import corrected, fixed
from trailsieve.trail.catalogue.fields import top_level

_SHOWN = 3
_JOIN = re.compile(r"\S\s+(?:and|or)\s+\S")


def print_notes(pattern: FilterPattern, events: Sequence[bytes] = (), *, lint: bool = True) -> None:
    """Prints what the pattern looks like in another language, or else what lint finds in it.

    Args:
        events: some that the pattern does not match.
    """
    found = notes_on_events(pattern, events) or notes(pattern, lint=lint)
    for text in found or (_on_absent(pattern, events) if lint else ()):
        screen().info(f"note: {text}")


def print_notes_on_matches(pattern: FilterPattern, events: Sequence[bytes]) -> None:
    """Prints what a pattern that matches some events hardly means: terms without effect, absent fields.

    Args:
        events: the first that were read.
    """
    tree = pattern.tree
    if isinstance(tree, TextPattern) and (len({term.role for term in tree.terms}) > 1 or _on_a_line(tree)):
        print_notes(pattern)
    for text in _on_absent(pattern, events):
        screen().info(f"note: {text}")


def _on_absent(pattern: FilterPattern, events: Sequence[bytes]) -> list[str]:
    if not isinstance(pattern.tree, JsonPattern):
        return []
    records = [record for event in events if (record := decode_object(event)) is not None]
    return list(notes_on_absent(pattern, pattern.tree, records))


def notes(pattern: FilterPattern, *, lint: bool = True) -> list[str]:
    """One sentence per finding; [] for a pattern without any."""
    if isinstance(pattern.tree, TextPattern) and (found := _on_terms(pattern, pattern.tree)):
        return [found]
    if name := _placeholder(pattern.tree):
        return [f"{visible(name)} is a placeholder of a template: fill it in first"]
    if meant := _without_envelope(pattern):
        return [f"each CloudTrail record is one event, without what it was wrapped in; did you mean: {meant}"]
    if not lint:
        return []
    issues = [found for found in lint_pattern(pattern, limits=False) if found.code.level != "note"]
    return [_note(pattern, found) for found in issues[:_SHOWN]]


def _on_terms(pattern: FilterPattern, tree: TextPattern) -> str:
    found = meant_as_conditions(pattern.text, partial(parse, limits=pattern.limits))
    if found.text:
        meant, said = corrected(found.text, limits=pattern.limits)
        about = "these are words to find in the text; conditions on fields stand in braces"
        return "; ".join([about, *found.remarks, *said, f"did you mean: {meant}"])
    if meant := _quoted_pattern(pattern):
        return f"text in quotes is found as it stands; did you mean: {meant}"
    if meant := _on_a_line(tree):
        about = "; ".join(_without_effect(pattern)) or "a - in quotes is text"
        return f"{about}; a single column takes conditions on the whole line; did you mean: {meant}"
    if meant := _unquoted(tree):
        return f"text in quotes is found as it stands, AND, OR and NOT too; did you mean: {meant}"
    if _JOIN.search(pattern.text) and (meant := _operators_replaced(_in_capitals(pattern.text))):
        return f"`and`, `or` and `not` are ordinary terms here; did you mean: {meant}"
    if meant := _as_regex(tree):
        return f"text in quotes is found as it stands, `.*` too; did you mean: {meant}"
    return ""


def _quoted_pattern(pattern: FilterPattern) -> str:
    """The pattern that is wholly in quotes, or ""."""
    quoted = re.fullmatch(r'"(\{.*\$\.?.*\}|\[.*[=<>].*\]|%.+%)"', pattern.text.strip(), re.DOTALL)
    if not quoted:
        return ""
    inner = unescaped(pattern.text)
    try:
        return render(parse(inner, limits=pattern.limits))
    except PatternError:
        return suggest(inner, partial(parse, limits=pattern.limits)).text


def _on_a_line(tree: TextPattern) -> str:
    """The pattern of one column for `?a ?b -c`, where - has no effect, and for `?a ?"-c"`; or ""."""
    terms = [
        replace(term, text=term.text[1:], role="excluded")
        if term.role == "optional" and re.match(r"-\w", term.text)
        else term
        for term in tree.terms
    ]
    optional = sum(term.role == "optional" for term in terms)
    excluded = any(term.role == "excluded" for term in terms)
    if not optional or (not excluded and (optional < 2 or optional == len(terms))):
        return ""
    try:
        return render(parse(render(one_column(terms))))
    except (PatternError, UnclearError):
        return ""


def _without_effect(pattern: FilterPattern) -> list[str]:
    found = (issue.issue for issue in lint_pattern(pattern, limits=False))
    return [f"{issue.message} ({issue.code})" for issue in found if issue.code == "TS105"][:_SHOWN]


def _placeholder(tree: Pattern) -> str:
    """The first placeholder of a template in a value or term, or ""."""
    terms = [term for expression in expressions_of(tree) for term in terms_of(expression)]
    values = [term.value for term in terms if isinstance(term, Comparison)]
    texts = [value.text for value in values if isinstance(value, String)]
    texts += [term.text for term in tree.terms] if isinstance(tree, TextPattern) else []
    return next(filter(None, map(unfilled, texts)), "")


def _unquoted(tree: TextPattern) -> str:
    """The terms of a single phrase with operators in it, or ""."""
    text = tree.terms[0].text if len(tree.terms) == 1 and tree.terms[0].quoted else ""
    if not re.search(r"\S\s+(?:AND|OR|NOT|&&|\|\||-(?=\w)|\?(?=\w))\s*\S", text):
        return ""
    return suggest(text, parse).text or _operators_replaced(text)


def _in_capitals(text: str) -> str:
    return re.sub(r"(?<!\S)(?:and|or|not)(?!\S)", lambda word: word[0].upper(), text)


def _operators_replaced(text: str) -> str:
    try:
        return next(
            (issue.issue.fix for issue in lint_pattern(compile(text)) if issue.issue.code == "TS404"), ""
        )
    except PatternError:
        return ""


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
    meant = fixed(pattern, issue)
    meant, said = corrected(meant, limits=pattern.limits) if meant else ("", [])
    instead = "; ".join([*said, f"did you mean: {meant}"]) if meant else issue.fix
    return f"{issue.message} ({issue.code}){'; ' if instead else ''}{instead}"
