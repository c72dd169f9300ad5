"""The event patterns for EventBridge match what the rules match: AWS's own engine runs them."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from typing import Any

from tests.interchange.pairs import (
    RULE_40,
    Excuse,
    Term,
    compare,
    events,
    is_fraction,
    is_long,
    is_number,
    number_of,
    patterns,
    questions,
)
from tests.servers.event_ruler import EventRuler
from trailsieve.interchange.exporters import eventbridge
from trailsieve.interchange.exporters.model import ExportTarget
from trailsieve.pattern import nodes

_TEXTS: list[tuple[str | int, ...]] = [
    *(("eventName",), ("errorCode",), ("errorCode",), ("readOnly",), ("recipientAccountId",), ("two words",)),
    *(("userIdentity", "arn"), ("userIdentity", "sessionContext", "attributes", "mfaAuthenticated")),
    *(("requestParameters", "a"), ("requestParameters", "a"), ("additionalEventData", "MFAUsed")),
]
_NUMBERS: list[tuple[str | int, ...]] = [
    ("errorCode",),
    ("requestParameters", "size"),
    ("requestParameters", "a"),
]


def _is_absent(term: Term, value: Any) -> bool:
    return isinstance(term, nodes.NotExists) and isinstance(value, dict | list)


def _other_type(term: Term, value: Any) -> bool:
    return isinstance(term, nodes.Comparison) and (value is None or isinstance(value, bool))


def _not_excluded(kind: type) -> Callable[[Term, Any], bool]:
    """What `!=` finds although it is alike."""

    def finds(term: Term, value: Any) -> bool:
        return getattr(term, "is_negative", False) and isinstance(value, kind)

    return finds


def _number(term: Term, value: Any) -> bool:
    """A number is found by its value, not its text; one out of range as it is written only."""
    if not isinstance(term, nodes.Comparison) or not is_number(value):
        return False
    return is_fraction(value) or abs(value) > 5_000_000_000


def _found_by_value(term: Term, value: Any) -> bool:
    number = number_of(term)
    return _number(term, value) or (is_number(value) and (number is None or is_long(number)))


def _any_number(term: Term, value: Any) -> bool:
    return isinstance(getattr(term, "value", None), nodes.String) and is_number(value)


EXCUSES = [
    Excuse("elements of arrays", _is_absent, arrays=True),
    Excuse("also find null", _other_type),
    Excuse("does not exclude the text", _not_excluded(str)),
    Excuse("does not exclude the number", _not_excluded(int)),
    Excuse("does not exclude the number", _not_excluded(Decimal)),
    Excuse("found only as they are written", _found_by_value, _number),
    Excuse("finds all numbers", _any_number),
    Excuse("wildcards do not find numbers", _any_number, _any_number),
    RULE_40,
]


def test_the_engine_matches_what_the_rules_match(
    event_ruler: EventRuler, record_property: Callable[[str, object], None]
) -> None:
    draw = random.Random(1)
    texts = list(islice(events(draw, dict.fromkeys([*_TEXTS, *_NUMBERS])), 250))
    asked = questions(600, patterns(draw, _TEXTS, _NUMBERS), eventbridge.export, ExportTarget())
    made = [json.dumps(json.loads(one.export.text)[one.rule.id]) for one in asked]
    wrapped = [f'{{"detail-type": "AWS API Call via CloudTrail", "detail": {text}}}' for text in texts]
    answers = event_ruler.ask(made, wrapped)
    assert [answer for answer in answers if isinstance(answer, str)] == []
    found = [set(answer) for answer in answers if not isinstance(answer, str)]
    record_property("pairs", compare(asked, texts, found, EXCUSES))
