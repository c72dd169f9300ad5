"""AWS's recorded answers, patterns found in the wild, and what the CIS rules find in real events."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import trailsieve
from tests.pattern.oracle import interpreted
from trailsieve import jsontext
from trailsieve.pattern.fused import FusedPatterns
from trailsieve.pattern.nodes import JsonPattern
from trailsieve.rules.rule import Rule

SOURCES = ["aws-docs", "invictus-a", "otrf-ec2-proxy", "synthetic-edge-dev", "traildiscover-a"]
CIS = [f"4.{number}" for number in range(1, 16)]


@cache
def rules() -> dict[str, Rule]:
    """The rules of the pack by the number of their control."""
    return {rule.id.removeprefix("cis-aws-"): rule for rule in trailsieve.load_pack("cis-aws").rules}


@cache
def events(shared: Path, source: str) -> list[str]:
    with gzip.open(shared / "data" / "events" / f"{source}.jsonl.gz", "rt", encoding="utf-8") as file:
        return file.read().splitlines()


@cache
def truth(shared: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((shared / "data" / "truth.json").read_text("utf-8"))
    return found


def wanted_lines(shared: Path, source: str, control: str) -> list[int]:
    lines: list[int] = truth(shared)[source][control]["lines"]
    return lines


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# --- recorded answers ---


def vector_problem(vector: dict[str, Any]) -> str:
    """What a vector's pattern does wrong, "" when it does as recorded."""
    text, message, expect = vector["pattern"], vector["message"], vector["expect"]
    try:
        pattern = trailsieve.compile(text)
    except trailsieve.PatternError as error:
        return "" if expect == "invalid" else f"refused: {error.message}"
    wanted = expect == "match"
    if expect == "invalid":
        return "accepted"
    if pattern.matches(message) is not wanted:
        return f"compiled: not {expect}"
    if interpreted(pattern.tree, message) is not wanted:
        return f"interpreted: not {expect}"
    found = [
        (match.event_number, match.event_message, match.extracted_values) for match in pattern.test([message])
    ]
    return "" if found == [(1, message, vector["extracted"] or {})] * wanted else f"test() gives {found}"


def test_recorded_answers(shared: Path) -> None:
    vectors = read_lines(shared / "language" / "vectors.jsonl")
    assert len(vectors) > 500
    problems = [(v["id"], v["rule"], problem) for v in vectors if (problem := vector_problem(v))]
    assert problems == []


def test_patterns_in_the_wild(shared: Path) -> None:
    verdicts = [
        entry
        for entry in read_lines(shared / "language" / "wild_patterns.jsonl")
        if entry["valid"] is not None
    ]
    assert {entry["valid"] for entry in verdicts} == {True, False}
    wrong = [entry["pattern"] for entry in verdicts if compiles(entry["pattern"]) is not entry["valid"]]
    assert wrong == []


def compiles(text: str) -> bool:
    try:
        trailsieve.compile(text)
    except trailsieve.PatternError:
        return False
    return True


# --- the CIS rules over real events ---


def test_the_pack_has_every_control() -> None:
    assert list(rules()) == CIS


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("control", CIS)
def test_cis_rule_finds_exactly_these_events(shared: Path, source: str, control: str) -> None:
    pattern = rules()[control].pattern
    found = [number for number, line in enumerate(events(shared, source), 1) if pattern.matches(line)]
    assert found == wanted_lines(shared, source, control)


@pytest.mark.parametrize("source", SOURCES)
def test_fused_rules_find_the_same(shared: Path, source: str) -> None:
    trees = [rule.pattern.tree for rule in rules().values()]
    fused = FusedPatterns([tree for tree in trees if isinstance(tree, JsonPattern)])
    decode = jsontext.decoder(fused.decode_as).decode
    found: dict[str, list[int]] = {control: [] for control in CIS}
    for place, numbers in fused.matches([decode(line) for line in events(shared, source)]):
        for number in numbers:
            found[CIS[number]].append(place + 1)
    assert found == {control: wanted_lines(shared, source, control) for control in CIS}
