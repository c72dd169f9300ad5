"""Conditions on fields without braces, as other languages write them, and what stands for them in braces."""

from __future__ import annotations

import re

from trailsieve.pattern.lenient_jq import selected
from trailsieve.pattern.lenient_sigma import detection
from trailsieve.pattern.lenient_spelling import PATH, QUOTED, spelled_out

_NAME = PATH
_SIGN = r"(?:===?|!==?|<>|=~|!~|>=|<=|=>|=<|=!|[=<>~])"
_LATE_WORDS = (
    r"(?:(?:NOT\s+)?IN\s*[(\[]|(?:NOT\s+)?I?LIKE\s+['\"%/]|IS\s+(?:NOT\s+)?(?:NULL|NONE|EMPTY)\b|BETWEEN\s+['\"\d]|(?:HAS|CONTAINS|LIKE)_(?:ANY|ALL)\s*\("
    r"|(?:NOT\s+)?HAS\s+['\"]|(?:NOT\s+)?EQUALS?\s+\S|IS\s+(?:NOT\s+)?(?:['\"]|(?:ONE|ANY)\s+OF\b)|(?:NOT\s+)?EXISTS\s*$|NOT\s+EXISTS\b|(?:(?:DOES\s+)?NOT\s+)?(?:CONTAINS?|STARTS?_?WITH|ENDS?_?WITH)\s+\S+)"
)
# `eventName: x`, but not `error: x`: a label of a log line is seldom in camel case.
_COLON = r"[a-z]\w*(?:\.\w+)*:(?!:|//)\s*\S"
_CAMEL = re.compile(r"(?:\w+\.)*[a-z]+[A-Z]\w*(?:\.\w+)*|resources\.\w+")
_KEYWORD = r"(?i:NOT|IS|IN|AND|OR|I?LIKE|EXISTS|BETWEEN|CONTAINS)\b"
_CONDITION = re.compile(
    rf"{QUOTED}|(?<![\w.$\[/])(?P<name>{_NAME})\s*(?:{_SIGN}|\s{_LATE_WORDS})|(?<![\w.])(?P<label>{_COLON})",
    re.IGNORECASE,
)
_WRAPPED = (
    re.compile(r"SELECT\s.+?\sWHERE\s+(.+?)(?:\s+(?:LIMIT|ORDER\s+BY|GROUP\s+BY)\s.*|;)?", re.I | re.S),
    re.compile(r"(?:where|filter|search|if)\s+(.+?)(?:\s*\|.*)?", re.IGNORECASE | re.DOTALL),
)
_INDEX = re.compile(
    rf"(?<![\w.$|])(?:index|sourcetype|source|host)\s*=(?!=)\s*(?:{QUOTED}|[^\s|)&]++)(?:\s+AND\b)?(?!\s*&)\s*"
)
_TIME_NAME = r"(?:event_?time|_time|@timestamp|timestamp|time_?generated|event_?date)"
_TIME = (
    rf"{_TIME_NAME}\s*(?:[<>]=?\s*(?:(?:timestamp\s*)?{QUOTED}"
    r"|\w+\([^()]*(?:\([^()]*\)[^()]*)*\)(?:\s*-\s*[\w' ]+)?|[\w:.-]+)"
    r"|BETWEEN\s+\S+\s+AND\s+\S+)|(?:earliest|latest)\s*=\s*\S+"
)
_WITHOUT_TIME = re.compile(
    rf"\s+(?:AND|&&)\s+(?:{_TIME})|(?<![\w.$])(?:{_TIME})\s*(?:(?:AND|&&)\s+)?", re.IGNORECASE
)
_MACRO = re.compile(r"`\w+(?:\([^()`]*\))?`\s*")
_BEGINS = re.compile(
    r"""(["'])\w+(?:\.\w+)+\1\s*[=!<>]|\[.*\b(?:select|map)\s*\(|(["'])[\w.]+\2\s+(?:not\s+)?in\s+[a-z]"""
)
_SPLUNK = re.compile(r"\s*(?:index|sourcetype)\s*=(?![^|]*&&)")
_OR = re.compile(r"\s+OR\s+", re.IGNORECASE)
# A field and its values without a sign between them.
_LISTED = re.compile(
    r"(event(?:Name|Source|Type)|errorCode|awsRegion|sourceIPAddress)\s+([\w.*-]+(?:\s+(?:OR|or)\s+[\w.*-]+)+)"
)
_CALL = re.compile(
    r"[(\s]*(?:NOT\s+)?\(?(?:lower|upper|isnull|is_?not_?(?:null|empty)|is_?present|exists|contains|like"
    r"|starts_?with|ends_?with)\(\$?\.?\w|.*(?<![\w$.])EXISTS \$"
    r"|.*\$\.[\w.\[\]*]+\s*:(?!:)|.*[\"']\w+(?:\.\w+)+[\"']\s*[=!<>]|.*[\"']\s+(?:NOT\s+)?IN\s+\$\.|(?-i:\w+\((?:\$\.)?[a-z]+[A-Z]\w*[,)])",
    re.IGNORECASE | re.DOTALL,
)
_GAP = re.compile(
    rf"({QUOTED})|\s+(?=(?:NOT\s+)?(?!{_KEYWORD})(?:{_NAME})\s*(?:{_SIGN}|:(?!:|//))\s*[^\s=]|(?:NOT\s+)?EXISTS\s+\$)"
)
_NO_GAP = re.compile(
    r"(?:^|[({!,;&|=<>~:]|\b(?:AND|OR|NOT|IN|LIKE|CONTAINS|IS|BETWEEN|EXISTS))\Z", re.IGNORECASE
)


def conditions(text: str) -> str:
    """What would stand in the braces of a JSON pattern, if a text without braces has conditions, or ""."""
    text = text.strip()
    if (
        text[:1] in ("{", "%", "\ufeff")
        or len(text) > 1024
        or (text[:1] in tuple("['\"") and not _BEGINS.match(text))
    ):
        return ""
    if sigma := detection(text):
        return spelled_out(sigma)
    if listed := _LISTED.fullmatch(text):
        return f"{listed[1]} IN ({', '.join(_OR.split(listed[2]))})"
    wrapped = next((found for pattern in _WRAPPED if (found := pattern.fullmatch(text))), None)
    inner = spelled_out(selected(text) or _without_index(wrapped[1] if wrapped else text))
    if not _has_condition(inner):
        return ""
    return joined(inner)


def names_an_index(text: str) -> bool:
    """Whether a search of Splunk says in which index or source type it looks."""
    return _SPLUNK.match(text) is not None


def _without_index(text: str) -> str:
    rest = _INDEX.sub("", text) if names_an_index(text) else text
    rest = _WITHOUT_TIME.sub("", _MACRO.sub("", rest, count=1) if rest[:1] == "`" else rest)
    return rest if rest.strip() else text


def only_time(text: str) -> bool:
    """Whether a condition says nothing but when."""
    return not _WITHOUT_TIME.sub("", text).strip()


def names_a_time(text: str) -> bool:
    """Whether there are conditions on the time, which are left out."""
    return _WITHOUT_TIME.search(text) is not None


def joined(text: str) -> str:
    """The text with && between conditions that stand next to each other."""
    return _GAP.sub(_with_and, text)


def _has_condition(text: str) -> bool:
    return any(
        found["name"] or (found["label"] and _CAMEL.fullmatch(found["label"].partition(":")[0]))
        for found in _CONDITION.finditer(text)
    ) or bool(_CALL.match(text))


def _with_and(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    before = found.string[: found.start()].rstrip()
    return " " if _NO_GAP.search(before) else " && "
