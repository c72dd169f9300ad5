"""Suggests a pattern that means what a refused one was meant to, if that is certain and can be parsed.

It corrects notation (`==`, `AND`, other quotes, a missing `$.` or brace, escapes of a shell) and translates
what other languages have (`IN`, `BETWEEN`, JSONPath filters, regex flags, queries of Logs Insights).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from trailsieve.errors import PatternError, UnclearError
from trailsieve.pattern import lenient, lenient_columns, lenient_text
from trailsieve.pattern.lenient_tokens import placeholder
from trailsieve.pattern.nodes import JsonPattern, Pattern, TextPattern, TextTerm
from trailsieve.pattern.render import render

_QUOTES_AROUND = re.compile(r"""\s*(['"`])\s*([{\[%].*[}\]%])\s*\1\s*""", re.DOTALL)


def suggest(text: str, parse: Callable[[str], Pattern]) -> str:
    """A pattern that was probably meant, or "".

    Args:
        parse: raises `PatternError` for what is not a pattern; it accepts what is returned.
    """
    if len(text) > 1024 or placeholder(text):
        return ""
    try:
        guess = render(parse(render(_meant(unescaped(text)))))
        parse(guess)
    except (PatternError, UnclearError, RecursionError):
        return ""
    return guess if guess.isprintable() and guess != text else ""


def unescaped(text: str) -> str:
    r"""The text without what a shell, JSON or XML removes: quotes around it, `\"`, `\$`, `&amp;`."""
    around = _QUOTES_AROUND.fullmatch(text)
    text = around[2] if around else text
    if lenient_text.XML_ESCAPE.search(text):
        text = html.unescape(text)
    if not re.search(r'(?<!\\)"', text):
        text = text.replace('\\"', '"')
    return text.replace("\\$", "$")


def _meant(text: str) -> Pattern:
    """The pattern for a text, by what it looks like.

    Raises:
        UnclearError: there is none.
    """
    stripped = text.strip()
    if lenient_text.is_query(stripped):
        return lenient_text.read_query(stripped)
    if re.fullmatch(r"\[[^\],=<>]*\]\s*[^\s\"].*", stripped):
        return TextPattern((TextTerm(stripped, "required", True),))
    if stripped.startswith("["):
        return lenient_columns.read(stripped)
    if stripped.startswith(("{", "$")) or "$." in stripped:
        return JsonPattern(lenient.read(_without_braces(stripped)))
    if re.match(r"[%/]", stripped):
        return lenient_text.read_regex(stripped)
    return lenient_text.read_terms(stripped)


def _without_braces(text: str) -> str:
    """What stands between the braces of one or several patterns."""
    inner = re.sub(r"\}\s*(&&|\|\|)\s*\{", r" \1 ", text)
    return inner.removeprefix("{").removesuffix("}")
