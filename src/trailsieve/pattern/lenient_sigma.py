"""The detection of a Sigma rule: groups of tests, and a condition that joins them by name."""

from __future__ import annotations

import re

_CONDITION = re.compile(r"(?m)^\s*condition\s*:\s*(.+?)\s*$")
_NAME = re.compile(r"\s*([A-Za-z_][\w.]*(?:\|\w+)*)\s*:\s*(.*?)\s*")
_OF = re.compile(r"\b(1|all)\s+of\s+(them|\w+\*?)")
_GROUP = re.compile(r"(?m)^\s*(\w+)\s*:\s*$")
_ITEM = re.compile(r"\s*-\s+(.+?)\s*")
_JOINS = re.compile(r"(?:and|or|not)", re.IGNORECASE)


def detection(text: str) -> str:
    """The conditions of a detection as `lenient` reads them, or "" for another text."""
    found = _CONDITION.search(text)
    if not found:
        return ""
    condition = _OF.sub(lambda one: _expanded(one, text), found[1])
    names = set(re.findall(r"\w+", condition)) - set(_JOINS.findall(condition))
    groups = _groups(text[: found.start()] + text[found.end() :], names)
    if not names or not all(groups.get(name) for name in names):
        return ""
    return re.sub(
        r"\w+", lambda word: f"({_all_of(groups[word[0]])})" if word[0] in names else word[0], condition
    )


def _expanded(found: re.Match[str], text: str) -> str:
    """`1 of selection*` as the names of its groups, joined."""
    begin = "" if found[2] == "them" else found[2].rstrip("*")
    names = [name for name in _GROUP.findall(text) if name.startswith(begin) and name != "detection"]
    return f"({(' or ' if found[1] == '1' else ' and ').join(names)})" if names else found[0]


def _groups(text: str, names: set[str]) -> dict[str, dict[str, list[str]]]:
    """The values of each test of each group; a group with anything else is left out."""
    groups: dict[str, dict[str, list[str]]] = {}
    group: dict[str, list[str]] = {}
    values: list[str] = []
    depth = 0
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        if item := _ITEM.fullmatch(line):
            if _NAME.fullmatch(item[1]):
                return {}  # alternatives of several tests
            values.append(item[1])
        elif (name := _NAME.fullmatch(line)) and name[1] in names and not name[2]:
            group = groups[name[1]] = {}
            depth = indent
        elif name:
            group = group if indent > depth else {}  # what follows the group
            values = group[name[1]] = [name[2]] if name[2] else []
    return groups


def _all_of(tests: dict[str, list[str]]) -> str:
    return " && ".join(_any_of(name, values) for name, values in tests.items())


def _any_of(name: str, values: list[str]) -> str:
    quoted = ", ".join(value if value[0] in "\"'[" else f'"{value}"' for value in values)
    written = quoted if quoted.startswith("[") else f"[{quoted}]"
    return f"{name}: {written}" if "|" in name else f"{name} IN {written}"
