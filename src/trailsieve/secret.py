"""Values that must never be shown: whatever is printed or kept passes through `masked`.

A value that a configuration took from elsewhere is shown as the mark that took it, `${NAME}`: so a message
still says which setting it is about.
"""

from __future__ import annotations

import json
import re
from urllib.parse import quote, quote_plus

SHORTEST = 6  # characters; shorter values stand in any text and are no secrets

_known: dict[str, str] = {}
_pattern: re.Pattern[str] | None = None


def hide(value: str, shown: str) -> None:
    """From now on `value` is shown as `shown`, also where it is quoted for a URL, JSON or Python."""
    global _pattern  # noqa: PLW0603
    if len(value) < SHORTEST or value in _known:
        return
    forms = (value, quote(value, safe=""), quote(value), quote_plus(value), json.dumps(value)[1:-1])
    for form in (*forms, json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]):
        _known.setdefault(form, shown)
    # The longest first: one secret may begin with another.
    _pattern = re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))))


def masked(text: str) -> str:
    """`text` without any value that is hidden."""
    return _pattern.sub(lambda found: _known[found[0]], text) if _pattern else text
