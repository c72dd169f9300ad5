"""The detection of a Sigma rule: groups of tests, and a condition that joins them by name."""

from __future__ import annotations

import re

_CONDITION = re.compile(r"(?m)^\s*condition\s*:\s*(.+?)\s*$")
_NAME = re.compile(r"\s*([A-Za-z_][\w.]*(?:\|\w+)*)\s*:\s*(.*?)\s*")
_ITEM = re.compile(r"\s*-\s+(.+?)\s*")
_JOINS = re.compile(r"(?:and|or|not)", re.IGNORECASE)


def detection(text: str) -> str:
    """The conditions of a detection as `lenient` reads them, or "" for another text."""
    found = _CONDITION.search(text)
    if not found:
        return ""
    names = set(re.findall(r"\w+", found[1])) - set(_JOINS.findall(found[1]))
    groups = _groups(text[: found.start()] + text[found.end() :], names)
    if not names or not all(groups.get(name) for name in names):
        return ""
    return re.sub(
        r"\w+", lambda word: f"({_all_of(groups[word[0]])})" if word[0] in names else word[0], found[1]
    )


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
