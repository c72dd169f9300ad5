"""Regular expressions of filter patterns: what AWS allows in them, and matching in linear time.

User text never reaches Python's `re`, which can take exponential time; RE2 is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LITERALS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_#=@/;,-")
OPERATORS = frozenset("^$?[]{}|\\*+.")  # rule 18
_ESCAPES = frozenset("dDwWsS")  # rule 19; \xhh is checked on its own
_MAX_GROUPS = 3  # that are written out
_MAX_MEMORY = 1 << 24  # bytes of one compiled regex; far above what 1,024 characters need


@dataclass(frozen=True, slots=True)
class RegexProblem:
    """Why a regex is refused, and at which offset of its source."""

    offset: int
    message: str
    hint: str = ""


def check_regex(source: str) -> RegexProblem | None:
    """What AWS would refuse in the text between the percent signs (rules 18 and 20), or None."""
    if not source:
        return RegexProblem(0, "an empty regex", "write what to search for between the % signs")
    return _check_characters(source) or _check_compiles(source)


def in_either_case(source: str) -> str:
    """The regex with `[Xx]` for each letter, since there are no flags; "" if it has classes of its own."""
    if "[" in source:
        return ""
    pieces = re.findall(r"\\x..|\\.|.", source)
    return "".join(f"[{c.upper()}{c.lower()}]" if len(c) == 1 and c.isalpha() else c for c in pieces)


def without_groups(source: str) -> str:
    """The regex with each `(a|b)` written out as alternatives; "" if a group is repeated or nested."""
    source = source.replace("(?:", "(")
    pieces = re.split(r"\(([^()]*)\)(?![*+?{])", source)
    if any(sign in piece for piece in pieces for sign in "()") or len(pieces) > 2 * _MAX_GROUPS + 1:
        return ""
    outside, groups = pieces[::2], [piece.split("|") for piece in pieces[1::2]]
    if groups and any("|" in piece for piece in outside):
        return ""
    found = (
        "".join(f"{text}{chosen}" for text, chosen in zip(outside, (*choice, ""), strict=True))
        for choice in product(*groups)
    )
    return "|".join(found)


_NO_LOOK_AHEAD = "there is no look-ahead; compare with != for what a text must not be"


def _check_characters(source: str) -> RegexProblem | None:
    offset = 0
    while offset < len(source):
        character = source[offset]
        if character not in LITERALS and character not in OPERATORS:
            hint = _NO_LOOK_AHEAD if source.startswith("(?!", offset) else _hint(character)
            return RegexProblem(offset, f"a regex cannot contain {_name(character)}", hint)
        if character == "\\":
            problem = _check_escape(source, offset)
            if problem:
                return problem
            offset += 1
        offset += 1
    return None


def _check_escape(source: str, offset: int) -> RegexProblem | None:
    escaped = source[offset + 1 : offset + 2]
    if not escaped:
        return RegexProblem(offset, "nothing follows this backslash", r"write \\ for a backslash")
    if escaped not in LITERALS and escaped not in OPERATORS:
        return RegexProblem(
            offset + 1, f"a regex cannot contain {_name(escaped)}, not even escaped", _hint(escaped)
        )
    if escaped in _ESCAPES or not escaped.isalnum():
        return None
    if escaped == "x":
        digits = source[offset + 2 : offset + 4]
        if len(digits) == 2 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
            return None
        return RegexProblem(offset, r"\x needs two hexadecimal digits", r"for instance \x20, a blank")
    return RegexProblem(
        offset, f"unknown escape \\{escaped}", r"supported are \d \D \w \W \s \S \xhh and escaped operators"
    )


def _check_compiles(source: str) -> RegexProblem | None:
    try:
        _compile(source)
    except ValueError as error:
        return RegexProblem(0, f"failed to compile this regex: {error}", "")
    return None


def _name(character: str) -> str:
    if character == " ":
        return "a blank"
    if character.isprintable():
        return f"`{character}`" + ("" if character.isascii() else " (ASCII only)")
    return f"the character U+{ord(character):04X}"


def _hint(character: str) -> str:
    match character:
        case " ":
            return r"write \s or \x20 for a blank"
        case "(" | ")":
            return r"there are no groups; use | or [ ], and \x28 \x29 for literal parentheses"
        case _ if character.isascii():
            return rf"write \x{ord(character):02x}"
        case _:
            return "use . for one such character"


@lru_cache(maxsize=4096)
def _compile(source: str) -> Callable[[str], object]:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        compiled = re2.compile(source, options)
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        raise ValueError(detail.decode() if isinstance(detail, bytes) else str(detail)) from None
    return compiled.search  # type: ignore[no-any-return]


def searcher(source: str) -> Callable[[str], bool]:
    """A function that returns whether the regex matches anywhere in a text (rule 19)."""
    search = _compile(source)

    def found(text: str) -> bool:
        try:
            return search(text) is not None
        except UnicodeEncodeError:
            # A lone surrogate has no UTF-8 form; it counts as any one character.
            return search(text.encode("utf-8", "replace").decode()) is not None

    return found
