"""What a proposed pattern leaves out or changes, in one sentence each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from trailsieve.pattern import nodes
from trailsieve.pattern.lenient_conditions import names_a_time
from trailsieve.pattern.render import quoted, render

_WILDCARDS = re.compile(r"\[\*?\][^\s=<>!\[]*\[\*?\]|\.\*[^\s=<>!]*\.\*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|%[^%]*%')
_Test = Callable[[str, str], object]  # of what was written and of what is proposed


def _written(pattern: str, flags: re.RegexFlag = re.IGNORECASE) -> _Test:
    found = re.compile(pattern, flags)
    return lambda text, _: found.search(text)


def _conditions(text: str) -> str:
    return _QUOTED.sub("", text)


_REMARKS: list[tuple[_Test, str]] = [
    (
        lambda text, meant: (
            "NOT EXISTS" in _conditions(meant)
            and "!=" in meant
            and not re.search(r"exist|null|missing|undefined|present", text, re.IGNORECASE)
        ),
        "!= is false of an event without the field, `NOT EXISTS` keeps these events",
    ),
    (
        _written(r"\bis\s+not\s+(?:true|false)\b"),
        "an event without the field is not true and not false either: `NOT EXISTS` keeps these events",
    ),
    (
        lambda text, meant: meant[:1] not in "{[%" and re.match(r"\{|.*\$\.", text),
        "a term finds a text anywhere in the event, here in compact JSON",
    ),
    (
        lambda text, meant: meant.startswith("[line ") and not text.startswith("["),
        "a pattern of one column takes conditions on the whole line",
    ),
    (
        _written(r"\d\s*(?:[kmgt]i?b?)\b(?!\s*[\"'*])"),
        "numbers have no units: 1 kB is 1024 bytes here, 1 MB 1048576",
    ),
    (
        lambda text, _: text[:1] not in "{[%" and names_a_time(text),
        "conditions on the time are left out: `trailsieve replay --since` selects events by time",
    ),
    (
        lambda text, meant: re.search(r"\bgrep\s+(?:-\w+\s+)*-\w*i", text) and not meant.startswith("%"),
        "case counts: a term has one spelling, and terms cannot be combined with a regex such as %[Ee]rror%",
    ),
    (
        lambda text, meant: meant.startswith("-") and text[:1] != "!",
        "on a command line write -- before a pattern that begins with -",
    ),
]


def remarks(text: str, meant: str, tree: nodes.Pattern) -> tuple[str, ...]:
    """What to know of a pattern that is proposed for a refused text.

    Args:
        text: what was written.
        meant: the pattern that is proposed.
        tree: the same with all its wildcards (rule 25).
    """
    found = [remark for test, remark in _REMARKS if test(text, meant)]
    if isinstance(tree, nodes.JsonPattern) and _WILDCARDS.search(render(tree)):
        found.append(_first_element(tree))
    return tuple(found)


def _first_element(tree: nodes.JsonPattern) -> str:
    """What [0] instead of [*] misses, and a text pattern that does not, if there is one."""
    terms = list(nodes.terms_of(tree.expression))
    equal = [quoted(text) if (text := as_text(term)) else "" for term in terms]
    if isinstance(tree.expression, nodes.Or) or not all(equal):
        return "[0] looks at the first element only"
    return f"[0] looks at the first element only; as text, in any element (compact JSON): {' '.join(equal)}"


def as_text(term: nodes.Term) -> str:
    """The text of a name with its value in compact JSON; "" for a number, which may go on."""
    if not isinstance(term, nodes.Comparison) or term.operator != "=":
        return ""
    name = term.target.steps[-1] if isinstance(term.target, nodes.Selector) else None
    if not isinstance(name, str) or not isinstance(term.value, nodes.String) or "*" in term.value.text:
        return ""
    return f'"{name}":{json.dumps(term.value.text, ensure_ascii=False)}'
