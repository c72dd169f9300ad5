"""Values with stars (rules 39 and 40): what they match in words, and as a regex that looks further."""

from __future__ import annotations

import re

from trailsieve.errors import with_and
from trailsieve.pattern.regex import LITERALS, OPERATORS

Parts = tuple[str, ...]  # the literal parts between the stars
_CLASS = re.compile(r"(?=.{3}\Z)([1-9]\d?)(?:[xX]+|\.+|\?+|#+)")


def class_of_numbers(text: str) -> str:
    """`4*` for `4xx`, `4..` and `4??`, as status codes are written; "" for another text."""
    found = _CLASS.fullmatch(text)
    return f"{found[1]}*" if found else ""


def has_star_before_its_end(parts: Parts) -> bool:
    """Whether a star stands between two parts of which the second must end the value."""
    return bool(parts[-1]) and any(parts[:-1])


def ends_too_late(text: str, parts: Parts) -> bool:
    """Whether only an ordinary wildcard would match: the last part ends the text, but was found earlier.

    Asked of a text that does not match (rule 40).
    """
    if len(parts) == 1 or not parts[-1] or not text.startswith(parts[0]):
        return False
    first, *middle, last = parts
    inside = text[len(first) :]
    if not inside.endswith(last):
        return False
    place, inside = 0, inside[: -len(last)]
    for part in middle:
        found = inside.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return True


def as_regex(parts: Parts) -> str:
    """A regex for the same texts, and for those that repeat the last part; not across line breaks.

    A character that AWS takes in no regex, such as `é`, becomes a dot (rule 18).
    """
    if len(parts) == 1:
        return f"^{_escaped(parts[0])}$"
    first, *middle, last = (_escaped(part) for part in parts)
    source = ".*".join(part for part in (first, *middle, last) if part)
    return ("^" if first else "") + source + ("$" if last else "")


def _escaped(text: str) -> str:
    return "".join(map(_one_escaped, text))


def _one_escaped(character: str) -> str:
    if character in LITERALS:
        return character
    if character in OPERATORS:
        return f"\\{character}"
    return f"\\x{ord(character):02x}" if character.isascii() else "."


def in_words(parts: Parts) -> str:
    """What text a value with stars matches."""
    first, *middle, last = parts
    inner = [part for part in middle if part]
    if not any(parts):
        return "any string or number, including the empty string"  # rule 39
    if len(inner) == 1 and not first and not last:
        return f'text that contains "{inner[0]}"'
    clauses = [f'begins with "{first}"'] if first else []
    for part in inner:
        clauses.append(f'{"then " if clauses else ""}has "{part}"')
    if last:
        clauses.append(f'ends with the first "{last}" {"after it" if clauses else "in it"}')
    return "text that " + with_and(clauses)
