"""Every conformance vector holds, compiled and interpreted, and every rule has some."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import trailsieve
from trailsieve import jsontext
from trailsieve.pattern import interpret
from trailsieve.pattern.nodes import JsonPattern
from trailsieve.pattern.parser import parse
from trailsieve.pattern.render import render

FOLDER = Path(__file__).parents[2] / "grammar" / "vectors"
FILES = sorted(FOLDER.glob("*.jsonl"))
VECTORS: list[dict[str, Any]] = [
    json.loads(line) for path in FILES for line in path.read_text("utf-8").splitlines()
]
KEYS = ["id", "pattern", "message", "expect", "extracted", "rule", "status"]
LETTERS = {"json": "j", "regex": "x", "text": "t", "delimited": "d", "limits": "l"}


def interpreted(pattern: str, message: str) -> bool:
    tree = parse(pattern)
    if isinstance(tree, JsonPattern):
        record = jsontext.decode_object(message)
        return record is not None and interpret.matches_record(tree, record)
    return interpret.matches_text(tree, message)


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_vector(vector: dict[str, Any]) -> None:
    text, message = vector["pattern"], vector["message"]
    if vector["expect"] == "invalid":
        with pytest.raises(trailsieve.PatternError):
            trailsieve.compile(text)
        return
    wanted = vector["expect"] == "match"
    pattern = trailsieve.compile(text)
    assert pattern.matches(message) is wanted
    assert pattern.matches(message.encode()) is wanted
    assert interpreted(text, message) is wanted
    assert pattern.explain(message).matched is wanted
    assert trailsieve.compile(render(pattern.tree), limits=False).matches(message) is wanted
    found = pattern.test([message])
    assert [(match.event_number, match.event_message) for match in found] == [(1, message)] * wanted
    assert [match.extracted_values for match in found] == [vector["extracted"]] * wanted


def test_every_rule_has_three_vectors() -> None:
    count = Counter(vector["rule"] for vector in VECTORS)
    assert {rule: count[rule] for rule in range(1, 60) if count[rule] < 3} == {}
    assert set(count) <= set(range(1, 60))


def test_every_rule_is_shown_both_ways() -> None:
    seen: dict[int, set[str]] = {}
    for vector in VECTORS:
        seen.setdefault(vector["rule"], set()).add(vector["expect"])
    assert [rule for rule, expects in sorted(seen.items()) if len(expects) < 2] == [
        3
    ]  # it matches everything


def test_shape() -> None:
    assert {path.stem for path in FILES} == set(LETTERS)
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)
    assert len({(vector["pattern"], vector["message"], vector["rule"]) for vector in VECTORS}) == len(VECTORS)
    for path in FILES:
        for line in path.read_text("utf-8").splitlines():
            vector = json.loads(line)
            assert list(vector) == KEYS
            assert vector["status"] in ("recorded", "documented", "inferred")
            assert vector["expect"] in ("match", "no_match", "invalid")
            assert vector["message"], "AWS takes no empty message"
            assert (vector["extracted"] is None) == (vector["expect"] != "match")
            assert vector["id"].startswith(f"{LETTERS[path.stem]}{vector['rule']:02d}-")
