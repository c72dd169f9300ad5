"""Filters of jq: the conditions in `select`, with whole paths."""

from __future__ import annotations

import re

from trailsieve.pattern.lenient_spelling import QUOTED

_COMMAND = re.compile(r"(?:\S+\s*\|\s*)?jq\s+(?:-\w+\s+)*(['\"])(.+)\1\s*[^'\"]*", re.DOTALL)
_BEGINS = re.compile(r"\[?\s*(?:\.|select\s*\(|map\s*\()")
_CALL = re.compile(r"(select|map|any|all)\s*\((.*)\)\s*\]?", re.DOTALL)
_RECORDS = re.compile(r"\.(?:Records)?(?:\[\])?\??")
_PATH = re.compile(r"(\.[A-Za-z_][\w.\[\]?]*)")
_FIELD = re.compile(rf"({QUOTED})|(?<![\w$@\])}}.*?])\.(?=[A-Za-z_])")
_ITSELF = re.compile(rf"({QUOTED})|(?<![\w\])}}.*?])\.(?=\s*(?:[=!<>|]|$))")
_NULL = re.compile(r"(\.[\w.]+)\s*==\s*null\b")  # jq reads an absent field as null
_DEFAULT = re.compile(
    r"\((\.[\w.\[\]]+)\s*//\s*(?:\"\"|\[\]|false|null)\s*\)|(\.[\w.\[\]]+)\s*//\s*(?:\"\"|false)"
)
_ANY = re.compile(r"(?:(\.[\w.\[\]]+)\s*\|\s*any\(|any\(\s*(\.[\w.]+\[\])\s*;)([^()]*)\)")
_NOT = re.compile(r"(\.[A-Za-z_][\w.]*)\s*\|\s*not\b")
_TEST = r"(?:test|match|startswith|endswith|contains)\(\s*(?:\"[^\"]*\")[^()]*\)"
_SEVERAL = re.compile(rf"(\.[\w.\[\]]+)\s*\|\s*({_TEST}(?:\s+(?:or|and)\s+{_TEST})+)")
_IN = re.compile(r"\|\s*(?:IN|inside)\s*(?=\()")


def selected(text: str) -> str:
    """The conditions of a filter, "" for a text that is not one of jq."""
    if command := _COMMAND.fullmatch(text):
        text = command[2]
    if not _BEGINS.match(text) or not re.search(r"\b(?:select|any|map)\s*\(", text):
        return ""
    return " && ".join(_conditions(text.strip().removeprefix("[").strip(), ""))


def _conditions(text: str, path: str) -> list[str]:
    """The conditions of each stage; fields are below what the stages before it select."""
    found: list[str] = []
    for stage in _stages(text):
        if call := _CALL.fullmatch(stage):
            inner = _conditions(call[2], path) if call[1] == "map" else []
            found += inner or [f"({_below(call[2], path)})"]
        elif not found and _RECORDS.fullmatch(stage):
            continue
        elif not found and (step := _PATH.fullmatch(stage)):
            path += step[1].replace("?", "").replace("[]", "[*]")
    return found


def _below(condition: str, path: str) -> str:
    text = condition.replace("[]?", "[]")
    text = _DEFAULT.sub(lambda found: found[1] or found[2], text)
    text = _ANY.sub(lambda found: _below(found[3], _each(found[1] or found[2])), text)
    text = _NOT.sub(r"(NOT EXISTS $\1)", text)
    text = _SEVERAL.sub(lambda found: f"({re.sub(_TEST, lambda t: f'{found[1]} | {t[0]}', found[2])})", text)
    text = _NULL.sub(r"(\1 NOT EXISTS || \1 IS NULL)", text)
    text = _IN.sub("IN ", text)
    text = _FIELD.sub(lambda found: found[1] or f"${path}.", text)
    return _ITSELF.sub(lambda found: found[1] or f"${path}", text) if path else text


def _each(path: str) -> str:
    return path.removesuffix("[]") + "[*]"


def _stages(text: str) -> list[str]:
    """The parts between pipes that are not in quotes or brackets."""
    stages, depth = [""], 0
    for found in re.finditer(rf"{QUOTED}|.", text, re.DOTALL):
        depth += (found[0] in "([{") - (found[0] in ")]}")
        if found[0] == "|" and depth == 0:
            stages.append("")
        else:
            stages[-1] += found[0]
    return [stage.strip() for stage in stages]
