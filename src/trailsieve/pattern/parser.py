"""From pattern text to nodes: picks the language, runs its grammar, and turns failures into `PatternError`.

JSON patterns and selectors are tried with `quick` first. What it leaves is the grammar's, which takes 0.04 s
of CPU to import and set up.
`mistakes` writes the message and hint of an error, `limits` checks what AWS refuses for its size.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from trailsieve.errors import PatternError
from trailsieve.pattern import mistakes, nodes, quick
from trailsieve.pattern.limits import MAX_NESTING, check_depth, check_length, check_limits, check_nesting

if TYPE_CHECKING:
    import pyparsing as pp

_FRAMES_PER_BRACKET = 40  # Python frames that the grammar takes for one level of brackets


def parse(text: str, *, limits: bool = True) -> nodes.Pattern:
    """The syntax tree of a filter pattern.

    Args:
        text: the pattern; its first character picks the language (rule 1).
        limits: refuse what AWS refuses for its size (rules 2, 21, 25).

    Raises:
        PatternError: the pattern is not one that AWS takes.
    """
    if limits:
        check_length(text)
    pattern = quick.read_pattern(text) or by_grammar(text)
    check_depth(text, pattern)
    if limits:
        check_limits(text, pattern)
    return pattern


def parse_selector(text: str) -> nodes.Selector:
    """One selector alone, such as `$.userIdentity.arn`.

    Raises:
        PatternError: the text is not a selector.
    """
    try:
        return quick.read_selector(text) or selector_by_grammar(text)
    except PatternError as error:
        message = "a selector starts with `$.`" if error.column == 1 else "this is not allowed in a selector"
        raise PatternError(message, error.column, "write it like $.userIdentity.arn", text) from None


def selector_by_grammar(text: str) -> nodes.Selector:
    """One selector alone, as the grammar reads it, or what it says of the text.

    Raises:
        PatternError: the text is not a selector.
    """
    from trailsieve.pattern import grammar

    selector: nodes.Selector = _run(grammar.selector_alone, text)[0]
    return selector


def by_grammar(text: str) -> nodes.Pattern:
    """The syntax tree of a pattern of any size, as the grammar reads it.

    Raises:
        PatternError: the pattern is not one of the four languages.
    """
    from trailsieve.pattern import grammar

    match text[:1]:
        case "{":
            check_nesting(text)
            return nodes.JsonPattern(_run(grammar.json_pattern, text)[0])
        case "%":
            return nodes.RegexPattern(_run(grammar.regex_pattern, text)[0])
        case "[":
            columns = tuple(_run(grammar.delimited_pattern, text))
            _check_columns(text, columns)
            # Rule 53: `[]` has no column and matches every event.
            return nodes.DelimitedPattern(() if columns == (nodes.Column(""),) else columns)
        case _:
            return nodes.TextPattern(_joined_terms(text, tuple(_run(grammar.text_pattern, text))))


def _run(element: pp.ParserElement, text: str) -> list[Any]:
    import pyparsing as pp

    try:
        with _deep_recursion():
            return element.parse_string(text).as_list()
    except pp.ParseBaseException as failure:
        raise mistakes.explain(text, failure.loc, failure.msg) from None


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for `MAX_NESTING` brackets. Python frames alone: since 3.11 they take no C stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, MAX_NESTING * _FRAMES_PER_BRACKET + 1000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


# --- checks on the whole pattern ---


def _check_columns(text: str, columns: tuple[nodes.Column | nodes.Ellipsis, ...]) -> None:
    """At most one `...` and no name twice (rules 52 and 57)."""
    seen: set[str] = set()
    for column in columns:
        name = "..." if isinstance(column, nodes.Ellipsis) else column.name
        if name and name in seen:
            hint = "use ... only once" if name == "..." else "give each field a different name, or none"
            raise mistakes.located(text, column.span.start, f"duplicate field `{name}`", hint)
        seen.add(name)


def _joined_terms(text: str, terms: tuple[nodes.TextTerm, ...]) -> tuple[nodes.TextTerm, ...]:
    """Refuses text glued to a quoted term (rule 14)."""
    for before, after in pairwise(terms):
        if before.span.end == after.span.start and (before.quoted or after.quoted):
            raise mistakes.located(
                text,
                after.span.start,
                "two terms without a blank between them",
                mistakes.gap_hint(text),
            )
    return terms
