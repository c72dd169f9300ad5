"""Suggests a pattern that means what a refused one was meant to, if that is certain and can be parsed.

It corrects notation (`==`, `AND`, other quotes, a missing `$.` or brace, escapes of a shell) and translates
what other languages have (`IN`, `BETWEEN`, JSONPath filters, regex flags, queries of Logs Insights).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from trailsieve.errors import PatternError, UnclearError
from trailsieve.pattern import lenient, lenient_columns, lenient_json, lenient_pipes, lenient_text, nodes
from trailsieve.pattern.lenient_conditions import conditions, joined
from trailsieve.pattern.lenient_spelling import spelled_out
from trailsieve.pattern.lenient_tokens import placeholder
from trailsieve.pattern.nodes import JsonPattern, Pattern, TextPattern, TextTerm
from trailsieve.pattern.opposite import absent_too
from trailsieve.pattern.remarks import as_text, remarks
from trailsieve.pattern.render import render

_THOUSANDS = re.compile(r"([<>]=?\s*)(\d{1,3}(?:,\d{3})+)\b")
_AWK_REGEX = re.compile(r"/([\w .:,-]+)/")
_UNCLOSED = re.compile(r'([=<>]\s*"(?:[^"&|(){}]|[&|](?![&|]))*?)(\s*(?:&&|\|\||[)}]|\Z))')
_ANY_DEPTH = re.compile(r"(?<=[\w$\]])\.\.(?=[A-Za-z_])(?=[^\"]*(?:\"[^\"]*\"[^\"]*)*\Z)")
_TERMS_BEHIND = re.compile(r"\{([^{}]*)\}\s*(?:&&\s*|AND\s+)?((?:-|!|NOT\s+)?[\w\"'][^{}&|]*)")
_NAMES_AND_VALUES = re.compile(r'(?:"[\w.-]+"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*(?:,\s*|\Z))+')
_QUOTES_AROUND = re.compile(r"""\s*(['"`])\s*([{\[%].*[}\]%])\s*\1\s*""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pattern that was probably meant, "" for none, and what it leaves out or changes."""

    text: str = ""
    remarks: tuple[str, ...] = ()


def suggest(text: str, parse: Callable[[str], Pattern]) -> Suggestion:
    """The pattern that was probably meant.

    Args:
        parse: raises `PatternError` for what is not a pattern; it accepts what is returned.
    """
    if len(text) > 1024 or placeholder(text):
        return Suggestion()
    try:
        meant = _meant(unescaped(text))
        within = meant if ".*" in text else within_wildcards(meant)
        guess = render(parse(render(within)))
        parse(guess)
    except UnclearError as unclear:
        return Suggestion(remarks=tuple(map(str, unclear.args)))
    except (PatternError, RecursionError):
        return Suggestion()
    if not guess.isprintable() or guess == text:
        return Suggestion()
    return Suggestion(guess, remarks(text, guess, meant))


def unescaped(text: str) -> str:
    r"""The text without what a shell, JSON or XML removes: quotes around it, `\"`, `\$`, `&amp;`."""
    around = _QUOTES_AROUND.fullmatch(text)
    text = around[2] if around else text
    if lenient_text.XML_ESCAPE.search(text):
        text = html.unescape(text)
    if not re.search(r'(?<!\\)"', text):
        text = text.replace('\\"', '"')
    text = _THOUSANDS.sub(lambda found: found[1] + found[2].replace(",", ""), text)
    return _quotes_closed(text.replace("\\$", "$").replace("$$.", "$."))


def _quotes_closed(text: str) -> str:
    """The text with a second quote where a condition ends before one is found."""
    if text[:1] != "{" or len(re.findall(r'(?<!\\)"', text)) % 2 == 0:
        return text
    return _UNCLOSED.sub(r'\1"\2', text)


def meant_as_conditions(text: str, parse: Callable[[str], Pattern]) -> Suggestion:
    """The JSON pattern that a text pattern was probably meant to be."""
    return suggest(text, parse) if conditions(text) else Suggestion()


def _meant(text: str) -> Pattern:
    """The pattern for a text, by what it looks like.

    Raises:
        UnclearError: there is none.
    """
    stripped = text.strip()
    if numbered := lenient_columns.numbered(stripped):
        return lenient_columns.read_numbered(numbered)
    stripped = _AWK_REGEX.sub(r'"\1"', lenient_columns.of_awk(stripped)) or stripped
    if lenient_text.is_query(stripped):
        return lenient_text.read_query(stripped)
    if stripped[0:1] not in ("{", "[", "%") and lenient_pipes.is_pipeline(stripped):
        return lenient_pipes.read(stripped)
    if in_json := _in_json_text(stripped):
        return in_json
    if re.fullmatch(r"\[[^\],=<>]*\]\s*[^\s\"].*", stripped):
        return TextPattern((TextTerm(stripped, "required", True),))
    if stripped.startswith("["):
        return lenient_columns.read(stripped)
    if inner := conditions(stripped):
        return JsonPattern(absent_too(lenient.read(inner, named=True)))
    if stripped.startswith(("{", "$")) or "$." in stripped:
        example = lenient_json.read(stripped)
        return JsonPattern(example or lenient.read(joined(spelled_out(_without_braces(stripped)))))
    return lenient_text.read(stripped)


def _in_json_text(text: str) -> Pattern | None:
    """The pattern for conditions on what JSON looks like as text: `"a":"b"`, `{ … } -term`, `$..a = b`."""
    if _ANY_DEPTH.search(text):
        expression = lenient.read(_without_braces(_ANY_DEPTH.sub(".", text)))
        return TextPattern(tuple(_as_terms(expression)))
    if behind := _TERMS_BEHIND.fullmatch(text):
        terms = lenient_text.read_terms(behind[2])
        if isinstance(terms, TextPattern) and not terms.texts("optional"):
            return TextPattern((*_as_terms(lenient.read(behind[1])), *terms.terms))
    named = _NAMES_AND_VALUES.fullmatch(text) and lenient_json.read(f"{{{text}}}")
    return JsonPattern(named) if named else None


def _as_terms(expression: nodes.Expression) -> list[TextTerm]:
    """Terms that find the names with their values in compact JSON, at any depth."""
    terms = [as_text(term) for term in nodes.terms_of(expression)]
    if isinstance(expression, nodes.Or) or not all(terms):
        raise UnclearError
    return [TextTerm(text, quoted=True) for text in terms]


def _without_braces(text: str) -> str:
    """What stands between the braces of one or several patterns."""
    inner = re.sub(r"\}\s*(&&|\|\|)\s*\{", r" \1 ", text)
    return inner.removeprefix("{").removesuffix("}")


def within_wildcards(pattern: Pattern) -> Pattern:
    """The pattern with [0] for all but the last wildcard of each selector (rule 25)."""
    if not isinstance(pattern, JsonPattern):
        return pattern
    return JsonPattern(_with_one_wildcard(pattern.expression))


def _with_one_wildcard(expression: nodes.Expression) -> nodes.Expression:
    if isinstance(expression, nodes.Group):
        return replace(expression, terms=tuple(map(_with_one_wildcard, expression.terms)))
    if not isinstance(expression.target, nodes.Selector) or isinstance(expression, nodes.NotExists):
        return expression
    steps = expression.target.steps
    wild = [place for place, step in enumerate(steps) if step is nodes.Wildcard.ALL]
    kept = tuple(0 if place in wild[:-1] else step for place, step in enumerate(steps))
    return replace(expression, target=nodes.Selector(kept))
