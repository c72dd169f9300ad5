"""Counts over time as one line of small bars."""

from __future__ import annotations

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_ASCII = ".:-=+*#@"


def sparkline(counts: Sequence[int], encoding: str | None) -> str:
    """A bar for each count, blank for none; in ASCII where the encoding lacks the bars."""
    bars = _BARS if can_show(_BARS, encoding) else _ASCII
    most = max(counts, default=0)
    return "".join(bars[(count * len(bars) - 1) // most] if count else " " for count in counts)


def can_show(text: str, encoding: str | None) -> bool:
    """Whether an encoding has every character of a text."""
    try:
        text.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
