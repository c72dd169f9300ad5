"""Real events whose right answers were worked out by other means: the CIS pack finds just these, on any path."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.engine.plain import found, log_file, processor
from trailsieve.cli.main import run
from trailsieve.engine.pipeline import per_message
from trailsieve.engine.workers import WorkerPool
from trailsieve.model import Message, Position
from trailsieve.rules.load import load_pack

Hits = dict[str, list[int]]  # by rule, the numbers of the matching records
RULES = load_pack("cis-aws").rules
CONTROLS = {rule.id: rule.id.removeprefix("cis-aws-") for rule in RULES}


@pytest.fixture(scope="module")
def truth(shared: Path) -> dict[str, Any]:
    """By source and control: how many events match, and which."""
    answers: dict[str, Any] = json.loads((shared / "data/truth.json").read_text())
    return answers


@pytest.fixture(scope="module")
def messages(shared: Path) -> list[Message]:
    """Every source in two shapes: a file of lines, and a file as CloudTrail writes it."""
    made = []
    for path in sorted((shared / "data/events").glob("*.jsonl.gz")):
        source = path.name.removesuffix(".jsonl.gz")
        lines = gzip.decompress(path.read_bytes()).splitlines()
        for shape, data in (("lines", b"\n".join(lines)), ("file", log_file(lines))):
            name = f"{source}/{shape}"
            made.append(Message(gzip.compress(data), Position(name, 0), name))
    return made


@pytest.mark.parametrize("workers", [1, 2])
def test_every_source_in_every_shape(workers: int, messages: list[Message], truth: dict[str, Any]) -> None:
    one = processor(RULES)
    process = per_message(one) if workers == 1 else WorkerPool(one.process, workers, pytest.fail).run
    hits: dict[str, Hits] = {}
    for (message,), findings in process([message] for message in messages):
        assert findings.problems == []
        hits[message.name] = defaultdict(list)
        for number, rule in found(findings):
            hits[message.name][rule].append(number)
    assert len(hits) == 10
    for name, of_rules in hits.items():
        wanted = truth[name.partition("/")[0]]
        assert {rule: of_rules[rule] for rule in CONTROLS} == {
            rule: wanted[control]["lines"] for rule, control in CONTROLS.items()
        }, name


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bucket_as_it_is_found(workers: int, shared: Path, truth: dict[str, Any], tmp_path: Path) -> None:
    """With digest and Insight files, empty files and a foreign one among the log files."""
    out, summary = tmp_path / "alerts", tmp_path / "summary"
    options = ["--workers", str(workers), "--output", str(out), "--summary-json", str(summary)]
    assert run(["replay", str(shared / "data/s3-layout"), *options]) == 0
    hits: dict[str, set[str]] = defaultdict(set)
    for line in out.read_text().splitlines():
        alert = json.loads(line)
        hits[alert["rule"]].add(alert["records"][0]["eventID"])
    wanted = truth["s3-layout"]
    assert {rule: hits[rule] for rule in CONTROLS} == {
        rule: set(wanted[control]["eventIDs"]) for rule, control in CONTROLS.items()
    }
    counts = json.loads(summary.read_text())
    assert counts["records"] == wanted["_events"]["count"]
    assert sum(counts["alerts"].values()) == sum(wanted[control]["count"] for control in CONTROLS.values())
