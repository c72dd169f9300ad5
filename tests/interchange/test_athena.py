"""The SQL for Athena finds the rows that the pattern matches: DuckDB runs it, in the dialect that sqlglot makes of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from tests.alarms.worlds import reference_of
from tests.interchange.pairs import (
    RULE_40,
    Excuse,
    Term,
    compare,
    events,
    finds_rounded,
    is_fraction,
    is_number,
    is_type,
    misses_rounded,
    number_of,
    patterns,
    questions,
)
from tests.interchange.trail_table import answer, filled
from trailsieve.interchange.exporters import athena
from trailsieve.interchange.exporters.model import FREE_FORM, ExportTarget
from trailsieve.pattern import nodes, runtime
from trailsieve.pattern.compiler import compile
from trailsieve.rules.alarm import Alarm
from trailsieve.rules.load import built_in, load_pack
from trailsieve.rules.rule import Rule

_TEXTS = [
    *(
        ("eventName",),
        ("errorCode",),
        ("errorCode",),
        ("readOnly",),
        ("sourceIPAddress",),
        ("recipientAccountId",),
    ),
    *(("userIdentity", "arn"), ("userIdentity", "sessionContext", "attributes", "mfaAuthenticated")),
    *(("requestParameters", "a"), ("requestParameters", "a"), ("requestParameters", "two words", "b-c")),
    *(("responseElements", "items", 1, "x"), ("additionalEventData", "MFAUsed"), ("requestParameters", "é")),
    *(("resources", 0, "ARN"), ("tlsDetails", "tlsVersion"), ("serviceEventDetails", "$x")),
]
_NUMBERS = [
    ("errorCode",),
    ("requestParameters", "size"),
    ("requestParameters", "a"),
    ("responseElements", "n", 0),
]


def _in_json(term: Term) -> bool:
    assert isinstance(term.target, nodes.Selector)
    return term.target.steps[0] in FREE_FORM and len(term.target.steps) > 1


def _text_finds(term: Term, value: Any) -> bool:
    match term:
        case _ if _in_json(term):
            return False
        case nodes.NotExists():
            return value is None
        case nodes.IsType(type="NULL"):
            return value is runtime.ABSENT
        case nodes.IsType(type=name):
            return bool(value == name.lower())
        case nodes.Comparison(value=nodes.Number()) if is_number(value):
            return term.is_negative
    return isinstance(value, bool | list | dict) or is_fraction(value)


def _text_misses(term: Term, value: Any) -> bool:
    if _in_json(term) or number_of(term):
        return False
    return isinstance(value, list) if is_type(term, "NULL") else is_fraction(value)


def _written(term: Term, value: Any) -> bool:
    return _in_json(term) and is_fraction(value) and not number_of(term)


def _read(term: Term, value: Any) -> bool:
    return not _in_json(term) and isinstance(value, str) and bool(number_of(term))


def _null_found(term: Term, value: Any) -> bool:
    return _in_json(term) and is_type(term, "NULL") and isinstance(value, list)


EXCUSES = [
    Excuse("columns hold text", _text_finds, _text_misses),
    Excuse("see a number as it is written", _written, _written),
    Excuse("compared as doubles", finds_rounded, misses_rounded),
    Excuse("text that reads as a number", _read),
    Excuse("deeper in an array", _null_found),
    RULE_40,
]


@pytest.mark.parametrize(
    ("queries", "rows"), [(200, 150), pytest.param(1000, 320, marks=pytest.mark.server())]
)
def test_the_rows_found_are_the_events_matched(
    queries: int, rows: int, record_property: Callable[[str, object], None]
) -> None:
    draw = random.Random(queries)
    texts = list(islice(events(draw, dict.fromkeys([*_TEXTS, *_NUMBERS])), rows))
    asked = questions(queries, patterns(draw, _TEXTS, _NUMBERS), athena.export, ExportTarget())
    with filled(texts) as database:
        found = [{row[0] for row in answer(database, one.export.text, "id")} for one in asked]
    record_property("pairs", compare(asked, texts, found, EXCUSES))


TIMES = ["10:00:00", "10:04:59", "10:05:00", "10:06:00", "10:09:00", "10:10:00"]


@pytest.mark.parametrize(
    ("alarm", "found"),
    [
        (Alarm(2, 300), [(0, 2), (300, 3)]),
        (Alarm(2, 300, count_distinct=reference_of("$.sourceIPAddress")), [(300, 3)]),
    ],
)
def test_alarms_are_groups_of_rows(alarm: Alarm, found: list[tuple[int, int]]) -> None:
    logins = [
        json.dumps(
            {
                "eventName": "ConsoleLogin",
                "eventTime": f"2026-01-02T{time}Z",
                "sourceIPAddress": f"10.0.0.{max(number, 1)}",
            }
        )
        for number, time in enumerate(TIMES)
    ]
    made = athena.export(
        [Rule("r", "R", "low", compile("{ $.eventName = ConsoleLogin }"), alarm=alarm)], ExportTarget()
    )
    with filled(logins) as database:
        rows = answer(database, made.text, "epoch(period)::INT % 3600, COLUMNS('matches|different')")
    assert rows == found


def test_the_packs_are_accepted() -> None:
    made = [
        athena.export([rule], ExportTarget()).text for name in built_in() for rule in load_pack(name).rules
    ]
    queries = [text for text in made if text]
    with filled(["{}"]) as database:
        assert [answer(database, text, "*") for text in queries] == [[]] * len(queries)
