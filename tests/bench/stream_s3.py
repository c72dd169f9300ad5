"""The sources `s3` and `sqs` against `replay` of the same files on disk, from a local S3 server.

    python -m tests.bench.stream_s3 --files 400

The server shares the machine: what it and a bare loop of downloads reach is shown as its limit. Where the server
is the limit, processor seconds tell what the sources themselves cost. All rates are of one run, in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench import archive
from tests.servers.moto import ENVIRONMENT, Bucket, Moto, Queue, running
from tests.servers.moto import archive as files_of
from trailsieve.trail.envelopes import unwrap

ROOT = Path(__file__).resolve().parents[2]
TRAILSIEVE = str(Path(sys.executable).with_name("trailsieve"))
WORKERS = "2"
CONFIG = """
[source]
kind = "sqs"
queue_url = "{queue}"
buckets = ["{bucket}"]
endpoint_url = "{server}"
[run]
workers = {workers}
[[sink]]
kind = "files"
path = "{folder}/alerts.jsonl"
[[rules]]
pack = "cis-aws"
[checkpoint]
path = "{folder}/state.db"
[dead_letters]
path = "{folder}/dead.jsonl"
"""
Run = Callable[[], float | None]


def replay(what: str, server: str) -> None:
    """A replay with two workers."""
    environment = {**os.environ, **ENVIRONMENT, "AWS_ENDPOINT_URL": server}
    command = [TRAILSIEVE, "replay", what, "--workers", WORKERS, "--output", os.devnull]
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)


def drain(queue: Queue, bucket: Bucket, server: str) -> float:
    """The service, from its start until the queue is empty; the seconds without its end."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "service.toml")
        config.write_text(
            CONFIG.format(queue=queue.url, bucket=bucket.name, server=server, folder=folder, workers=WORKERS)
        )
        service = subprocess.Popen(
            [TRAILSIEVE, "run", config], env={**os.environ, **ENVIRONMENT}, stderr=subprocess.DEVNULL
        )
        began = time.monotonic()
        while queue.counts() != (0, 0):
            time.sleep(0.2)
        seconds = time.monotonic() - began
        service.terminate()
        service.wait()
    return seconds


def download(moto: Moto, bucket: Bucket, keys: list[str]) -> None:
    """The server's limit: a loop with as many threads that only downloads."""
    s3 = moto.client("s3")
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda key: s3.get_object(Bucket=bucket.name, Key=key)["Body"].read(), keys):
            pass


def bare_queue(moto: Moto, queue: Queue, bucket: Bucket) -> None:
    """The server's limit with a queue: threads that receive, download and delete."""

    def loop(_: int) -> None:
        s3, sqs = moto.client("s3"), moto.client("sqs")
        while got := sqs.receive_message(QueueUrl=queue.url, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                for name in unwrap(message["Body"].encode()).objects:
                    s3.get_object(Bucket=name.bucket, Key=name.key)["Body"].read()
                sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(loop, range(8)))


def measured(run: Run) -> tuple[float, float]:
    """Seconds on the clock, and processor seconds of the processes that were started and ended."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    seconds = run() or time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints a line a way to read."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.stream_s3")
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--size", type=int, default=400_000_000, help="bytes of JSON in all files together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running() as moto:
        folder = Path(name)
        archive.make(folder, ROOT / "samples/archive", given.size, given.files)
        stored = {key: body for key, body in files_of(folder).items() if key.startswith("AWSLogs/")}
        bucket, queue = moto.bucket(stored), moto.queue(300)
        figures = _figures(moto, bucket, queue, list(stored), str(folder / "AWSLogs"), given.rounds)
        print(f"{given.files} files, {given.size / 1e6:,.0f} MB of JSON, {given.rounds} rounds, medians")
    for way, (seconds, cpu) in figures.items():
        rate = given.size / 1e6 / seconds
        ratio = figures["files on disk"][0] / seconds
        spent = f", {1000 * cpu / given.files:,.1f} processor ms a file" if cpu > 1 else ""
        print(
            f"{way:>16}: {rate:6,.0f} MB/s, {given.files / seconds:6,.0f} files/s, {ratio:.2f} of disk{spent}"
        )
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n")


def _figures(
    moto: Moto, bucket: Bucket, queue: Queue, keys: list[str], folder: str, rounds: int
) -> dict[str, tuple[float, float]]:
    ways: dict[str, Run] = {
        "files on disk": lambda: replay(folder, moto.url),
        "bare downloads": lambda: download(moto, bucket, keys),
        "bare queue": lambda: bare_queue(moto, queue, bucket),
        "s3": lambda: replay(bucket.url, moto.url),
        "sqs": lambda: drain(queue, bucket, moto.url),
    }
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            if way in ("sqs", "bare queue"):
                queue.tell(bucket, keys)
            found[way].append(measured(run))
    medians = {
        way: [statistics.median(column) for column in zip(*runs, strict=True)] for way, runs in found.items()
    }
    return {way: (seconds, cpu) for way, (seconds, cpu) in medians.items()}


if __name__ == "__main__":
    main()
