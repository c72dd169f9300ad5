"""Secrets are masked in everything that is printed or stored.

A value that a configuration refers to is shown as the reference, `${NAME}`, so that messages still say which
setting they are about.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote, quote_plus

_IN_A_PATH = "/:?#[]@!$&'()*+,;=~"  # RFC 3986: allowed unescaped in a URL
_SHORTEST_PART = 4  # characters: the shortest part of a truncated secret to mask
SHORTEST = 6  # characters; shorter values occur in any text

_known: dict[str, str] = {}
_pattern: re.Pattern[str] | None = None


def hide(value: str, shown: str) -> None:
    """Masks `value` as `shown` from now on, also where it is quoted for a URL, JSON or Python."""
    global _pattern  # noqa: PLW0603
    if len(value) < SHORTEST or value in _known:
        return
    # Not orjson: a value of the environment may hold lone surrogates, and others write JSON in ASCII.
    as_json = (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    in_url = (quote(value, safe=""), quote(value), quote_plus(value), quote(value, safe=_IN_A_PATH))
    for form in (value, *as_json, *in_url):
        _known.setdefault(form, shown)
    # The longest first: one secret may begin with another.
    _pattern = re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))))


def masked(text: str) -> str:
    """`text` with all hidden values masked, also those that an ellipsis truncates."""
    if not _pattern:
        return text
    *cut, last = _pattern.sub(lambda found: _known[found[0]], text).split("…")
    return "…".join([*map(_masked_end, cut), last])


def _masked_end(text: str) -> str:
    """`text` with the beginning of a hidden value at its end masked."""
    for form, shown in _known.items():
        for length in range(min(len(form), len(text)), _SHORTEST_PART - 1, -1):
            if text.endswith(form[:length]):
                return text[:-length] + shown
    return text
