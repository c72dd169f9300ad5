"""Commands behind pipes, as Kusto, Splunk and shells have them, and the pattern for their conditions."""

from __future__ import annotations

import re

from trailsieve.errors import UnclearError
from trailsieve.pattern import lenient, nodes
from trailsieve.pattern.lenient_conditions import conditions, only_time
from trailsieve.pattern.lenient_spelling import QUOTED
from trailsieve.pattern.lenient_text import read_terms
from trailsieve.pattern.lenient_tokens import plain_regex

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
_PLAIN = re.compile(r"[\w./:@=, -]+")


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
    parts = [part for part in parts if not only_time(part)]
    if first and _TABLE.fullmatch(first):
        parts = list(map(_as_written, parts))
    inner = list(map(conditions, parts))
    if not all(inner):
        raise UnclearError
    return nodes.JsonPattern(lenient.read(" && ".join(f"({one})" for one in inner)))


def _as_written(part: str) -> str:
    """Kusto's `=~`, which compares in either case."""
    return re.sub(r"!~\s*(?=[\"'])", "NOT ILIKE ", re.sub(r"=~\s*(?=[\"'])", "ILIKE ", part))


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
    """One term for each grep, or one regex for a single grep."""
    if begin := _FIRST_GREP.fullmatch(first):
        steps = [(begin[1], begin[2]), *steps]
    terms = [] if begin or _SOURCE.fullmatch(first) else [_term(first, "required")]
    greps = [_ARGUMENTS.fullmatch(arguments) for command, arguments in steps if command in _GREP]
    if any(command in _WHERE for command, _ in steps):
        raise UnclearError
    for place, found in enumerate(greps):
        flags = set(found[1]) - set("- FnHhwco") if found else {"?"}
        if not found or flags - set("viEeP"):
            raise UnclearError
        text = _without_quotes(found[2], files=bool(begin) and place == 0)
        alone = len(greps) == 1 and not terms
        if alone and "v" not in flags and ("i" in flags or not _PLAIN.fullmatch(text)):
            return nodes.RegexPattern(nodes.Regex(plain_regex(text, "i" if "i" in flags else "")))
        terms.append(_term(text, "excluded" if "v" in flags else "required"))
    return nodes.TextPattern(tuple(terms))


def _without_quotes(text: str, *, files: bool) -> str:
    """What grep looks for; the files after it are left out."""
    if quoted := re.match(r"""\"([^\"]*)\"|'([^']*)'""", text):
        return quoted[1] or quoted[2] or ""
    return text.split(maxsplit=1)[0] if files else text


def _term(text: str, role: nodes.TermRole) -> nodes.TextTerm:
    text = _without_quotes(text, files=False)
    if not _PLAIN.fullmatch(text) or text.startswith("-"):
        raise UnclearError("terms cannot be combined with a regex")
    return nodes.TextTerm(text, role, not re.fullmatch(r"[\w.]+", text))
