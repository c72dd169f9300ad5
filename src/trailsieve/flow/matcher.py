"""A rule set over the records of one message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.flow.decode import Decoded
from trailsieve.model import Match, Problem, Record
from trailsieve.rules.rule import Rule

Wanted = Callable[[dict[str, Any]], bool]


class Matcher:
    """Finds the matches of every rule in order of records, then of rules.

    Args:
        rules: the enabled ones are used.
        wanted: keeps the records for which it is true (time range, account, region).
    """

    def __init__(self, rules: Sequence[Rule], wanted: Wanted | None = None) -> None:
        self.rules = [rule for rule in rules if rule.enabled]
        self._wanted = wanted

    def match(self, decoded: Decoded) -> Iterator[Match | Problem]:
        """The matches in a message's records, and a problem for each record that cannot be read."""
        for index, text in enumerate(decoded.texts, decoded.first):
            if not text.strip():
                continue
            record = _record(index, text, decoded.origin)
            if isinstance(record, Problem):
                yield record
            elif self._wanted is None or self._wanted(record.content):
                for rule in self.rules:
                    if _matches(rule, record):
                        yield Match(rule, record, decoded.origin)


def _matches(rule: Rule, record: Record) -> bool:
    if rule.pattern.reads_records:
        return rule.pattern.predicate(record.content)
    return rule.pattern.matches(record.text)


def _record(index: int, text: bytes, origin: str) -> Record | Problem:
    try:
        content = jsontext.decode(text)
    except UnreadableError as error:
        return Problem(origin, error.reason, index, text)
    if content.__class__ is not dict:
        return Problem(origin, f"a record is a JSON object, this is {_kind(content)}", index, text)
    return Record(index, text, content)


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "true or false" if isinstance(value, bool) else "a number"
