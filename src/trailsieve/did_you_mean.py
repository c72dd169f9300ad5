"""Suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(given: str, known: Iterable[str], count: int = 1) -> str:
    """A question such as "did you mean `a`, `b`?" with up to `count` similar names; "" if none is similar."""
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), count)
    return f"did you mean {', '.join(f'`{name}`' for name in close)}?" if close else ""
