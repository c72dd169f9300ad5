"""Patterns as they are found in public repositories: every pair is decided, every witness right."""

from __future__ import annotations

import json
import random
from itertools import product
from pathlib import Path

import trailsieve
from trailsieve import FilterPattern, PatternError, equivalent, implies, satisfiable

SAMPLE = 400


def wild_patterns(shared: Path) -> list[FilterPattern]:
    found = []
    for line in (shared / "language" / "wild_patterns.jsonl").read_text().splitlines():
        try:
            found.append(trailsieve.compile(json.loads(line)["pattern"]))
        except PatternError:
            continue
    return found


def test_a_sample_of_pairs_of_json_patterns(shared: Path) -> None:
    patterns = [pattern for pattern in wild_patterns(shared) if pattern.reads_records]
    pairs = list(product(patterns, repeat=2))
    for a, b in random.Random(8).sample(pairs, SAMPLE):
        verdict = implies(a, b)
        assert verdict.holds is not None, verdict.reason
        if verdict.holds is False:
            assert a.matches(str(verdict.witness))
            assert not b.matches(str(verdict.witness))


def test_every_pattern_equals_itself_written_otherwise(shared: Path) -> None:
    from trailsieve.pattern.render import render

    for pattern in wild_patterns(shared):
        assert equivalent(pattern, trailsieve.compile(render(pattern.tree), limits=False)).holds


def test_every_pattern_can_match(shared: Path) -> None:
    for pattern in wild_patterns(shared):
        verdict = satisfiable(pattern)
        assert verdict.holds is not None, (pattern, verdict.reason)
        assert verdict.witness is None or pattern.matches(verdict.witness)


def test_the_built_in_packs_have_no_rule_twice() -> None:
    for name in ("cis-aws", "cis-aws-tuned"):
        rules = trailsieve.load_pack(name).rules
        for a, b in product(rules, repeat=2):
            assert (equivalent(a.pattern, b.pattern).holds is True) is (a is b)
