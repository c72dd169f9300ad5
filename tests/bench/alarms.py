"""`make bench-alarms`: what alarms cost: a million matches over ten thousand and over a million keys.

Each case runs in a process of its own, over the same compressed files, without workers. A replay keeps all
periods open to its end; a stream closes them as time goes on, and keeps ids and windows in SQLite after each
file. Times are processor seconds, so that other work on the machine does not count. Memory is the growth of
the process from before the first file to the most that it ever had.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import gzip
import json
import multiprocessing
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.alarms.series import Series
from trailsieve.engine.checkpoint import SqliteCheckpoint
from trailsieve.engine.decode import Decoder
from trailsieve.engine.delivery import Delivery
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.pipeline import Pipeline, per_message
from trailsieve.engine.processor import Processor
from trailsieve.engine.sink_worker import SinkWorker
from trailsieve.formats import native
from trailsieve.model import Alert, Message, Position
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.parser import parse_selector
from trailsieve.ports import RunContext
from trailsieve.rules.alarm import Alarm, Reference
from trailsieve.rules.rule import Rule
from trailsieve.sources.files import FilesSource, list_files
from trailsieve.trail.selection import Selection

MATCHES = 1_000_000
KEYS = 10_000
FILES = 500
START = 1_773_446_400  # 2026-03-14T00:00:00Z
BY = Reference("$.userIdentity.arn", parse_selector("$.userIdentity.arn"))
PATTERN = compile('{ $.errorCode = "AccessDenied*" }')
ALARM = Alarm(threshold=3, period=300, by=(BY,), allowed_lateness=900)
CASES = {  # what runs, and what it is compared with
    "replay, matching alone": "replay, matching alone",
    "replay with alarms": "replay, matching alone",
    "stream, matching alone": "stream, matching alone",
    "stream with alarms": "stream, matching alone",
}


class Counted:
    """A sink that encodes, and keeps nothing."""

    overwrites = False

    def __init__(self) -> None:
        self.alerts = 0

    def deliver(self, alerts: Sequence[Alert]) -> None:
        self.alerts += len([native.encode(alert) for alert in alerts])

    def check(self) -> str:
        return "counts"

    def close(self) -> None:
        """Nothing is held."""


class OneShard(FilesSource):
    """The files as objects of one shard that come in the order of time."""

    def poll(self) -> Sequence[Message]:
        return [replace(message, position=Position("stream", 0)) for message in super().poll()]


def make(folder: Path, matches: int, hours: float, keys: int) -> None:
    """Files as CloudTrail delivers them: each of a short time, late by up to ten minutes."""
    rng = random.Random(7)
    folder.mkdir(parents=True)
    size = matches // FILES
    for file in range(FILES):
        records = []
        for number in range(size):
            seconds = START + int(hours * 3600 * (file + number / size) / FILES) - rng.randrange(600)
            # More keys than chance would find: each gets its share.
            who = rng.randrange(KEYS) if keys == KEYS else (file * size + number) % keys
            records.append(record(rng, f"{file:08x}-0000-4000-8000-{number:012x}", seconds, who))
        data = b'{"Records":[' + b",".join(records) + b"]}"
        (folder / f"{file:05}.json.gz").write_bytes(gzip.compress(data, 1, mtime=0))


def record(rng: random.Random, identity: str, seconds: int, who: int) -> bytes:
    found = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"AROA{who:017}:session",
            "arn": f"arn:aws:sts::111122223333:assumed-role/role-{who}/session",
            "accountId": "111122223333",
        },
        "eventTime": f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "s3.amazonaws.com",
        "eventName": rng.choice(["GetObject", "PutObject", "ListBucket", "GetBucketAcl"]),
        "awsRegion": rng.choice(["eu-west-1", "us-east-1"]),
        "sourceIPAddress": f"192.0.2.{who % 256}",
        "userAgent": "aws-sdk-java/2.25.40 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.10",
        "errorCode": "AccessDenied",
        "errorMessage": "User is not authorized to perform this operation on this resource",
        "requestParameters": {"bucketName": "exampleorg-data", "key": f"part-{rng.randrange(10**9)}"},
        "eventID": identity,
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
    }
    return json.dumps(found, separators=(",", ":")).encode()


def measure(case: str, folder: Path, keys: int, answers: Any) -> None:
    """Runs one case; sends seconds, MB, alerts, and the most series and periods that were open."""
    gc.set_threshold(100_000, 50, 50)  # as the command line does
    alarm = dataclasses.replace(ALARM, max_keys=keys) if "with alarms" in case else None
    rule = Rule("denied", "Denied", "low", PATTERN, alarm=alarm)
    live = "stream" in case
    sink = Counted()
    alarms = Alarms([rule], live=Live(now=lambda: START + 86400.0 * 365) if live else None)
    source = OneShard(list_files([str(folder)]), RunContext(max_object_size=2**28), Selection())
    with tempfile.TemporaryDirectory() as scratch:
        more: dict[str, Any] = {}
        if live:
            more = {"checkpoint": SqliteCheckpoint(Path(scratch) / "state.db"), "commit_every": 0.2}
        pipeline = Pipeline(
            source,
            per_message(Processor(Decoder(), Matcher([rule]))),
            Delivery([SinkWorker(sink)]),
            [],
            alarms=alarms,
            **more,
        )
        most = (0, 0)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.process_time()
        source.start({})
        for number, (messages, findings) in enumerate(pipeline.process(pipeline._polled())):
            pipeline.epoch(messages, findings)
            if number % 50 == 49 and alarms.by_rule:
                most = max(most, opened(alarms), key=lambda held: held[1])
        sink.deliver(alarms.close())
        seconds = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    answers.send((seconds, grown, sink.alerts, *most))


def opened(alarms: Alarms) -> tuple[int, int]:
    """How many series and periods are held."""
    series = periods = 0
    for alarm in alarms.by_rule.values():
        series += alarm.keys
        for one in alarm.every_series():
            periods += len(one.periods) if isinstance(one, Series) else 0
    return series, periods


def run(case: str, folder: Path, keys: int) -> tuple[float, float, int, int, int]:
    """One case in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=measure, args=(case, folder, keys, theirs))
    process.start()
    theirs.close()
    answer: tuple[float, float, int, int, int] = ours.recv()
    process.join()
    return answer


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--matches", type=int, default=MATCHES)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--keys", type=int, default=KEYS)
    options = parser.parse_args()
    size = f"{options.matches}-{options.keys}-{options.hours:g}h"
    folder = Path(tempfile.gettempdir()) / "trailsieve-bench" / f"alarms-{size}"
    if not folder.exists():
        make(folder, options.matches, options.hours, options.keys)
    found: dict[str, list[tuple[float, float, int, int, int]]] = {case: [] for case in CASES}
    for _ in range(options.rounds):
        for case in CASES:
            found[case].append(run(case, folder, options.keys))
    title = f"{options.matches:,} matches over {options.keys:,} keys in {options.hours:g} hours, periods of 5 minutes"
    table = Table(title=title, title_justify="left", box=None)
    for column in ("case", "CPU s", "matches/s", "× alone", "alerts", "MB", "kB a key", "kB a period"):
        table.add_column(column, justify="left" if column == "case" else "right")
    medians = {
        case: [statistics.median(row[n] for row in rows) for n in (0, 1)] for case, rows in found.items()
    }
    for case, alone in CASES.items():
        seconds, grown = medians[case]
        _, _, alerts, *counts = found[case][0]
        each = [f"{(grown - medians[alone][1]) * 1024 / count:.1f}" if count else "-" for count in counts]
        throughput = (f"{options.matches / seconds:,.0f}", f"{medians[alone][0] / seconds:.2f}")
        table.add_row(case, f"{seconds:.1f}", *throughput, f"{alerts:,}", f"{grown:,.0f}", *each)
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    main()
