"""Suggests a correction of a refused pattern, if one can be parsed.

It corrects notation (`==`, `AND`, single quotes, a missing `$.` or brace, an unquoted value) and never
changes the meaning of a well-formed part.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from trailsieve.errors import PatternError
from trailsieve.pattern.nodes import Pattern
from trailsieve.pattern.render import quoted, render

_TOKEN = re.compile(
    r"""(?P<slashes>(?:=~|~=)\s*/[^/]*/)|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<single>'[^']*'|“[^”]*”|‘[^’]*’)|(?P<regex>%[^%]*%)
    |(?P<selector>\$[\w.\-\[\]*"']*\w[\]*'"]*)
    |(?P<join>&&|\|\||&|\||,|\b(?:AND|OR|and|or)\b)|(?P<operator><=|>=|!=|<>|=~|~=|=>|=<|==?|<|>)
    |(?P<bracket>[()])|(?P<brace>[{}])|(?P<blank>\s+)|(?P<word>[^\s()&|=!<>{}"',]+)|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_LIST = re.compile(r"=\s*[(\[{]")  # several values: the comparison is unclear
_OPERATORS = {"==": "=", "<>": "!=", "=~": "=", "~=": "=", "=>": ">=", "=<": "<="}
_JOINS = {"and": "&&", "or": "||", "&": "&&", "|": "||", ",": "&&"}
_BARE = re.compile(r"[\w.*+\-]+")
_KEYWORDS = {"is", "not", "exists", "null", "true", "false"}
_KEY = re.compile(r"""\.?\[?["'']([^"']+)["'']\]?""")


def suggest(text: str, parse: Callable[[str], Pattern]) -> str:
    """A pattern near `text` that `parse` accepts (it raises `PatternError` otherwise), or ""."""
    if len(text) > 1024 or not ("$" in text or text.lstrip().startswith("{")):
        return ""
    opened = text.count('"') % 2 or text.count("%") % 2
    if opened or text.rstrip().rpartition("}")[2] not in ("", text.rstrip()):
        return ""  # an open quote, or text outside the braces
    if _LIST.search(text):
        return ""
    try:
        guess = render(parse(_rebuild(text)))
        parse(guess)
    except PatternError:
        return ""
    return guess if guess.isprintable() else ""


def _rebuild(text: str) -> str:
    pieces: list[str] = []
    value: list[str] = []  # the words of a value, which belong in one pair of quotes
    after_operator = False
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match[0]
        if kind in ("blank", "brace"):
            continue
        if kind in ("word", "other") and after_operator and not _is_keyword(token):
            value.append(token)
            continue
        if value:
            pieces.append(_value(value))
            value = []
        after_operator = kind == "operator" or (after_operator and kind in ("word", "other"))
        pieces.append(_corrected(kind, token, pieces))
    if value:
        pieces.append(_value(value))
    return _balanced("{ " + " ".join(piece for piece in pieces if piece) + " }")


def _is_keyword(token: str) -> bool:
    return token.lower() in _KEYWORDS - {"true", "false"}


def _corrected(kind: str, token: str, before: list[str]) -> str:
    match kind:
        case "slashes":
            return f"= %{token[token.index('/') + 1 : -1]}%"
        case "operator":
            return _OPERATORS.get(token, token)
        case "join":
            return _JOINS.get(token.lower(), token)
        case "single":
            return quoted(token[1:-1])
        case "selector":
            return _selector(token)
        case "word" if token.lower() not in _KEYWORDS:
            return f"$.{token}" if not before or before[-1] in ("&&", "||", "(") else token
        case _:
            return token


def _selector(token: str) -> str:
    token = _KEY.sub(
        lambda key: f".['{key[1]}']" if not key[1].replace("-", "").isalnum() else f".{key[1]}", token
    )
    return token if token.startswith("$.") else "$." + token[1:]


def _value(words: list[str]) -> str:
    text = " ".join(words)
    return text if _BARE.fullmatch(text) and text != "null" else f'"{text}"'


def _balanced(text: str) -> str:
    missing = text.count("(") - text.count(")")
    return text if missing <= 0 else text[:-2] + ")" * missing + " }"
