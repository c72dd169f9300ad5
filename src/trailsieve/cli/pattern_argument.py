"""A PATTERN argument; packs and rules are only imported if it looks like one of their names."""

from __future__ import annotations

import re

from trailsieve.errors import UsageError
from trailsieve.pattern.compiler import FilterPattern, compile

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-.][a-z0-9]+)+")


def compiled(text: str, *, limits: bool) -> FilterPattern:
    """The compiled pattern.

    Raises:
        PatternError: the pattern is invalid.
        UsageError: the text is the name of a rule or pack or similar to one, not a text pattern.
    """
    if looks_like_a_name(text, starts=True):
        raise UsageError(
            f"{text!r} looks like the name of a rule or pack, but this command takes a pattern; "
            f"`trailsieve rules show {text}` shows its pattern, quotes make it a text pattern: '\"{text}\"'"
        )
    return compile(text, limits=limits)


def is_hyphenated_name(text: str) -> bool:
    """Whether a word is written as most rule ids are, such as `root-login` or `cis-aws-4.1`."""
    return "-" in text and bool(_NAME.fullmatch(text))


def looks_like_a_name(text: str, *, starts: bool = False) -> bool:
    """Whether a word is so similar to the name of a pack or rule that it is hardly a text pattern.

    Args:
        starts: whether the name of a built-in pack at the start is enough.
    """
    if not _NAME.fullmatch(text):
        return False
    from difflib import get_close_matches

    from trailsieve.rules.load import built_in

    if starts and text.startswith(tuple(built_in())):
        return True
    return bool(get_close_matches(text, [*built_in(), "cis-aws-4.1"], 1, 0.7))
