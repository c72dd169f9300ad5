"""Patterns match what the Sigma rules that they come from match, or differ as a loss says."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trailsieve.interchange.sigma.rules import read
from trailsieve.pattern.compiler import compile

pytest.importorskip("sigma.collection", reason="pySigma is not installed")

_ABSENT = object()
_TEXTS = ["Root", "root", "a", "ab", "AccessDenied", "10.0.0.1", "5", "true", "", "yy", "a.b", "x y"]
_VALUES = [*_TEXTS, 5, 6, 2.5, True, False, None]
_FIELDS = ["eventName", "userIdentity.type", "errorCode"]
Range = tuple[bool, bool]  # the least and the most that a pattern may answer


def _item(draw: random.Random) -> tuple[str, Any]:
    field = draw.choice(_FIELDS)
    text = draw.choice(_TEXTS[:6])
    return draw.choice(
        [
            (field, draw.choice(_VALUES)),
            (field, draw.sample([*_TEXTS, 5], 2)),
            (field, draw.choice(["A*", "*y", "r?ot", "*"])),
            (f"{field}|cased", text),
            (f"{field}|startswith", text),
            (f"{field}|endswith", text),
            (f"{field}|contains", text),
            (f"{field}|contains|all", ["a", "b"]),
            (f"{field}|re", draw.choice(["^a", "b$", "[0-9]+"])),
            (f"{field}|exists", draw.random() < 0.5),
            (f"{field}|{draw.choice(['gt', 'gte', 'lt', 'lte'])}", 5),
        ]
    )


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _like(text: str, wanted: str, cased: bool) -> bool:
    glob = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
    return bool(re.fullmatch(glob, text, re.DOTALL if cased else re.DOTALL | re.IGNORECASE))


def _number(value: Any, sign: str, wanted: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return {"gt": value > wanted, "gte": value >= wanted, "lt": value < wanted, "lte": value <= wanted}[sign]


def _holds(value: Any, wanted: Any, modifiers: list[str], cased: bool) -> bool:
    """What Sigma's specification says of one value."""
    text = _text(value)
    match modifiers:
        case ["exists"]:
            return (value is not _ABSENT) is wanted
        case ["gt" | "gte" | "lt" | "lte" as sign]:
            return _number(value, sign, wanted)
        case _ if wanted is None:
            return value is _ABSENT or value is None
        case _ if isinstance(value, bool):
            return wanted == "*" or str(wanted).lower() == str(value).lower()
        case _ if text is None:
            return False
        case ["re"]:
            return bool(re.search(wanted, text))
    wanted = str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
    before, after = {"startswith": ("", "*"), "endswith": ("*", ""), "contains": ("*", "*")}.get(
        (modifiers or [""])[0], ("", "")
    )
    return _like(text, f"{before}{wanted}{after}", cased or "cased" in modifiers)


def _item_range(record: dict[str, Any], key: str, wanted: Any, losses: str, negated: bool) -> Range:
    """What a pattern with these losses may make of an item."""
    path, *modifiers = key.split("|")
    value: Any = record
    for step in path.split("."):
        value = value.get(step, _ABSENT) if isinstance(value, dict) else _ABSENT
    every = all if "all" in modifiers else any
    values = wanted if isinstance(wanted, list) else [wanted]
    holds, cased = (every(_holds(value, one, modifiers, cased) for one in values) for cased in (False, True))
    unlike = (
        (holds != cased and "ignores case" in losses)
        or (value == "yy" and "rule 40" in losses)
        or ("count as present" in losses and (value is None or isinstance(value, bool)))
    )
    if not negated:
        return holds and not unlike, holds
    missed = value is None or isinstance(value, bool) or (isinstance(value, str) and "of <" in losses)
    return not holds and not missed, not holds or unlike


def _range(
    tree: Any, detection: dict[str, Any], record: dict[str, Any], losses: str, negated: bool = False
) -> Range:
    match tree:
        case ["not", inner]:
            return _range(inner, detection, record, losses, not negated)
        case ["and" | "or" as word, *inner]:
            ranges = [_range(one, detection, record, losses, negated) for one in inner]
        case name:
            word = "and"
            ranges = [
                _item_range(record, key, wanted, losses, negated) for key, wanted in detection[name].items()
            ]
    lows, highs = zip(*ranges, strict=True)
    every = all if (word == "and") is not negated else any
    return every(lows), every(highs)


_TREES: dict[str, Any] = {
    "s": "s",
    "not s": ["not", "s"],
    "s and not t": ["and", "s", ["not", "t"]],
    "s or t": ["or", "s", "t"],
    "not (s or t)": ["not", ["or", "s", "t"]],
    "not (s and t)": ["not", ["and", "s", "t"]],
    "not (not s)": ["not", ["not", "s"]],
    "not (s and not t)": ["not", ["and", "s", ["not", "t"]]],
    "1 of them": ["or", "s", "t"],
    "all of them": ["and", "s", "t"],
}


def _event(draw: random.Random) -> dict[str, Any]:
    made: dict[str, Any] = {
        name: draw.choice(_VALUES) for name in ("eventName", "errorCode") if draw.random() < 0.8
    }
    return made | ({"userIdentity": {"type": draw.choice(_VALUES)}} if draw.random() < 0.8 else {})


def test_patterns_match_what_sigma_matches_or_a_loss_says_why(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    draw = random.Random(1)
    records = [_event(draw) for _ in range(60)]
    details = {}
    for number in range(160):
        detection = {name: dict([_item(draw) for _ in range(draw.choice([1, 1, 2]))]) for name in "st"}
        details[number] = (draw.choice([*_TREES]), detection)
        rule = {
            "title": f"{number}", "logsource": {"product": "aws", "service": "cloudtrail"},
            "detection": {**detection, "condition": details[number][0]},
        }  # fmt: skip
        (tmp_path / f"{number}.yml").write_text(json.dumps(rule), "utf-8")
    drafts, _ = read([tmp_path])
    assert len(drafts) > 150
    for draft in drafts:
        condition, detection = details[int(draft.id)]
        pattern, losses = compile(draft.pattern), " ".join(draft.losses)
        for record in records:
            low, high = _range(_TREES[condition], detection, record, losses)
            assert low <= pattern.matches_record(record) <= high, (
                condition,
                detection,
                record,
                draft.pattern,
                losses,
            )
    record_property("pairs", len(drafts) * len(records))
