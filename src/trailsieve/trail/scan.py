"""Finds where the values of a JSON text begin and end, without decoding them.

The slow, tolerant path for a file that the fast decoder rejects, so that one odd record does not cost the
whole file. Works on any bytes, at any nesting depth, in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A string extends to its end or, if unclosed, to the end of the text: no byte is scanned twice.
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
    """The spans of consecutive values: one JSON text, or several in a row.

    Raises:
        TruncatedError: the text ends inside a value.
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
    """The spans of the elements of the array, or of the `"key": value` members of the object, at `span`.

    Raises:
        TruncatedError: `span` ends before the array or object does.
    """
    return elements(data, span[0] + 1, span[1])


def elements(data: bytes | bytearray, start: int, end: int) -> Iterator[Span]:
    """The spans of the elements between commas, from `start` to the closing bracket.

    Raises:
        TruncatedError: `end` comes before the closing bracket.
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
    """The span of a member's value in the object at `span`, the last one of that name; None if there is none.

    Of a truncated object, members that begin before its end are found too.
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
