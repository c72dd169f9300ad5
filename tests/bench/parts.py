"""The parts of a replay one by one, for `make bench` (figures) and `make bench-parts` (pytest-benchmark)."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from trailsieve import jsontext
from trailsieve.engine.decode import Decoder
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.processor import Processor
from trailsieve.model import Message, Position
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.rules.load import load_pack

CIS = [rule.pattern.text for rule in load_pack("cis-aws").rules]
LINEAR = ("%a*a*a*a*a*a*a*a*b%", "{ $.x = %[a-z]*[a-z]*[a-z]*[a-z]*x% }")
MEGABYTE = 1_000_000


def records_of(folder: Path, most: int = 5000) -> list[bytes]:
    """The texts of an archive's records, at most so many; damaged files give what is whole in them."""
    texts: list[bytes] = []
    for path in sorted(folder.rglob("*_CloudTrail_*.json.gz")):
        if len(texts) >= most:
            break
        message = Message(path.read_bytes(), Position(path.name, 0), path.name)
        texts += [text for _, text in Decoder().decode(message).texts()]
    return texts[:most]


def forget() -> None:
    """Empties the caches of the language, so that patterns are compiled as if for the first time."""
    for name, module in list(sys.modules.items()):
        if name.startswith("trailsieve.pattern"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def compile_cis() -> list[FilterPattern]:
    """The fifteen CIS patterns, parsed and made predicates."""
    patterns = [compile(text) for text in CIS]
    for pattern in patterns:
        pattern.predicate({})
    return patterns


def verdicts(patterns: Sequence[FilterPattern], records: Sequence[Any]) -> int:
    """How many times a pattern matches a decoded record."""
    return sum(pattern.predicate(record) for pattern in patterns for record in records)


def cis_processor() -> Processor:
    """Decodes and matches against the CIS pack."""
    return Processor(Decoder(), Matcher(load_pack("cis-aws").rules))


def one_event_messages(texts: Sequence[bytes]) -> list[Message]:
    """A stream of events: each a message."""
    return [Message(text, Position("stream", n), f"stream/{n}") for n, text in enumerate(texts)]


def slow_case(pattern: str) -> Callable[[], bool]:
    """Tries a pattern on an event of a megabyte that a backtracking engine would not finish."""
    filter_pattern = compile(pattern)
    letters = "a" * MEGABYTE
    event = f'{{"x":"{letters}"}}' if pattern.startswith("{") else letters
    return lambda: filter_pattern.matches(event)


def seconds(work: Callable[[], object], rounds: int = 7, prepare: Callable[[], None] = lambda: None) -> float:
    """The median time of several runs, after one to warm up."""
    times = []
    for _ in range(rounds + 1):
        prepare()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def figures(folder: Path) -> dict[str, str]:
    """What `make bench` says of the parts, measured on an archive's records."""
    texts = records_of(folder)
    decoded = [jsontext.decode(text) for text in texts]
    patterns = compile_cis()
    processor = cis_processor()
    messages = one_event_messages(texts)
    tests = len(patterns) * len(decoded)
    predicate = seconds(lambda: verdicts(patterns, decoded)) / tests
    alone = seconds(lambda: [list(processor.process_poll([message])) for message in messages]) / len(messages)
    together = seconds(lambda: list(processor.process_poll(messages))) / len(messages)
    plain = seconds(slow_case("%ab%"))
    found = {
        "parse and compile the 15 CIS patterns": f"{seconds(compile_cis, 15, forget) * 1e3:.1f} ms",
        "a compiled CIS predicate on a decoded record": f"{predicate * 1e6:.2f} µs",
        "one event a message, decoded and matched against the CIS pack": f"{alone * 1e6:.1f} µs",
        f"the same, {len(messages):,} messages of a stream together": f"{together * 1e6:.1f} µs",
    }
    for pattern in LINEAR:
        found[f"{pattern} on an event of 1 MB, %ab% = 1"] = f"{seconds(slow_case(pattern)) / plain:.1f} ×"
    return found
