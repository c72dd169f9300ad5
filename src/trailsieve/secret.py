"""Secrets are masked in everything that is printed or stored.

A value that a configuration refers to is shown as the reference, `${NAME}`, so that messages still say which
setting they are about.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from typing import Annotated, Any, get_args
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

Secret = Annotated[str, "secret"]
SecretUrl = Annotated[str, "secret URL"]  # who knows the URL can use it
SHORTEST = 6  # characters; shorter values occur in any text

_IN_A_PATH = "/:?#[]@!$&'()*+,;=~"  # RFC 3986: allowed unescaped in a URL
_SHORTEST_PART = 4  # characters: the shortest part of a truncated secret to mask
_SHORTEST_SEGMENT = 12  # characters: words such as `services` in a URL's path are shorter than tokens

_lock = threading.Lock()
_known: dict[str, str] = {}  # replaced, never changed: `masked` reads it in every thread
_pattern: re.Pattern[str] | None = None


def hide(value: str, shown: str) -> None:
    """Masks `value` as `shown` from now on, also where it is quoted, or part of a text in base64."""
    if len(value) >= SHORTEST and value not in _known:
        _remember({form: shown for form in _forms(value) if form not in _known})


def forget(value: str) -> None:
    """Masks `value` no longer: a token that has been renewed."""
    _remember({}, frozenset(_forms(value)))


def hide_in(hint: Any, value: object, name: str) -> None:
    """Hides every value that its type hint calls a `Secret` or a `SecretUrl`, at any depth."""
    if isinstance(value, list):
        for item in value:
            hide_in(hint, item, name)
    elif isinstance(value, dict):
        for key, item in value.items():
            hide_in(hint, item, f"{name}.{key}")
    elif isinstance(value, str):
        if _mentions(hint, get_args(Secret)[1]):
            hide(value, f"({name})")
        if _mentions(hint, get_args(SecretUrl)[1]):
            hide_url(value, f"({name})")


def hide_url(url: str, shown: str) -> None:
    """Hides a URL, and those parts of it that are long enough to be tokens, whatever their names."""
    hide(url, shown)
    try:
        parts = urlsplit(url)
    except ValueError:  # not a URL: the settings report it
        return
    hide_login(url, shown)
    texts = [*parts.path.split("/"), *(text for _, text in parse_qsl(parts.query))]
    for text in (parts.path, f"{parts.path}?{parts.query}", *texts):
        if len(text) >= _SHORTEST_SEGMENT:
            hide(unquote(text), shown)


def hide_login(url: str, shown: str) -> None:
    """Hides the password in a URL such as a proxy's."""
    hide(unquote(urlsplit(url).password or ""), shown)


def hide_credentials(header: str, shown: str) -> None:
    """Hides the value of a header such as Authorization, with and without its scheme."""
    hide(header, shown)
    hide(header.partition(" ")[2], shown)


def masked(text: str) -> str:
    """`text` with all hidden values masked, also those that an ellipsis truncates."""
    known, pattern = _known, _pattern
    if not pattern:
        return text
    *cut, last = pattern.sub(lambda found: known.get(found[0], "…"), text).split("…")
    return "…".join([*(_masked_end(part, known) for part in cut), last])


def _remember(added: dict[str, str], removed: frozenset[str] = frozenset()) -> None:
    global _known, _pattern  # noqa: PLW0603
    with _lock:
        _known = {form: shown for form, shown in (_known | added).items() if form not in removed}
        # The longest first: one secret may begin with another.
        forms = sorted(_known, key=len, reverse=True)
        _pattern = re.compile("|".join(map(re.escape, forms))) if forms else None


def _forms(value: str) -> Iterator[str]:
    """The ways in which a receiver may write a value."""
    yield value
    # Not orjson: a value of the environment may hold lone surrogates, and others write JSON in ASCII.
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1])
    yield from (quote(value, safe=""), quote(value), quote_plus(value), quote(value, safe=_IN_A_PATH))
    raw = value.encode("utf-8", "surrogatepass")
    yield from filter(lambda form: len(form) >= SHORTEST, (raw.hex(), *_in_base64(raw)))


def _in_base64(raw: bytes) -> Iterator[str]:
    """The characters that `raw` alone decides in the base64 of a longer text, such as `user:password`."""
    for before in range(3):
        bits = 8 * before
        first, last = -(-bits // 6), (bits + 8 * len(raw)) // 6
        coded = base64.b64encode(b"\0" * before + raw).decode()[first:last]
        yield coded
        yield coded.translate({ord("+"): "-", ord("/"): "_"})


def _mentions(hint: Any, mark: str) -> bool:
    """Whether a type hint has this annotation or contains one that has it, as `tuple[Secret, ...] | None`."""
    return hint == mark or any(_mentions(part, mark) for part in get_args(hint))


def _masked_end(text: str, known: dict[str, str]) -> str:
    """`text` with the beginning of a hidden value at its end masked."""
    for form, shown in known.items():
        for length in range(min(len(form), len(text)), _SHORTEST_PART - 1, -1):
            if text.endswith(form[:length]):
                return text[:-length] + shown
    return text
