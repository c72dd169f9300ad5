"""Error messages for refused patterns: what is wrong and where; `slips` says what to write instead.

What reads slips is imported when there is one, because most runs have only valid patterns.
"""

from __future__ import annotations

import re

from trailsieve.errors import PatternError, visible
from trailsieve.pattern.nodes import Regex, String, Value
from trailsieve.pattern.slip import BLANKS, BRACES_HINT, NULL_HINT, Slip, word_at

_DATE = re.compile(r"\d{4}-\d\d(?!\d)(?:-\d\d(?!T00:00:00))?")
_CLOSING = {"{": "}", "[": "]", "%": "%"}


def explain(text: str, place: int, expected: str) -> PatternError:
    """The error for a pattern that cannot be parsed beyond offset `place`.

    Args:
        expected: pyparsing's "Expected …", made of the grammar's own names.
    """
    from trailsieve.pattern.slips import hint_for

    if expected == "Expected end of text" and text[:1] in "{[%":
        expected = f"the pattern ends with its `{_CLOSING[text[0]]}`: nothing may follow it"
        return located(text, place, expected, hint_for(Slip(text, _skip(text, place), expected)))
    at = _skip(text, place)
    if "immediately followed by" in expected:  # a keyword with more letters after it
        at, expected = _whole_keyword(text, at)
    wanted = expected.replace("Expected ", "expected ").replace("expected end of text", "expected a term")
    hint = hint_for(Slip(text, at, wanted))
    if wanted == "expected a term" and text[:1] not in "{[%" and hint.startswith(BRACES_HINT):
        return located(text, at, "conditions on fields stand in braces", hint)
    return located(text, at, f"{wanted}, found {_found(text, at)}", hint)


def located(text: str, start: int, message: str, hint: str = "") -> PatternError:
    """A `PatternError` at an offset counted from 0."""
    return PatternError(message, min(start, len(text)) + 1, hint, text)


def null_hint(text: str) -> str:
    """The hint for `null`, which is not a value (rule 41)."""
    return NULL_HINT if text.startswith("{") else 'quote the word: "null"'


def plus_hint(token: str) -> str:
    """The hint for a bare value with a `+` (rule 41)."""
    from trailsieve.pattern.slips import quote_hint

    return quote_hint(token)


def gap_hint(text: str) -> str:
    """The hint for two terms without a blank between them."""
    from trailsieve.pattern.lenient_conditions import conditions

    return BRACES_HINT if conditions(text) else "put a blank between the terms"


def order_hint(operator: str, value: Value) -> str:
    """The hint for the right side of an ordering comparison (rule 37)."""
    if isinstance(value, Regex):
        return "compare a regex with = or !="
    if isinstance(value, String) and value.quoted and value.text.strip("+-").replace(".", "", 1).isdigit():
        return f"write the number without quotes: {operator} {value.text}"
    if isinstance(value, String) and (date := _DATE.match(value.text)):
        return (
            f'text has no order; a star matches the dates of a month or day: = "{date[0]}*"; '
            "`trailsieve replay --since` selects events by time"
        )
    return f"write a number, such as {operator} 400; text can only be compared with = and !="


def _skip(text: str, place: int) -> int:
    return len(text) - len(text[place:].lstrip(BLANKS))


def _found(text: str, at: int) -> str:
    if at >= len(text):
        return "the end of the pattern"
    if not text[at].isprintable():
        return f"the invisible character U+{ord(text[at]):04X}"
    return f"`{visible(word_at(text, at)[:30] or text[at])}`"


def _whole_keyword(text: str, at: int) -> tuple[int, str]:
    """Where the word around `at` starts, and what is expected there."""
    while text[at - 1].isalnum():
        at -= 1
    before = text[:at].rstrip(BLANKS).upper()
    if before.endswith("NOT"):
        return at, "Expected EXISTS"
    return at, "Expected NULL, TRUE or FALSE" if before.endswith("IS") else "Expected a comparison"
