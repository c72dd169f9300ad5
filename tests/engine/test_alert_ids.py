"""An alert's id says rule and event, and nothing of where and how the event was found."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.engine.plain import log_file, message, processor, rules
from trailsieve.model import Alert

EVENT = {"eventID": "e-1", "recipientAccountId": "111122223333", "eventName": "StopLogging"}
PATTERN = '{ $.eventName = "StopLogging" }'
RULES = rules(stop=PATTERN)


def alerts(*texts: bytes, name: str = "a.json", zipped: bool = False, **patterns: str) -> list[Alert]:
    data = log_file(texts)
    payload = gzip.compress(data) if zipped else data
    return processor(rules(**patterns) if patterns else RULES).process(message(payload, name)).alerts


def text(indent: int | None = None, **fields: Any) -> bytes:
    return json.dumps({**EVENT, **fields}, indent=indent).encode()


def identity(*texts: bytes, **options: Any) -> str:
    return alerts(*texts, **options)[-1].id


def test_the_id_is_this_one_for_ever() -> None:
    """It is stored in other people's systems: a change would raise every alert once more."""
    assert identity(text()) == "a918fe5cc00498b514be0133cbefe418"
    assert identity(b'{"eventName":"StopLogging"}') == "33a95496edbe3593fcfdf3bf3f9525f9"


@pytest.mark.parametrize(
    "same",
    [
        alerts(text(), name="elsewhere/b.json"),
        alerts(text(), zipped=True, name="a.json.gz"),
        alerts(b"{}", b'{"eventName":"X"}', text()),
        alerts(text(indent=1)),
        alerts(text(awsRegion="eu-west-1", userAgent="other")),
        alerts(text(odd="\ud800")),
        alerts(text(), other='{ $.eventName = "No" }', stop='{ $.eventID = "e-1" }'),
    ],
    ids=["file", "gzip", "number", "layout", "fields", "decoder", "pattern and other rules"],
)
def test_the_same_event_and_rule_are_the_same_alert(same: list[Alert]) -> None:
    assert [alert.id for alert in same] == [identity(text())]


@pytest.mark.parametrize(
    "other",
    [
        alerts(text(eventID="e-2")),
        alerts(text(recipientAccountId="444455556666")),
        alerts(text(), stop2=PATTERN),
        alerts(text(eventID=None)),
        alerts(text(eventID="")),
        alerts(text(eventID=1)),
    ],
    ids=["event", "account", "rule", "no eventID", "empty eventID", "eventID no string"],
)
def test_another_event_or_rule_is_another_alert(other: list[Alert]) -> None:
    assert len(other) == 1
    assert other[0].id != identity(text())


def test_a_record_without_id_is_known_by_its_text() -> None:
    bare, spaced = b'{"eventName":"StopLogging"}', b'{"eventName": "StopLogging"}'
    assert identity(bare) == identity(bare, name="b.json")
    assert identity(bare) != identity(spaced)


def test_one_event_raises_one_alert_of_each_rule_in_the_order_of_rules() -> None:
    found = alerts(text(), text(eventID="e-2"), b=PATTERN, a=PATTERN)
    assert [(alert.rule, alert.position) for alert in found] == [
        ("b", "a.json#1"),
        ("a", "a.json#1"),
        ("b", "a.json#2"),
        ("a", "a.json#2"),
    ]
    assert len({alert.id for alert in found}) == 4
