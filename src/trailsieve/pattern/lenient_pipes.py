"""Commands behind pipes, as Kusto, Splunk and shells have them, and the pattern for their conditions."""

from __future__ import annotations

import re

from trailsieve.errors import UnclearError
from trailsieve.pattern import lenient, nodes
from trailsieve.pattern.lenient_conditions import conditions
from trailsieve.pattern.lenient_spelling import QUOTED
from trailsieve.pattern.lenient_text import read_terms

_WHERE = ("where", "filter", "search")
_GREP = ("grep", "egrep", "fgrep")
_COUNTED = ("count", "stats", "summarize", "timechart", "top", "rare", "wc", "uniq")
_SHOWN = ("sort", "order", "limit", "head", "tail", "take", "table", "project", "fields", "dedup", "less")
_CHANGED = ("eval", "extend", "rename", "join", "lookup", "awk", "sed", "cut", "xargs", "jq", "rex")
_COMMANDS = "|".join((*_WHERE, *_GREP, *_COUNTED, *_SHOWN, *_CHANGED))
_PIPE = re.compile(rf"({QUOTED})|(?<!\|)\|\s*({_COMMANDS})\b(?!\s*[=:|])")
_TABLE = re.compile(r"\w+|\*|")
_SOURCE = re.compile(r"(?:cat|zcat|tail)\s+(?:-\w+\s+)*\S+")
_FIRST_GREP = re.compile(r"([ef]?grep)\s+(.+)", re.DOTALL)
_ARGUMENTS = re.compile(r"((?:-\w+\s+)*)(?:--\s+)?(.+)", re.DOTALL)
_PLAIN = re.compile(r"[\w./:@= -]+")


def is_pipeline(text: str) -> bool:
    """Whether a command of another language follows a pipe."""
    return len(_stages(text)) > 1 or _FIRST_GREP.fullmatch(text) is not None


def read(text: str) -> nodes.Pattern:
    """The pattern for the conditions among the commands; what only counts, sorts or shows is left out.

    Raises:
        UnclearError: there is none, or a command changes the events before a condition.
    """
    (_, first), *steps = _stages(text)
    if any(command in _CHANGED for command, _ in steps):
        raise UnclearError
    counted = next((place for place, (command, _) in enumerate(steps) if command in _COUNTED), len(steps))
    if any(command in (*_WHERE, *_GREP) for command, _ in steps[counted:]):
        raise UnclearError  # a condition on the count
    if any(command in _GREP for command, _ in steps) or _FIRST_GREP.fullmatch(first):
        return _searched(first, steps)
    parts = [condition for command, condition in steps if command in _WHERE]
    if not parts and not conditions(first):
        return read_terms(first)
    if not (parts and _TABLE.fullmatch(first)):
        parts.insert(0, first)
    inner = [conditions(part) for part in parts]
    if not all(inner):
        raise UnclearError
    return nodes.JsonPattern(lenient.read(" && ".join(f"({one})" for one in inner)))


def _stages(text: str) -> list[tuple[str, str]]:
    """Each command with its arguments; the first has no command."""
    pipes = [found for found in _PIPE.finditer(text) if found[2]]
    starts = [0, *(found.end() for found in pipes)]
    ends = [*(found.start() for found in pipes), len(text)]
    commands = ["", *(found[2] for found in pipes)]
    return [
        (command, text[start:end].strip()) for command, start, end in zip(commands, starts, ends, strict=True)
    ]


def _searched(first: str, steps: list[tuple[str, str]]) -> nodes.Pattern:
    """One term for each grep."""
    if begin := _FIRST_GREP.fullmatch(first):
        steps.insert(0, (begin[1], begin[2]))
    terms = [] if begin or _SOURCE.fullmatch(first) else [_term(first, "required")]
    for command, arguments in steps:
        found = _ARGUMENTS.fullmatch(arguments)
        if command in _GREP and found:
            flags = set(found[1]) - set("- FnHhw")
            if flags - set("viEeP"):
                raise UnclearError
            terms.append(_term(found[2], "excluded" if "v" in flags else "required"))
        elif command in _WHERE:
            raise UnclearError
    return nodes.TextPattern(tuple(terms))


def _term(text: str, role: nodes.TermRole) -> nodes.TextTerm:
    in_quotes = re.fullmatch(r""""([^"]*)"|'([^']*)'""", text)
    content = (in_quotes[1] or in_quotes[2] or "") if in_quotes else text
    if not _PLAIN.fullmatch(content) or content.startswith("-"):
        raise UnclearError
    return nodes.TextTerm(content, role, not re.fullmatch(r"[\w.]+", content))
