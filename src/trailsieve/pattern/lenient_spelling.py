"""Fields, methods, functions and modifiers of other languages, spelled as `lenient` reads them."""

from __future__ import annotations

import re
from collections.abc import Callable

from trailsieve.pattern import addresses

QUOTED = r""""(?:[^"\\]|\\.)*"|'[^']*'|%[^%]*%"""
PATH = r"[$@]?\.?[A-Za-z_][\w-]*(?:\.[\w-]+|\[(?:\d+|\*|)\])*"
_REGEX = r"/(?:[^/\\]|\\.)+/[a-z]*"
_VALUE = rf"{QUOTED}|{_REGEX}"
_EVENT = r"(?:event|record|evt|e|r|row|log|obj|data|item|x)"
_OBJECT = r"(?:userIdentity|requestParameters|responseElements|additionalEventData|sessionContext)"
# JSONPath's filter on the records of a file.
_ROOT_FILTER = re.compile(
    r"\$(?:\.?\.Records)?(?:\[\*?\])?\.?\[\?\s*\(?(.*?)\)?\s*\](?:\.[\w.*\[\]]+)?", re.DOTALL
)
_ARROW = re.compile(r"(?:\w+\.(?:filter|some|find)\()?\(?([A-Za-z_]\w*)\)?\s*=>\s*(.+?);?", re.DOTALL)
_KEY = re.compile(r"""["']([\w.-]+)["']""")
_ITEM = re.compile(rf"{QUOTED}|[^\s,\[\]]+")
_MODIFIERS = {
    "contains": "CONTAINS",
    "startswith": "STARTSWITH",
    "endswith": "ENDSWITH",
    "re": "=~",
    "cidr": "IN",
}
# The columns of Sentinel's table AWSCloudTrail, and the fields of the Elastic Common Schema:
# learn.microsoft.com/azure/azure-monitor/reference/tables/awscloudtrail
# elastic.co/docs/reference/integrations/aws/cloudtrail
_COLUMNS = {
    "AWSRegion": "awsRegion",
    "ErrorCode": "errorCode",
    "ErrorMessage": "errorMessage",
    "EventName": "eventName",
    "EventSource": "eventSource",
    "EventTypeName": "eventType",
    "ReadOnly": "readOnly",
    "RecipientAccountId": "recipientAccountId",
    "SessionMfaAuthenticated": "userIdentity.sessionContext.attributes.mfaAuthenticated",
    "SourceIpAddress": "sourceIPAddress",
    "UserAgent": "userAgent",
    "UserIdentityAccountId": "userIdentity.accountId",
    "UserIdentityArn": "userIdentity.arn",
    "UserIdentityInvokedBy": "userIdentity.invokedBy",
    "UserIdentityType": "userIdentity.type",
    "UserIdentityUserName": "userIdentity.userName",
    "event.action": "eventName",
    "event.provider": "eventSource",
    "cloud.region": "awsRegion",
    "source.ip": "sourceIPAddress",
    "user.name": "userIdentity.userName",
    "user_agent.original": "userAgent",
    "aws.cloudtrail.error_code": "errorCode",
    "aws.cloudtrail.user_identity.type": "userIdentity.type",
    "aws.cloudtrail.user_identity.arn": "userIdentity.arn",
}


def spelled_out(text: str) -> str:
    """The text with its fields, methods and modifiers as `lenient` reads them."""
    if arrow := _ARROW.fullmatch(text.strip()):
        text = re.sub(rf"(?<![\w.$]){arrow[1]}\??\.(?=\w)", "$.", arrow[2])
    if rooted := _ROOT_FILTER.fullmatch(text.strip()):
        text = rooted[1].replace("@.", "$.")
    for pattern, instead in _SPELLINGS:
        text = pattern.sub(instead, text)
    return text


_Row = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _outside(pattern: str, instead: str | Callable[[re.Match[str]], str]) -> _Row:
    """A row that leaves quoted texts and regexes as they are; its groups count from 2."""
    both = re.compile(rf"({QUOTED}|/(?:[^/\\]|\\.)+/)|{pattern}", re.IGNORECASE)
    return (
        both,
        lambda found: found[1] or (found.expand(instead) if isinstance(instead, str) else instead(found)),
    )


def _lucene(found: re.Match[str]) -> str:
    """`-name:value`, `+name:value`, `@name:value`."""
    sign, at, name = found.group(2, 3, 4)
    if not at and not (sign and re.search(r"[a-z][A-Z]|\.", name)):
        return found[0]
    return f"{'NOT ' if sign in ('-', '!') else ''}$.{name} = "


def _presence(found: re.Match[str]) -> str:
    absent = bool(found[2]) != (found[3].lower() == "missing")
    return f"{'NOT ' if absent else ''}EXISTS $.{found[4]}"


def _key_of(found: re.Match[str]) -> str:
    """`'name' in event` of Python and JavaScript."""
    inside = "".join(f".{name}" for name in _KEY.findall(found["inside"] or ""))
    return f"{'NOT ' if found['not'] else ''}EXISTS ${inside}.{found['name']}"


def _range_limits(found: re.Match[str]) -> str:
    name, low, high = found.groups()
    if "*" in (low, high):
        return f"{name} <= {high}" if low == "*" else f"{name} >= {low}"
    return f"{name} BETWEEN {low} AND {high}"


def _any_element(found: re.Match[str]) -> str:
    """`any(r["type"] == "x" for r in event["resources"])`."""
    return re.sub(rf"(?<![\w.]){found[2]}(?=[\[.])", lambda _: f"{found[3]}[*]", found[1])


def _some_element(found: re.Match[str]) -> str:
    return re.sub(rf"(?<![\w.]){found[2]}\.", lambda _: f"{found[1]}[*].", found[3])


def _function(found: re.Match[str]) -> str:
    """A function of a field and a range of addresses or a regex, in either order."""
    name, one, other = found[1].lower(), found[2].strip(), found[3].strip()
    for field, value in ((one, other), (other, one)):
        if addresses.is_range(value.strip("\"'")):
            return f"{field} IN ({value})"
        if re.fullmatch(PATH, field) and re.fullmatch(_VALUE, value) and _REGEX_FUNCTION.fullmatch(name):
            source = value.rstrip("abcdefghijklmnopqrstuvwxyz")[1:-1]
            if name.endswith(("re.match", "fullmatch")):
                source = f"^{source.removeprefix('^')}"
            either = "(?i)" if re.search(r"re\.I|'i'|\"i\"", found[4] or "") or value.endswith("/i") else ""
            return f"{field} =~ %{either}{source}{'$' if name.endswith('fullmatch') else ''}%"
    return found[0]


_REGEX_FUNCTION = re.compile(
    r"re\.(?:match|search|fullmatch|findall)|preg_match|reg_?ex(?:p|pr)?_?(?:like|contains|match(?:es)?|extract)?|r?like_?regex"
    r"|match(?:es)?(?:_?regex)?|rlike"
)


def _modified(found: re.Match[str]) -> str:
    values = _ITEM.findall(found[4]) if found[4][0] == "[" else [found[4]]
    quoted = [value if value[0] in "\"'" else f'"{value}"' for value in values]
    tests = [f"{found[1]} {_MODIFIERS[found[2]]} {value}" for value in quoted]
    joined = (" AND " if "|all" in found[3] else " OR ").join(tests)
    return f"({joined})" if len(tests) > 1 else joined


def _jq_test(found: re.Match[str]) -> str:
    if re.fullmatch(r"[A-Z]+", found[1]):
        return found[0]  # a word of a log, not a field
    test = (
        f"{found[1]} =~ {found[3]}"
        if found[2] in ("test", "match")
        else f"{found[2]}({found[1]}, {found[3]})"
    )
    return f"NOT ({test})" if found[4] else test


def _as_function(found: re.Match[str]) -> str:
    function = found[3].lower()
    if function in ("lower", "upper", "tolowercase", "touppercase"):
        return f"{found[1]}{function.removesuffix('case')}({found[2]})"
    if function in ("match", "test", "search") or found[4].startswith("/"):
        return f"{found[1]}{found[2]} =~ {found[4]}"
    return f"{found[1]}{function}({found[2]}, {found[4]})"


_SPELLINGS: list[_Row] = [
    (re.compile(r"\A\s*lambda\s+\w+\s*:\s*"), ""),
    (re.compile(r"(?<![\w.\"'])[rbfu@](?=[\"'])"), ""),  # prefixes of Python's and Kusto's texts
    (
        re.compile(
            r"(?:json_extract(?:_scalar|_path_text)?|get_json_object|json_value)\(\s*([\w.]+)\s*,\s*'\$?\.?([^']+)'\s*\)",
            re.IGNORECASE,
        ),
        r"$.\1.\2",
    ),
    (
        re.compile(r"\b([A-Za-z_]\w*)((?:\s*->>?\s*'[\w.]+')+)"),
        lambda found: f"$.{found[1]}.{'.'.join(_KEY.findall(found[2]))}",
    ),
    (re.compile(r"\bany\(\s*(.+?)\s+for\s+(\w+)\s+in\s+(.+?)\s*\)\s*\Z"), _any_element),
    (re.compile(rf"({PATH})\??\.some\(\s*\(?(\w+)\)?\s*=>\s*([^()]+)\)"), _some_element),
    (re.compile(rf"(\[[^\]]*\])\.includes\(\s*({PATH})\s*\)"), r"\2 IN \1"),
    _outside(r"(NOT\s+|[-!])?_(exists|missing)_\s*:\s*\"?([\w.]+)\"?", _presence),
    _outside(r"(?<![\w.@$:=])([-+!]?)(@?)([A-Za-z_][\w.]*)\s*:(?!:|//)\s*(?=\S)", _lucene),
    (re.compile(r"([\w.]+)\s*:\s*[\[{]\s*(\S+)\s+TO\s+([^\s\]}]+)\s*[\]}]"), _range_limits),
    _outside(r":\s*(?=[<>]=?)", " "),
    _outside(r"\\(?=[:+-])", ""),
    (
        re.compile(
            rf"""(["'])(?P<name>[\w.]+)\1\s+(?P<not>not\s+)?in\s+{_EVENT}"""
            rf"""(?P<inside>(?:\[["']{_OBJECT}["']\]|\.get\(["']{_OBJECT}["'][^()]*\))*)(?:\.keys\(\))?(?![\w.\[])"""
        ),
        _key_of,
    ),
    (re.compile(rf"\b{_EVENT}\.hasOwnProperty\([\"']([\w.]+)[\"']\)"), r"EXISTS $.\1"),
    (
        re.compile(rf"\b{_EVENT}((?:\[[\"'][\w.-]+[\"']\]|\.get\([\"'][\w.-]+[\"'](?:,[^()]*)?\))+)"),
        lambda found: "$." + ".".join(_KEY.findall(re.sub(r",[^()]*\)", ")", found[1]))),
    ),
    (re.compile(r"(?<=\])\[[\"'](\w+)[\"']\]"), r".\1"),
    _outside(rf"(?<![\w.$]){_EVENT}\.(?-i:(?=[a-z]+[A-Z]|resources\b))", "$."),
    _outside(r"\?\.(?=[A-Za-z_])", "."),
    _outside(r"(?<![\w$@\])}.*])\.(?=[A-Za-z_])", "$."),
    _outside(
        rf"(?<![\w.$])(?-i:({'|'.join(map(re.escape, _COLUMNS))}))\b(?!\s*\()",
        lambda found: f"$.{_COLUMNS[found[2]]}",
    ),
    _outside(r"(?<=\s)!(?=(?:in|has|contains|startswith|endswith|has_any)\b)", "NOT "),
    _outside(r"(?<=\s)(in)~(?=\s*\()", "IN"),
    _outside(r"\bin\s+cidr\b", "IN"),
    (re.compile(r"(?:ipaddress\.)?ip_(?:network|address)\(([^()]*)\)"), r"\1"),
    (
        re.compile(rf"([\w.]+)\(\s*({_VALUE}|[^,()'\"]+)\s*,\s*({_VALUE}|[^,()'\"]+)\s*(,[^()]*)?\)"),
        _function,
    ),
    (re.compile(rf"({_REGEX})\.test\(\s*({PATH})\s*\)"), r"\2 =~ \1"),
    (re.compile(rf"\bNOT\s+(?:matches\s+regex|REGEXP|RLIKE)\s+(?={_VALUE})", re.IGNORECASE), "!~ "),
    (re.compile(rf"\b(?:matches\s+regex|REGEXP|RLIKE)\s+(?={_VALUE})", re.IGNORECASE), "=~ "),
    (
        re.compile(
            rf"({PATH})\s*\|\s*(test|match|startswith|endswith|contains)\(\s*({QUOTED})[^()]*\)(\s*\|\s*not\b)?"
        ),
        _jq_test,
    ),
    (
        re.compile(
            r"((?:not\s+)?)([$@]?\.?[A-Za-z_][\w.\[\]-]*?)\.(lower|upper|toLowerCase|toUpperCase|startswith|startsWith"
            r"|endswith|endsWith|contains|includes|matches|match|search)\(([^()]*)\)"
        ),
        _as_function,
    ),
    (
        re.compile(
            rf"([A-Za-z_][\w.-]*)\|({'|'.join(_MODIFIERS)})((?:\|\w+)*)\s*:\s*(\[[^\]]*\]|{QUOTED}|[^\s&)}}]+)"
        ),
        _modified,
    ),
]
