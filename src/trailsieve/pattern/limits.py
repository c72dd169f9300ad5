"""Limits on well-formed patterns: those of AWS, and how deep groups may nest."""

from __future__ import annotations

from trailsieve.errors import PatternError
from trailsieve.pattern import nodes

MAX_LENGTH = 1024  # characters (rule 2)
MAX_REGEXES = 2  # a pattern (rule 21)
MAX_SELECTOR_WILDCARDS = 1  # a selector (rule 25)
MAX_WILDCARDS = 3  # a pattern (rule 25)
MAX_DEPTH = 150  # alternations of && and ||; our own limit
MAX_NESTING = 600  # brackets; our own limit, more than fit in `MAX_LENGTH`

_NO_LIMITS = "if the pattern never goes back to CloudWatch, use --no-limits (limits=False)"


def check_length(text: str) -> None:
    """Raises `PatternError` when the pattern is longer than AWS takes (rule 2)."""
    if len(text) > MAX_LENGTH:
        raise PatternError(
            f"the pattern has {len(text)} characters; CloudWatch allows {MAX_LENGTH}",
            MAX_LENGTH + 1,
            f"split it into two rules; {_NO_LIMITS}",
            text,
        )


def check_nesting(text: str) -> None:
    """Raises `PatternError` when brackets nest deeper than the parser goes.

    Brackets in quoted values and regexes are counted too, which matters only in patterns that are too long
    for CloudWatch.
    """
    depth = 0
    for column, character in enumerate(text, 1):
        depth += (character == "(") - (character == ")")
        if depth > MAX_NESTING:
            raise PatternError(f"brackets nest deeper than {MAX_NESTING}", column, "use fewer brackets", text)


def check_depth(text: str, pattern: nodes.Pattern) -> None:
    """Raises `PatternError` when && and || alternate deeper than Python's own parser takes."""
    if any(_depth(expression) > MAX_DEPTH for expression in nodes.expressions_of(pattern)):
        raise PatternError(
            f"&& and || alternate more than {MAX_DEPTH} deep", 1, "use fewer nested groups", text
        )


def _depth(expression: nodes.Expression) -> int:
    if isinstance(expression, nodes.Group):
        return 1 + max(map(_depth, expression.terms))
    return 0


def check_limits(text: str, pattern: nodes.Pattern) -> None:
    """Raises `PatternError` for too many regexes or wildcard selectors (rules 21 and 25)."""
    if "*" not in text and "%" not in text:
        return
    regexes = list(nodes.regexes_of(pattern))
    if len(regexes) > MAX_REGEXES:
        raise PatternError(
            f"a pattern can have at most {MAX_REGEXES} regexes",
            regexes[MAX_REGEXES].span.start + 1,
            f"join them with | in one regex: %a|b%; {_NO_LIMITS}",
            text,
        )
    for selector in nodes.selectors_of(pattern):
        if selector.wildcards > MAX_SELECTOR_WILDCARDS:
            raise PatternError(
                "a selector can have at most one wildcard ([*] or .*)",
                selector.span.start + 1,
                f"use an index such as [0] for all but one of them; {_NO_LIMITS}",
                text,
            )
    wild = [
        term.target
        for expression in nodes.expressions_of(pattern)
        for term in nodes.terms_of(expression)
        if nodes.Wildcard.ALL in getattr(term.target, "steps", ())
    ]
    if len(wild) > MAX_WILDCARDS:
        raise PatternError(
            f"a pattern can have at most {MAX_WILDCARDS} wildcard selectors",
            wild[MAX_WILDCARDS].span.start + 1,
            f"split it into two rules; {_NO_LIMITS}",
            text,
        )
