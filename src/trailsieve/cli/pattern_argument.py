"""A PATTERN argument; packs and rules are only imported if it looks like one of their names."""

from __future__ import annotations

import re

from trailsieve.pattern.compiler import FilterPattern, compile

NAME = re.compile(r"[a-z][a-z0-9]*(?:[-.][a-z0-9]+)+")


def compiled(text: str, *, limits: bool) -> FilterPattern:
    """The compiled pattern.

    Raises:
        PatternError: the pattern is invalid.
        UsageError: the text is the name of a rule or pack or similar to one, not a text pattern.
    """
    if NAME.fullmatch(text):
        from trailsieve.cli.named import refuse_names

        refuse_names(text)
    return compile(text, limits=limits)
