"""Where the values of a JSON text begin and end, without decoding them.

The slow, forgiving way into a file that the fast decoder refuses: one odd record then costs itself and not
its file. Works on any bytes, at any nesting depth, in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A string is taken to its end or, unclosed, to the end of the text: no byte is looked at twice.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{}\[\],:]|[^\s"{}\[\],:]++', re.DOTALL)
_OPENING = b"{["
_CLOSING = b"}]"

Span = tuple[int, int]


class TruncatedError(Exception):
    """The text ends inside a value; `start` is where that value begins."""

    def __init__(self, start: int) -> None:
        super().__init__(f"ends inside the value that begins at byte {start}")
        self.start = start


def values(data: bytes) -> Iterator[Span]:
    """Spans of the values that stand one after another: a JSON text, or several.

    Raises:
        TruncatedError: when the text ends inside a value.
    """
    depth, begin = 0, 0
    for token in _TOKEN.finditer(data):
        mark = data[token.start() : token.start() + 1]
        if depth == 0:
            begin = token.start()
        if mark in _OPENING:
            depth += 1
        elif mark in _CLOSING:
            depth = max(0, depth - 1)
        if depth == 0:
            yield begin, token.end()
    if depth:
        raise TruncatedError(begin)


def children(data: bytes, span: Span) -> Iterator[Span]:
    """Spans between the commas of the array or object at `span`; a member's holds its key too.

    Raises:
        TruncatedError: when `span` ends inside a child, or before the array or object does.
    """
    return elements(data, span[0] + 1, span[1])


def elements(data: bytes | bytearray, start: int, end: int) -> Iterator[Span]:
    """Spans of what stands between commas from `start` on, up to the bracket that closes the whole.

    Raises:
        TruncatedError: when `end` comes first.
    """
    depth = 0
    begin = last = -1
    for token in _TOKEN.finditer(data, start, end):
        mark = data[token.start() : token.start() + 1]
        if depth == 0 and (mark == b"," or mark in _CLOSING):
            if begin >= 0:
                yield begin, last
            begin = -1
            if mark != b",":
                return
            continue
        if begin < 0:
            begin = token.start()
        last = token.end()
        depth += (mark in _OPENING) - (mark in _CLOSING)
    raise TruncatedError(begin if begin >= 0 else end)


def member(data: bytes, span: Span, key: bytes) -> Span | None:
    """The value of a member of the object at `span`, the last one of that name; None when there is none.

    An object that is cut off still shows the members that begin before its end.
    """
    found: Span | None = None
    begun: Span | None = None
    try:
        for start, end in children(data, span):
            found = _value_of(data, (start, end), key) or found
    except TruncatedError as cut:
        begun = _value_of(data, (cut.start, span[1]), key)
    return begun or found


def _value_of(data: bytes, span: Span, key: bytes) -> Span | None:
    quoted = b'"' + key + b'"'
    if not data.startswith(quoted, span[0]):
        return None
    tokens = _TOKEN.finditer(data, span[0] + len(quoted), span[1])
    colon, value = next(tokens, None), next(tokens, None)
    if colon is None or value is None or colon[0] != b":":
        return None
    return value.start(), span[1]
