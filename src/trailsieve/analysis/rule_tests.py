"""Runs all tests that rules carry; the events of alert tests run through a replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from trailsieve import jsontext
from trailsieve.analysis.simulation import simulate
from trailsieve.errors import UnreadableError
from trailsieve.formats import native
from trailsieve.model import Alert, Message, Position, Problem
from trailsieve.rules.load import built_in, load_pack
from trailsieve.rules.rule import Pack, Rule
from trailsieve.rules.rule_tests import AlertTest
from trailsieve.rules.testing import RuleTest, TestResult, pattern_tests, place_of, texts_of, untested
from trailsieve.sources.memory import MemorySource


def tests_of(rule: Rule, pack: Pack) -> Iterator[RuleTest]:
    """Yields every test of a rule."""
    yield from pattern_tests(rule)
    for number, test in enumerate(rule.tests.alerts, 1):
        name = f"alerts number {number}"
        yield RuleTest(rule, name, partial(_try, rule, pack, test, name))


def run_tests(pack: Pack) -> Iterator[TestResult]:
    """Runs every test of a pack, rule by rule."""
    for rule in pack.rules:
        if not rule.tests:
            yield untested(rule)
        for test in tests_of(rule, pack):
            yield from test.run()


def _try(rule: Rule, pack: Pack, test: AlertTest, name: str) -> Iterator[TestResult]:
    yield TestResult(rule.id, name, place_of(rule), _failure(rule, pack, test))


def _failure(rule: Rule, pack: Pack, test: AlertTest) -> str:
    try:
        texts = [text for event in test.events for text in texts_of(rule, event)]
    except (OSError, UnreadableError) as error:
        return f"cannot read it: {error}"
    parts = _parts(rule, pack)
    if missing := rule.sequence and set(rule.sequence) - {part.id for part in parts}:
        return f"the rules of its sequence are in another pack: {', '.join(sorted(missing))}"
    raised, problems = _raised(rule, parts, texts)
    wrong = _wrong(test.expect, raised) + [f"cannot count an event: {problem.reason}" for problem in problems]
    shown = ["raised:", *(f"  {_in_short(alert)}" for alert in raised)] if raised else ["raised: nothing"]
    return "\n".join(wrong + shown) if wrong else ""


def _parts(rule: Rule, pack: Pack) -> list[Rule]:
    """The rules that a sequence names, in this pack or a built-in one; they raise no alerts of their own."""
    found: dict[str, Rule] = {}
    for one in [pack, *(map(load_pack, built_in()) if rule.sequence else ())]:
        for part in one.rules:
            if part.id in rule.sequence:
                found.setdefault(part.id, replace(part, enabled=False))
    return list(found.values())


def _raised(rule: Rule, parts: list[Rule], texts: list[bytes]) -> tuple[list[dict[str, Any]], list[Problem]]:
    """The alerts that a replay of these events raises, as native JSON in order of time."""
    alerts, problems = list[Alert](), list[Problem]()
    payload = b'{"Records":[' + b",".join(texts) + b"]}" if rule.pattern.reads_records else b"\n".join(texts)
    message = Message(payload, Position("tests", 1), "tests")
    source = MemorySource([message], whole_objects=True)
    simulate([replace(rule, enabled=True), *parts], source, alerts.append, problems.append)
    # Not orjson: a record may hold lone surrogates and integers beyond 64 bits.
    return [json.loads(native.encode(alert)) for alert in sorted(alerts, key=_when)], problems


def _when(alert: Alert) -> str:
    return (alert.window.end if alert.window else alert.time) or ""


def _wrong(expect: int | tuple[dict[str, Any], ...], raised: list[dict[str, Any]]) -> list[str]:
    """How the alerts differ from what the test expects."""
    count = expect if isinstance(expect, int) else len(expect)
    if len(raised) != count:
        return [f"expected {count} alert{'s' * (count != 1)}, got {len(raised)}"]
    if isinstance(expect, int):
        return []
    return [
        f"alert {number}: {text}"
        for number, (wanted, alert) in enumerate(zip(expect, raised, strict=True), 1)
        for text in _differences(wanted, alert, "")
    ]


def _differences(wanted: dict[str, Any], found: dict[str, Any], above: str) -> Iterator[str]:
    """The expected fields with another value; fields that are not expected may have any value."""
    for name, value in wanted.items():
        there = found.get(name)
        if isinstance(value, dict) and isinstance(there, dict):
            yield from _differences(value, there, f"{above}{name}.")
        elif there != value:
            yield f"{above}{name}: expected {jsontext.encode(value)}, got {jsontext.encode(there)}"


def _in_short(alert: dict[str, Any]) -> str:
    left_out = ("records", "context", "references", "tags", "position", "summary", "title")
    shown = {
        name: value for name, value in alert.items() if name not in left_out and value not in (None, {}, 0)
    }
    return jsontext.encode(shown)
