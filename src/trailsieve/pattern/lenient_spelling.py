"""Fields, methods, functions and modifiers of other languages, spelled as `lenient` reads them."""

from __future__ import annotations

import re

QUOTED = r""""(?:[^"\\]|\\.)*"|'[^']*'|%[^%]*%"""
# JSONPath's filter on the records of a file.
_ROOT_FILTER = re.compile(r"\$(?:\.?\.Records)?(?:\[\*?\])?\.?\[\?\s*\(?(.*?)\)?\s*\](?:\.\*)?", re.DOTALL)
# Datadog: `@name:value -@name:value`.
_DATADOG = re.compile(r"(?<![\w.@$])(-?)@([A-Za-z_][\w.]*)\s*:\s*(?=\S)")
_SUBSCRIPTS = re.compile(
    r"""\b(?:event|record|e|r|row|log|obj|data|x)((?:\[["'][\w.-]+["']\]|\.get\(["'][\w.-]+["']\))+)"""
)
_KEY = re.compile(r"""["']([\w.-]+)["']""")
_LEADING_DOT = re.compile(r"(?<![\w$@\])}.])\.(?=[A-Za-z_])")
_OPTIONAL_CHAIN = re.compile(r"\?\.(?=[A-Za-z_])")
_ARROW = re.compile(r"(?:\w+\.(?:filter|some|find)\()?\(?([A-Za-z_]\w*)\)?\s*=>\s*(.+?);?", re.DOTALL)
_LAMBDA = re.compile(r"\A\s*lambda\s+\w+\s*:\s*")
# Kusto: `in~ (...)`, `!in (...)`, `!startswith "x"`.
_KUSTO_NOT = re.compile(r"(?<=\s)!(?=(?:in|has|contains|startswith|endswith)\b)", re.IGNORECASE)
_KUSTO_TAIL = re.compile(r"(?<=\s)(in)~(?=\s*\()", re.IGNORECASE)
# Sigma: `name|startswith: value`, with one value or a list.
_MODIFIER = re.compile(
    rf"([A-Za-z_][\w.-]*)\|(contains|startswith|endswith|re)((?:\|\w+)*)\s*:\s*(\[[^\]]*\]|{QUOTED}|[^\s&)}}]+)"
)
_ITEM = re.compile(rf"{QUOTED}|[^\s,\[\]]+")
_MODIFIERS = {"contains": "CONTAINS", "startswith": "STARTSWITH", "endswith": "ENDSWITH", "re": "=~"}
_JQ_TEST = re.compile(
    rf"([$@]?\.?[A-Za-z_][\w.\[\]-]*)\s*\|\s*(test|match|startswith|endswith|contains)\(\s*({QUOTED})[^()]*\)"
    r"(\s*\|\s*not\b)?"
)
_CIDR_MATCH = re.compile(r"cidr_?match\s*\(\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)", re.IGNORECASE)
_METHOD = re.compile(
    r"((?:not\s+)?)([$@]?\.?[A-Za-z_][\w.\[\]-]*?)\.(lower|upper|toLowerCase|toUpperCase|startswith|startsWith|endswith|endsWith|contains|includes|matches)"
    r"\(([^()]*)\)"
)


def spelled_out(text: str) -> str:
    """The text with its fields, methods and modifiers as `lenient` reads them."""
    if arrow := _ARROW.fullmatch(text.strip()):
        text = re.sub(rf"(?<![\w.$]){arrow[1]}\??\.(?=\w)", "$.", arrow[2])
    text = _LAMBDA.sub("", text)
    if rooted := _ROOT_FILTER.fullmatch(text.strip()):
        text = rooted[1].replace("@.", "$.")
    text = _DATADOG.sub(lambda found: f"{'NOT ' if found[1] else ''}$.{found[2]} = ", text)
    text = _SUBSCRIPTS.sub(lambda found: "$." + ".".join(_KEY.findall(found[1])), text)
    text = _outside_quotes(_OPTIONAL_CHAIN, ".", text)
    text = _outside_quotes(_LEADING_DOT, "$.", text)
    text = _outside_quotes(_KUSTO_NOT, "NOT ", text)
    text = _outside_quotes(_KUSTO_TAIL, "IN", text)
    text = _CIDR_MATCH.sub(_cidr_match, text)
    text = _JQ_TEST.sub(_jq_test, text)
    text = _METHOD.sub(_as_function, text)
    return _MODIFIER.sub(_modified, text)


def _outside_quotes(pattern: re.Pattern[str], instead: str, text: str) -> str:
    both = re.compile(rf"({QUOTED}|/(?:[^/\\]|\\.)+/)|{pattern.pattern}", pattern.flags)
    return both.sub(lambda found: found[1] or instead, text)


def _modified(found: re.Match[str]) -> str:
    values = _ITEM.findall(found[4]) if found[4][0] == "[" else [found[4]]
    quoted = [value if value[0] in "\"'" else f'"{value}"' for value in values]
    tests = [f"{found[1]} {_MODIFIERS[found[2]]} {value}" for value in quoted]
    joined = (" AND " if "|all" in found[3] else " OR ").join(tests)
    return f"({joined})" if len(tests) > 1 else joined


def _jq_test(found: re.Match[str]) -> str:
    test = (
        f"{found[1]} =~ {found[3]}"
        if found[2] in ("test", "match")
        else f"{found[2]}({found[1]}, {found[3]})"
    )
    return f"NOT ({test})" if found[4] else test


def _cidr_match(found: re.Match[str]) -> str:
    one, other = found[1], found[2]
    network, field = (one, other) if "/" in one else (other, one)
    return f"{field} IN ({network})"


def _as_function(found: re.Match[str]) -> str:
    function = found[3].lower()
    if function in ("lower", "upper", "tolowercase", "touppercase"):
        return f"{found[1]}{function.removesuffix('case')}({found[2]})"
    return f"{found[1]}{function}({found[2]}, {found[4]})"
