"""Every kind of term on every kind of value: the compiled, the fused and the interpreted answer are one."""

from __future__ import annotations

import json

import pytest

import trailsieve
from trailsieve import jsontext
from trailsieve.pattern import interpret
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.fused import FusedPatterns
from trailsieve.pattern.nodes import JsonPattern

NUMBERS = ["0", "-0", "1", "1.0", "+1", "1e2", "9007199254740993", "1e-999", "1e999"]
TEXTS = [
    "a",
    '"a"',
    '""',
    '"*"',
    '"a*"',
    '"*a"',
    '"a*a"',
    '"1"',
    '"1.0"',
    '"-0"',
    '"4*"',
    '"*0"',
    '"-*1"',
    '"1E*0"',
]
REGEXES = ["%1%", "%a%", "%^$%", r"%\.0%"]
TESTS = [f"{operator} {value}" for operator in ("=", "!=") for value in (*NUMBERS, *TEXTS, *REGEXES)]
TESTS += [f"{operator} {value}" for operator in ("<", "<=", ">", ">=") for value in NUMBERS]
TESTS += ["IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS"]
SELECTORS = ["$.a", "$.a.b", "$.a[0]", "$.a[1].b", "$.a[*]", "$.a.b[*]", "$.a[*].b"]
VALUES = [
    "null",
    "true",
    "false",
    '""',
    '"a"',
    '"aa"',
    '"aba"',
    '"1"',
    '"1.0"',
    '"-0"',
    '"4"',
    '"+1"',
    r'"\ud800"',
]
VALUES += [
    "0",
    "-0",
    "0.0",
    "-0.0",
    "1",
    "1.0",
    "-11",
    "42",
    "100",
    "1e2",
    "1E400",
    "-1e400",
    "1e-999",
    "9007199254740992",
]
VALUES += [
    "[]",
    "{}",
    "[null]",
    '["a"]',
    "[1,1.0]",
    "[[null]]",
    '[0,{"b":1}]',
    '{"b":null}',
    '[{"b":"a"},{"b":1}]',
]
EVENTS = ["{}", '{"b":1}', *(f'{{"a":{value}}}' for value in VALUES)]
EVENTS += [f'{{"b":{value},"a":{{"b":{value},"c":{value}}}}}' for value in VALUES]


def plainly(pattern: FilterPattern, events: list[str]) -> list[bool]:
    assert isinstance(pattern.tree, JsonPattern)
    return [interpret.matches_record(pattern.tree, jsontext.decode(event)) for event in events]


@pytest.mark.parametrize("selector", SELECTORS)
def test_every_term_on_every_value(selector: str) -> None:
    patterns = [trailsieve.compile(f"{{ {selector} {test} }}") for test in TESTS]
    wanted = [plainly(pattern, EVENTS) for pattern in patterns]
    assert [[pattern.matches(event) for event in EVENTS] for pattern in patterns] == wanted
    floats = [json.loads(event) for event in EVENTS]
    for pattern in patterns:
        assert isinstance(pattern.tree, JsonPattern)
        by_interpreter = [interpret.matches_record(pattern.tree, event) for event in floats]
        assert [pattern.matches_record(event) for event in floats] == by_interpreter


@pytest.mark.parametrize("beside", ["", " && $.a.c NOT EXISTS", ' || $.a.b = "aa"', " || $.b[*] = 1"])
@pytest.mark.parametrize("selectors", [SELECTORS, ["$.a.b", "$.a.b[*]"]], ids=["all", "below one parent"])
def test_all_terms_at_once(beside: str, selectors: list[str]) -> None:
    """One projection and one set of triggers for all of them, each of them doubled."""
    tests = TESTS[::3] if beside else TESTS
    texts = [f"{{ {selector} {test}{beside} }}" for selector in selectors for test in tests]
    patterns = [trailsieve.compile(text) for text in texts] * 2
    fused = FusedPatterns([pattern.tree for pattern in patterns if isinstance(pattern.tree, JsonPattern)])
    decode = jsontext.decoder(fused.decode_as).decode
    answers = [plainly(pattern, EVENTS) for pattern in patterns]
    refused = []
    for number, event in [*enumerate(EVENTS), *enumerate(EVENTS)]:
        wanted = [which for which, answer in enumerate(answers) if answer[number]]
        try:
            assert fused.matches([decode(event)]) == ([(0, wanted)] if wanted else [])
        except jsontext.REFUSALS:
            refused.append(event)
    assert all(r"\ud800" in event or "e400" in event.lower() for event in refused)
