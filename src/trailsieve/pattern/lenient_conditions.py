"""Conditions on fields without braces, as other languages write them, and what stands for them in braces."""

from __future__ import annotations

import re

_QUOTED = r""""(?:[^"\\]|\\.)*"|'[^']*'|%[^%]*%"""
_NAME = r"[$@]?\.?[A-Za-z_][\w-]*(?:\.[\w-]+|\[(?:\d+|\*|)\])*"
_SIGN = r"(?:===?|!==?|<>|=~|!~|>=|<=|=>|=<|=!|[=<>~])"
_LATE_WORDS = (
    r"(?:(?:NOT\s+)?IN\s*[(\[]|(?:NOT\s+)?I?LIKE\s+['\"%/]|IS\s+(?:NOT\s+)?(?:NULL|NONE|EMPTY)\b|BETWEEN\s+\d"
    r"|(?:NOT\s+)?EXISTS\s*$|NOT\s+EXISTS\b|(?:(?:DOES\s+)?NOT\s+)?(?:CONTAINS?|STARTS?_?WITH|ENDS?_?WITH)\s+\S+)"
)
# `eventName: x`, but not `error: x`: a label of a log line is seldom in camel case.
_COLON = r"[a-z]\w*(?:\.\w+)*:(?!:|//)\s*\S"
_CAMEL = re.compile(r"(?:\w+\.)*[a-z]+[A-Z]\w*(?:\.\w+)*")
_CONDITION = re.compile(
    rf"{_QUOTED}|(?<![\w.$\[/])(?P<name>{_NAME})\s*(?:{_SIGN}|\s{_LATE_WORDS})|(?<![\w.])(?P<label>{_COLON})",
    re.IGNORECASE,
)
_WRAPPED = (
    re.compile(r"SELECT\s.+?\sWHERE\s+(.+?)(?:\s+(?:LIMIT|ORDER\s+BY|GROUP\s+BY)\s.*|;)?", re.I | re.S),
    re.compile(r"(?:where|filter|search|if)\s+(.+?)(?:\s*\|.*)?", re.IGNORECASE | re.DOTALL),
    re.compile(r"(?:\.\[?\]?\s*\|\s*|\.Records\[\]\s*\|\s*)?select\s*\((.+)\)", re.IGNORECASE | re.DOTALL),
)
_SUBSCRIPTS = re.compile(
    r"""\b(?:event|record|e|r|row|log|obj|data|x)((?:\[["'][\w.-]+["']\]|\.get\(["'][\w.-]+["']\))+)"""
)
_KEY = re.compile(r"""["']([\w.-]+)["']""")
_JQ_NULL = re.compile(r"(\.[\w.]+)\s*==\s*null\b")  # jq reads an absent field as null
_LEADING_DOT = re.compile(r"(?<![\w$@\])}.])\.(?=[A-Za-z_])")
_MODIFIER = re.compile(r"([A-Za-z_][\w.-]*)\|(contains|startswith|endswith|re)\s*:\s*(.+)")
_CIDR_MATCH = re.compile(r"cidr_?match\s*\(\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)", re.IGNORECASE)
_METHOD = re.compile(
    r"((?:not\s+)?)([$@]?\.?[A-Za-z_][\w.\[\]-]*?)\.(lower|upper|toLowerCase|toUpperCase|startswith|startsWith|endswith|endsWith|contains|includes|matches)"
    r"\(([^()]*)\)"
)
_GAP = re.compile(rf"({_QUOTED})|\s+(?=(?:NOT\s+)?(?:{_NAME})\s*{_SIGN}\s*[^\s=])")
_NO_GAP = re.compile(
    r"(?:^|[(!,;&|=<>~:]|\b(?:AND|OR|NOT|IN|LIKE|CONTAINS|IS|BETWEEN|EXISTS))\Z", re.IGNORECASE
)


def conditions(text: str) -> str:
    """What would stand in the braces of a JSON pattern, if a text without braces has conditions, or ""."""
    text = text.strip()
    if text[:1] in ("{", "[", "%", "'", '"') or len(text) > 1024:
        return ""
    wrapped = next((found for pattern in _WRAPPED if (found := pattern.fullmatch(text))), None)
    inner = wrapped[1] if wrapped else text
    if inner.startswith(".") or text.startswith(("select", ".")):
        inner = _JQ_NULL.sub(r"(\1 NOT EXISTS || \1 IS NULL)", inner)
    inner = spelled_out(inner)
    if not _has_condition(inner):
        return ""
    return _GAP.sub(_joined, inner)


def spelled_out(text: str) -> str:
    """The text with its fields, methods and modifiers as `lenient` reads them."""
    text = _SUBSCRIPTS.sub(lambda found: "$." + ".".join(_KEY.findall(found[1])), text)
    text = _outside_quotes(_LEADING_DOT, "$.", text)
    text = _CIDR_MATCH.sub(_cidr_match, text)
    text = _METHOD.sub(_as_function, text)
    if modifier := _MODIFIER.fullmatch(text):
        value = modifier[3].strip()
        value = value if value[:1] in "\"'" else f'"{value}"'
        word = {"contains": "CONTAINS", "startswith": "STARTSWITH", "endswith": "ENDSWITH", "re": "=~"}
        text = f"{modifier[1]} {word[modifier[2]]} {value}"
    return text


def _has_condition(text: str) -> bool:
    return any(
        found["name"] or (found["label"] and _CAMEL.fullmatch(found["label"].partition(":")[0]))
        for found in _CONDITION.finditer(text)
    ) or bool(
        re.match(
            r"(?:lower|upper|isnull|is_?notnull|exists|contains|starts_?with|ends_?with)\(\$?\.?\w",
            text,
            re.I,
        )
    )


def _outside_quotes(pattern: re.Pattern[str], instead: str, text: str) -> str:
    both = re.compile(rf"({_QUOTED}|/(?:[^/\\]|\\.)+/)|{pattern.pattern}")
    return both.sub(lambda found: found[1] or instead, text)


def _joined(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    before = found.string[: found.start()].rstrip()
    return " " if _NO_GAP.search(before) else " && "


def _cidr_match(found: re.Match[str]) -> str:
    one, other = found[1], found[2]
    network, field = (one, other) if "/" in one else (other, one)
    return f"{field} IN ({network})"


def _as_function(found: re.Match[str]) -> str:
    function = found[3].lower()
    if function in ("lower", "upper", "tolowercase", "touppercase"):
        return f"{found[1]}{function.removesuffix('case')}({found[2]})"
    return f"{found[1]}{function}({found[2]}, {found[4]})"
