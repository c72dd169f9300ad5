"""`make bench-relate`: decides for every pair of JSON patterns of a list whether one implies the other."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from itertools import product
from pathlib import Path

import trailsieve
from trailsieve import FilterPattern, PatternError, implies

ROOT = Path(__file__).resolve().parents[2]
WILD = ROOT.parent / "shared" / "language" / "wild_patterns.jsonl"
BUDGET = 600.0  # seconds for all pairs


def json_patterns(path: Path) -> list[FilterPattern]:
    """The JSON patterns among the lines of a file of objects with a `pattern`; what AWS refuses is left out."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(trailsieve.compile(json.loads(line)["pattern"]))
        except PatternError:
            continue
    return [pattern for pattern in found if pattern.reads_records]


def main() -> None:
    """Prints answers and times; fails when it takes longer than the budget."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patterns", type=Path, nargs="?", default=WILD)
    patterns = json_patterns(parser.parse_args().patterns)
    answers: Counter[str] = Counter()
    times = []
    for a, b in product(patterns, repeat=2):
        start = time.perf_counter()
        verdict = implies(a, b)
        times.append(time.perf_counter() - start)
        answers[{True: "implied", False: "not implied", None: verdict.reason}[verdict.holds]] += 1
    print(f"{len(times)} pairs of {len(patterns)} patterns in {sum(times):.1f} s")
    print(f"median {statistics.median(times) * 1e3:.2f} ms, longest {max(times) * 1e3:.1f} ms")
    for answer, count in answers.most_common():
        print(f"{count:7} {answer}")
    if sum(times) > BUDGET:
        raise SystemExit(f"more than {BUDGET:.0f} s")


if __name__ == "__main__":
    main()
